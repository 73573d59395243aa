// How the deployment stands: both slots, which of them is live, and what decides whether a rollback acts.

import {byId, each, fill, make, say, withCommands} from "./dom.js";
import {hurt} from "./judgement.js";
import {ago, atTime, clock} from "./words.js";

const modes = {
  observe: "observe: it says what it would do, and does nothing",
  ask: "ask: it asks, and a person approves",
  act: "act: a breach is rolled back by itself",
};

const long = 300;  // characters; more than that is folded

/** The newest event that made the live slot live. */
function madeLive(seen) {
  return seen.log.findLast((event) => event.kind === "deployment.cutover" || event.kind === "deployment.baseline" ||
    (/^rollback\.(closed|recovered)$/.test(event.kind) && event.outcome === "rolled back"));
}

function aboutSlot(name, seen) {
  const d = seen.status.deployment;
  const target = d.rolling && name === d.stable;
  if (name === d.live) {
    const since = madeLive(seen);
    const proven = d.effect_says || (d.effect === "agreed" ? "proven: users reach it" : "not proven");
    return {name, release: d.release, role: "live", says: proven, since: since && Date.parse(since.time), target};
  }
  if (name === d.stable) return {name, release: d.stable_release, role: target ? "rollback goes here" : "way back", says: d.stable_says || d.doubt, target};
  return {name, release: "", role: d.users === name ? "users reach it" : "no way back", says: "", target};
}

function createSlot(name) {
  const [release, role, says, since] = [make("span", {class: "release"}), make("span", {class: "role"}), make("span", {}), make("span", {})];
  const element = make("li", {class: "slot"}, make("span", {class: "rail", "aria-hidden": "true"}), make("span", {class: "slot-name"}, name), release, role,
    make("span", {class: "slot-says quiet"}, says, since));
  element.dataset.slot = name;
  return {
    element,
    show(slot) {
      element.classList.toggle("is-live", slot.role === "live");
      element.classList.toggle("is-target", Boolean(slot.target));
      say(release, slot.release);
      say(role, slot.role);
      say(says, slot.says);
      say(since, slot.since ? `, since ${atTime(slot.since, slot.now)}, ${ago((slot.now - slot.since) / 1000)}` : "");
    },
  };
}

/** {what: text or nodes}, of what is worth a line. */
function factsOf(seen) {
  const d = seen.status.deployment;
  const lacks = d.not_ready.filter((lack) => lack.blocking);
  const left = seen.windowLeft();
  return [
    ["Users", hurt(seen.rules).says],
    ["Window", !d.window_open ? "closed: rules only tell" : left > 0 ? `${clock(left)} left` : "open, for what was pending at its end"],
    ["Mode", modes[d.mode] ?? d.mode],
    ["Ready", lacks.length ? lacks.map((lack) => `no: ${lack.says}${lack.type ? `; ${lack.type}` : ""}`).join(". ") : d.ready],
    ["Way back", d.no_way_back ? `none: ${d.no_way_back}` : d.doubt && `doubtful: ${d.doubt}`],
    ["Hold", d.held || "none"],
    ["Latch", d.latched ? `shut: ${d.latch}` : "open"],
    ["In the way", d.in_the_way.map((way) => `${way.rule} ${way.is}: ${way.says}`).join(". ")],
    ["Attempts", d.failed_attempts_says],
    ["Lacking", d.not_ready.filter((lack) => !lack.blocking).map((lack) => `${lack.says}${lack.type ? `; ${lack.type}` : ""}`).join(". ")],
    ["Note", d.notes.join(". ")],
    ["Not stored", d.unstored.join(". ")],
    ["Not on record", seen.status.unrecorded],
    ["Not told", seen.status.untold],
    ["Kept", d.kept],
    ["Not read", seen.connected && Object.entries(seen.refused).map(([part, why]) => `${part}: ${why}`).join(". ")],
  ].filter(([, says]) => says);
}

function folded(text) {
  const beginning = text.slice(0, 60).replace(/ +\S*$/, "");
  return make("details", {}, make("summary", {}, `${beginning}…`), make("p", {}, withCommands(text)));
}

function createFact([what]) {
  const says = make("dd");
  const element = make("div", {class: "fact"}, make("dt", {}, what), says);
  element.dataset.fact = what;
  let shown;
  return {
    element,
    show([, text]) {
      if (text !== shown) fill(says, text.length > long ? folded(text) : withCommands(text));
      shown = text;
    },
  };
}

export function showStanding(seen) {
  const now = seen.now();
  const facts = seen.status.deployment ? factsOf(seen) : [["Users", hurt(seen.rules).says]];
  const slots = seen.status.deployment ? seen.status.deployment.slots : [];
  byId("slots").dataset.live = slots.indexOf(seen.status.deployment?.live);
  byId("slots").dataset.count = slots.length;
  each(byId("slots"), slots.map((name) => ({...aboutSlot(name, seen), now})), (slot) => slot.name, createSlot);
  each(byId("facts"), facts, ([what]) => what, (what) => createFact([what]));
}
