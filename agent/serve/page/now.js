// The top of the page: the sentence, what broke, what to type.

import {byId, fill, make, say, withCommands} from "./dom.js";
import {icon, tabIcon} from "./icons.js";
import {judge} from "./judgement.js";
import {amount, lasting, limitOf} from "./words.js";

/** A command with a button that copies it. What follows from it stands beneath. */
export function command(typed, soThat = "") {
  const code = make("code", {}, typed);
  const copy = make("button", {type: "button", class: "plain copy", "aria-label": `Copy ${typed}`, onclick: () => copyText(code, copy)}, "Copy");
  return make("div", {class: "command"}, make("div", {class: "typed"}, code, copy), soThat && make("p", {class: "quiet"}, withCommands(soThat)));
}

/** Without a secure context there is no clipboard: then the text is selected, and the person copies it. */
async function copyText(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    say(button, "Copied");
  } catch {
    getSelection().selectAllChildren(code);
    say(button, "Selected");
  }
  setTimeout(() => say(button, "Copy"), 2000);
}

/**
 * What a person types next. The agent's sentence has the command in backquotes. Where that only leads to the incident, or says nothing, the
 * incident that the page shows already has its own.
 */
function nextOf(seen) {
  const {type} = seen.status;
  if (seen.current && (!type || type.startsWith("`flipback incidents"))) return {label: "Type next", command: seen.current.next.type, rest: seen.current.next.so_that};
  const [before, first, ...more] = type.split("`");
  if (first === undefined || before.trim()) return {label: "Do next", says: type, command: first};
  return {label: "Type next", command: first, rest: more.join("`").replace(/^[,;]? */, "")};
}

function showNext(seen) {
  const place = byId("next");
  const next = nextOf(seen);
  const key = JSON.stringify(next);
  if (place.shown === key) return;
  place.shown = key;
  if (!next.says && !next.command) return fill(place);
  fill(place, make("h2", {class: "label"}, next.label), next.says && make("p", {}, withCommands(next.says)), next.command && command(next.command, next.rest));
}

/** The number against its limit, and the agent's sentence. */
function against(value, unit, what, sentence) {
  const number = typeof value === "number" && make("p", {class: "number"}, make("strong", {}, amount(value, unit)), make("span", {}, what));
  return [number, make("p", {}, withCommands(sentence))];
}

/** Of a rule that is breached or pending: what it is now. */
function brokenNow(rule, seen) {
  const times = [];
  if (rule.true_since) times.push(`for ${lasting((seen.now() - Date.parse(rule.true_since)) / 1000)}`);
  if (rule.verdict === "pending" && rule.breaches_at) times.push(`breaches in ${lasting((Date.parse(rule.breaches_at) - seen.now()) / 1000)} if it stays so`);
  return against(rule.value, rule.unit, `${rule.rule}, limit ${limitOf(rule)}`, [rule.says, ...times].join(", "));
}

/** Of an incident that is over: what it was as it broke. */
function brokenThen(incident, seen) {
  const breach = incident.events.find((event) => event.kind === "verdict.changed" && event.to === "breached" && event.rule === incident.rule);
  const unit = seen.rules.find((rule) => rule.rule === incident.rule)?.unit;
  return against(breach?.value, unit, breach && `${incident.rule} then, limit ${limitOf({...breach, unit})}`, incident.stands);
}

function showBroke(said, seen) {
  const isOver = said.state === "back" && seen.current?.ended;
  fill(byId("broke"), said.rule ? brokenNow(said.rule, seen) : isOver && brokenThen(seen.current, seen));
}

export function showNow(seen) {
  const said = judge(seen.status, seen.rules);
  const state = byId("now").dataset;
  if (state.state !== said.state) {
    state.state = said.state;
    fill(byId("state-icon"), icon(said.state));
    document.querySelector("link[rel=icon]").href = tabIcon(said.state);
  }
  say(byId("state-word"), seen.connected ? said.word : `last seen: ${said.word}`);
  say(byId("sentence"), said.sentence);
  if (byId("beneath").shown !== said.beneath) fill(byId("beneath"), withCommands(said.beneath));
  byId("beneath").shown = said.beneath;
  showBroke(said, seen);
  showNext(seen);
  return said;
}
