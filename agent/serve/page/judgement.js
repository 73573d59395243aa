// What is so, in one sentence: from the agent's status and its rules alone, without the page and without a clock.

import {counted, withRelease} from "./words.js";

const worstFirst = {breached: 0, pending: 1, unknown: 2, ok: 3, off: 4};

/** How much of its limit a rule has used; one that only says whether something is up has no such part, and comes last. */
function used(rule) {
  return rule.threshold > 0 && typeof rule.value === "number" ? rule.value / rule.threshold : -1;
}

function sorted(rules) {
  return [...rules].sort((one, other) => worstFirst[one.verdict] - worstFirst[other.verdict] || used(other) - used(one));
}

export const rollbackRules = (rules) => sorted(rules.filter((rule) => rule.then === "rollback" && rule.verdict !== "off"));
export const alertRules = (rules) => sorted(rules.filter((rule) => rule.then !== "rollback" && rule.verdict !== "off"));

const having = (rules, verdict) => rules.filter((rule) => rule.verdict === verdict);
const names = (rules) => rules.map((rule) => rule.rule).join(", ");
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** Of "green with v1.1.0, rolled back": what was rolled back, and what became of it. What became of it comes last, and is the agent's word. */
export function latchOf(deployment) {
  const comma = deployment.latch.lastIndexOf(", ");
  return {what: deployment.latch.slice(0, comma), became: deployment.latch.slice(comma + 2)};
}

/** Whether users are hurt: "yes", "perhaps", "no" or "can't tell", and in words. Only a rule that rolls back speaks of that. */
export function hurt(rules) {
  const rolling = rollbackRules(rules);
  const [breached, pending, unknown, ok] = ["breached", "pending", "unknown", "ok"].map((verdict) => having(rolling, verdict));
  if (breached.length) return {is: "yes", says: `hurt: ${names(breached)} breached`};
  if (pending.length) return {is: "perhaps", says: `perhaps hurt: ${names(pending)} pending`};
  if (ok.length && unknown.length) return {is: "no", says: `no sign that they are hurt; ${names(unknown)} can't be told`};
  if (ok.length) return {is: "no", says: "no sign that they are hurt"};
  return {is: "can't tell", says: unknown.length ? `can't tell whether they are hurt: ${names(unknown)} unknown` : "can't tell: no rule that rolls back is on"};
}

function whyNothing(d) {
  return d.in_the_way.map((way) => ` Nothing is done yet: ${way.says}.`).join("");
}

const isOne = (rules) => (rules.length === 1 ? "is" : "are");

// In this order: the first that holds is what a person is told. Each gives what is shown, or nothing.
const cases = [
  ({d, breached}) => d.rolling && {state: "rolling", word: "rollback under way", rule: breached[0], sentence: `Rolling back ${d.rolling}`,
    beneath: (live) => `${live} is being left.`},
  ({d}) => d.flipping && {state: "rolling", word: "flip under way", sentence: `A person's flip is under way, ${d.flipping}`,
    beneath: (live) => `${live} is being left.`},
  ({d, breached}) => d.asked.length > 0 && {state: "breached", word: "asked", rule: breached[0],
    sentence: `Roll back to ${withRelease(d.stable, d.stable_release)}? Flipback waits for a yes`, beneath: (live) => `${live} is live.`},
  ({d, breached}) => breached.length > 0 && {state: "breached", word: "breached", rule: breached[0],
    sentence: `Users are hurt: ${names(breached)} ${isOne(breached)} breached`, beneath: (live) => `${live} is live.${whyNothing(d)}`},
  ({d}) => (d.effect !== "agreed" || d.effect_says) && {state: "doubt", word: "not proven",
    sentence: d.effect_says ? capital(d.effect_says) : "Which slot users reach is not proven", beneath: () => (d.intent ? `The switch names ${d.intent}.` : d.intent_says)},
  ({d}) => d.latched && latchOf(d).became !== "rolled back" && {state: "doubt", word: latchOf(d).became,
    sentence: `A rollback of ${latchOf(d).what} came to: ${latchOf(d).became}`, beneath: (live) => `${live} is live.`},
  ({pending}) => pending.length > 0 && {state: "pending", word: "pending", rule: pending[0],
    sentence: `Users may be hurt: ${names(pending)} ${isOne(pending)} pending`, beneath: (live) => `${live} is live.`},
  ({d}) => d.not_ready.some((lack) => lack.blocking) && {state: "doubt", word: "not ready", sentence: "A rollback is not possible now",
    beneath: (live) => `${live} is live.`},
  ({d}) => d.held && {state: "held", word: "held", beneath: () => `A hold is on, and no automatic rollback acts: ${d.held}`},
  ({alerts}) => alerts.length > 0 && {state: "alert", word: "alert",
    beneath: () => `${counted(alerts.length, "rule")} that ${alerts.length === 1 ? "alerts is" : "alert are"} breached: ${names(alerts)}.`},
  ({d}) => d.latched && {state: "back", word: "rolled back", beneath: () => `${latchOf(d).what} was rolled back.`},
  ({is}) => is === "can't tell" && {state: "unknown", word: "unknown", beneath: () => "Whether users are hurt can't be told."},
  () => ({state: "ok", word: "ok", beneath: () => "No rule is breached, and no sign that users are hurt."}),
];

/** {state, word, sentence, beneath, rule?, title}: `state` is for the eye, all else is words. */
export function judge(status, rules) {
  const d = status.deployment;
  if (!d) {
    const breached = having(rules, "breached");
    const said = breached.length ? {state: "alert", word: "alert", sentence: `${counted(breached.length, "rule")} breached`, beneath: names(breached)}
      : {state: "ok", word: "ok", sentence: "No rule is breached", beneath: "There is no [deployment]: nothing is rolled back from here."};
    return {...said, title: said.word};
  }
  const live = withRelease(d.live, d.release);
  const rolling = rollbackRules(rules);
  const facts = {d, is: hurt(rules).is, breached: having(rolling, "breached"), pending: having(rolling, "pending"), alerts: having(alertRules(rules), "breached")};
  for (const holds of cases) {
    const said = holds(facts);
    if (!said) continue;
    const sentence = said.sentence ?? (d.live ? `${live} is live` : "Which slot is live is not known");
    return {...said, sentence, beneath: said.beneath(live), title: `${d.live || "no slot"} live · ${said.word}`};
  }
}

const recent = 60 * 60 * 1000;  // milliseconds for which an incident that is over is still what a person comes for

/** The incident that a person is here for: the one that is open, or was over within the hour, or whose rollback shut the latch; or null. */
export function currentOf(status, incidents, now) {
  const newest = incidents[0];
  if (status.incident || !newest) return status.incident;
  const d = status.deployment;
  const shutTheLatch = d?.latched && latchOf(d).became === newest.outcome;
  return !newest.ended || shutTheLatch || now - Date.parse(newest.ended) < recent ? newest.incident : null;
}
