// Composes the page: what was read, what comes as it happens, and when each part is shown anew.

import {showActions} from "./actions.js";
import {read, Refusal} from "./api.js";
import {byId, say} from "./dom.js";
import {currentOf, showIncidents} from "./incidents.js";
import {showLog} from "./log.js";
import {showNow} from "./now.js";
import {showProbes} from "./probes.js";
import {goOn, showRules} from "./rules.js";
import {askForToken, showRight} from "./session.js";
import {showStanding} from "./standing.js";
import {Stream} from "./stream.js";
import {showTold} from "./told.js";
import {atTime} from "./words.js";

const mostEvents = 500;
const betweenProbes = 5_000;  // milliseconds; nothing tells when a probe has run

/** All that the page knows. `heard` is when the agent was heard last, by the browser's own clock, which nobody sets. */
const seen = {
  status: null, rules: [], probes: [], incidents: [], current: null, log: [], notifications: null, session: null,
  traces: {every: 5, rules: {}, marks: []},
  heard: null, connected: false, ahead: 0, statusAt: 0,
  /** The agent's time as of what is shown: it stands still while nothing is heard. */
  now() { return Date.now() - this.ahead - this.silentFor(); },
  windowLeft() { return this.status.deployment.window_left - (performance.now() - this.statusAt - this.silentFor()) / 1000; },
  silentFor() { return this.connected || this.heard === null ? 0 : performance.now() - this.heard; },
  readIncident(identity) { return read(`incidents/${encodeURIComponent(identity)}`); },
  readAgain,
};

function takeStatus(status) {
  const before = seen.status;
  seen.status = status;
  seen.statusAt = performance.now();
  if (status.at) seen.ahead = Date.now() - Date.parse(status.at);
  if (!before || before.incident !== status.incident) readIncidents();
}

function showAll() {
  if (!seen.status) return;
  showStanding(seen);
  showActions(seen);
  showRules(seen);
  showProbes(seen);
  showIncidents(seen);
  showTold(seen);
  showLog(seen);
  const said = showNow(seen);
  document.title = seen.connected ? said.title : `connection lost · ${said.title}`;
}

/** How old what is shown is, and whether it is still so. */
function showAge() {
  if (seen.heard === null) return;
  const age = Math.floor((performance.now() - seen.heard) / 1000);
  say(byId("age"), `seen ${age} s ago`);
  say(byId("connection-word"), seen.connected ? "Connected" : "Not connected");
  byId("connection").dataset.is = seen.connected ? "pass" : "fail";
  document.body.classList.toggle("is-stale", !seen.connected);
  say(byId("lost-age"), `What you see is how it was ${age} s ago, at ${atTime(seen.now(), seen.now())} UTC. It is tried again by itself.`);
}

function tick() {
  showAge();
  if (seen.status && seen.connected) goOn(seen.traces, seen.rules, seen.now());
  showAll();
}

// Reading. Each part is read for itself: one that is refused or not there leaves the others as they are.

async function take(path, into) {
  try {
    into(await read(path));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

async function readIncidents() {
  await take("incidents", (found) => { seen.incidents = found.incidents; });
  const identity = seen.status && currentOf(seen);
  if (identity) await take(`incidents/${encodeURIComponent(identity)}`, (found) => { seen.current = found; });
  else seen.current = null;
  showAll();
}

const readProbes = () => take("probes", (found) => { seen.probes = found.probes; });
const readTraces = () => take("traces", (found) => { seen.traces = found; });
const readLog = () => take("log", (found) => { seen.log = found.operations; });
const readTold = async () => {
  seen.notifications = null;
  await take("notifications", (found) => { seen.notifications = found; });
};

async function readSession() {
  try {
    seen.session = await read("session");
    say(byId("version"), `flipback ${seen.session.version}`);
    showRight(seen.session, () => { readSession(); stream.again(); });
  } catch (error) {
    if (error.status === 401) askForToken(null, () => { readSession(); stream.again(); });
  }
}

async function readAgain() {
  await Promise.all([readSession(), readProbes(), readTraces(), readLog(), readTold(), readIncidents()]);
  showAll();
}

let soon = null;

/** What happened may have changed more than the stream tells; one reading for all that come together. */
function readSoon() {
  soon ??= setTimeout(() => {
    soon = null;
    readAgain();
  }, 200);
}

const takers = {
  status: takeStatus,
  rules(found) { seen.rules = found.rules; },
  happened(event) {
    seen.log = [...seen.log, event].slice(-mostEvents);
    readSoon();
  },
};

const stream = new Stream({
  open() {
    seen.connected = true;
    byId("lost").hidden = true;
    readAgain();
  },
  heard() { seen.heard = performance.now(); },
  event(name, data) {
    takers[name]?.(data);
    showAll();
  },
  lost() {
    seen.connected = false;
    byId("lost").hidden = false;
    say(byId("lost-word"), seen.heard === null ? "The agent does not answer. It is tried again by itself." : "The connection is lost.");
    tick();
  },
});

setInterval(tick, 1000);
setInterval(() => { if (seen.connected && !document.hidden) readProbes(); }, betweenProbes);
document.addEventListener("visibilitychange", () => { if (!document.hidden && seen.connected) readAgain(); });
