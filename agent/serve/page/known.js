// All that the page knows of the agent, and how it is read. Nothing here shows anything.

import {read, Refusal} from "./api.js";
import {currentOf} from "./judgement.js";

const mostEvents = 500;

/** What is known. A part that could not be read stays as it was, and `refused` has why. */
export const seen = {
  status: null, rules: null, probes: [], incidents: [], current: null, log: [], notifications: null, session: null,
  traces: {every: 5, rules: {}, marks: []},
  refused: {},
  connected: false,
  heard: null,  // when the agent was heard last, by the browser's clock that nobody sets
  statusAt: 0,  // when the status came, by the same
  ahead: 0,     // how many milliseconds the browser's other clock is ahead of the agent's
  silentFor() { return this.connected || this.heard === null ? 0 : performance.now() - this.heard; },
  /** The agent's time as of what is shown: it stands still while nothing is heard. */
  now() { return Date.now() - this.ahead - this.silentFor(); },
  windowLeft() { return this.status.deployment.window_left - (performance.now() - this.statusAt - this.silentFor()) / 1000; },
};

const turns = {};

/** One part, read for itself: where it is refused the others are still read. An answer that a later question has overtaken is left. */
async function take(part, path, into) {
  const mine = turns[part] = (turns[part] ?? 0) + 1;
  try {
    const found = await read(path);
    if (turns[part] !== mine) return;
    delete seen.refused[part];
    into(found);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (turns[part] === mine) seen.refused[part] = error.message;
  }
}

export const readIncident = (identity) => read(`incidents/${encodeURIComponent(identity)}`);

export async function readIncidents() {
  await take("incidents", "incidents", (found) => { seen.incidents = found.incidents; });
  const identity = seen.status && currentOf(seen.status, seen.incidents, seen.now());
  if (identity) await take("incident", `incidents/${encodeURIComponent(identity)}`, (found) => { seen.current = found; });
  else seen.current = null;
}

export const readProbes = () => take("probes", "probes", (found) => { seen.probes = found.probes; });
export const readSession = () => take("session", "session", (found) => { seen.session = found; });
const readTraces = () => take("traces", "traces", (found) => { seen.traces = found; });
const readLog = () => take("log", "log", (found) => { seen.log = found.operations; });

/** An agent that tells nobody anything does not know this question. */
async function readNotifications() {
  await take("notifications", "notifications", (found) => { seen.notifications = found; });
  if (seen.refused.notifications) seen.notifications = null;
  delete seen.refused.notifications;
}

export const readAll = () => Promise.all([readSession(), readProbes(), readTraces(), readLog(), readNotifications(), readIncidents()]);

/** Takes a status that came; true where another incident is open than before. */
export function takeStatus(status) {
  const before = seen.status;
  seen.status = status;
  seen.statusAt = performance.now();
  if (status.at) seen.ahead = Date.now() - Date.parse(status.at);
  return !before || before.incident !== status.incident;
}

export function takeEvent(event) {
  seen.log = [...seen.log, event].slice(-mostEvents);
}
