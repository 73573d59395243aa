// What a person may do: each with what will happen, before it does.

import {change} from "./api.js";
import {confirm} from "./dialog.js";
import {byId, each, fill, make, say, withCommands} from "./dom.js";
import {latchOf} from "./judgement.js";
import {withRelease} from "./words.js";

const reading = 30_000;  // milliseconds
const reason = {name: "reason", label: "Reason, for the record", type: "text", required: true};
const lengths = [["30m", "30 minutes"], ["1h", "1 hour"], ["2h", "2 hours"], ["4h", "4 hours"], ["8h", "8 hours"], ["24h", "24 hours"], ["7d", "7 days"]];

const live = (d) => withRelease(d.live, d.release);
const back = (d) => withRelease(d.stable, d.stable_release);
const backAgain = (d) => `nginx is put back on ${back(d)}. Users on ${live(d)} go there with one reload of nginx, as a rule within a second. ` +
  "Then it is proven that they reach it.";
const others = (seen) => seen.status.deployment.slots.filter((slot) => slot !== seen.status.deployment.live);
// Where the switch names another than users reach, either may be meant.
const flippable = (d) => d.slots.filter((slot) => slot !== d.live || slot !== d.intent);
const slotChoice = (seen) => ({name: "stable", label: "The slot to go back to", type: "choice", choices: others(seen).map((slot) => [slot, slot])});
const windowClosed = "Past the window rules only tell: a breach is not rolled back by itself.";

// In this order. `possible` says when the button is there; `happens` and `fields` are what the dialog shows.
const actions = [
  {
    name: "approve", path: "approve", isGrave: true, words: "Approve",
    possible: (d) => d.asked.length > 0,
    title: (d) => `Approve the rollback to ${back(d)}?`,
    happens: (d) => [...d.asked.map((question) => `${question.rule}: ${question.says}`), backAgain(d)],
    fields: (d) => (d.asked.length === 1 ? [] : [{name: "rule", label: "The question that is answered with yes", type: "choice",
      choices: d.asked.map((question) => [question.rule, question.rule])}]),
    always: (d) => ({rule: d.asked[0].rule}),  // the one that was read, should another have come meanwhile
  },
  {
    name: "rollback", path: "rollback", isGrave: true, words: "Roll back",
    possible: (d) => !d.rolling && !d.flipping,
    title: (d) => (d.stable ? `Roll back to ${back(d)}?` : `Roll back from ${live(d)}?`),
    happens: (d) => [
      d.stable ? backAgain(d) : `There is no way back: ${d.no_way_back}. nginx would go to the other slot.`,
      "It happens now, in any mode, held or not. A slot that is sick is refused."],
    fields: () => [reason, {name: "force", label: "Even if that slot is sick or has another release (`--force`)", type: "check"}],
  },
  {
    name: "flip", path: "flip", words: "Put live",
    possible: (d) => !d.rolling && !d.flipping && flippable(d).length > 0,
    title: () => "Put a slot live?",
    happens: (d) => [
      `nginx is put on the slot that you choose. ${d.live ? `Users on ${live(d)}` : "Users"} go there with one reload of nginx. Then it is proven that ` +
        "they reach it; where it fails, nginx is put back.",
      "It is a cutover: the rollback window opens. A slot that is sick is refused."],
    fields: (d) => [{name: "slot", label: "The slot", type: "choice", choices: flippable(d).map((slot) => [slot, slot])},
      {...reason, required: false}, {name: "force", label: "Even if that slot is sick; what it answers puts nothing back then (`--force`)", type: "check"}],
  },
  {
    name: "hold", path: "hold", words: "Hold",
    possible: () => true,
    title: () => "Hold automatic rollbacks?",
    happens: (d) => [`Until the hold ends ${live(d)} stays, whatever the rules say. What is breached is still told. You can still roll back by hand.`],
    fields: () => [{name: "for", label: "For how long", type: "choice", choices: lengths, value: "1h"}, reason],
  },
  {
    name: "unhold", path: "unhold", words: "End the hold",
    possible: (d) => Boolean(d.held),
    title: () => "End the hold?",
    happens: (d) => [`It is ${d.held}.`, `Automatic rollbacks may act again. If a rule is breached and the mode is act, ${live(d)} may be rolled back at once.`],
    fields: () => [],
  },
  {
    name: "unlatch", path: "unlatch", words: "Unlatch",
    possible: (d) => d.latched && !d.rolling && !d.flipping,
    title: () => "Open the latch?",
    happens: (d) => [`${latchOf(d).what} may be rolled back again, and is no longer remembered as rolled back.`],
    fields: () => [{name: "yes", label: "Even while a rule is breached (`--yes`)", type: "check"}],
  },
  {
    name: "window-open", path: "window/open", words: "Open a window",
    possible: (d, seen) => !d.window_open && others(seen).length > 0,
    title: () => "Open a rollback window?",
    happens: (d) => [`From now on ${live(d)} is held against the rules that roll back, as if there had been a cutover. They start empty, and the latch opens.`],
    fields: (d, seen) => [slotChoice(seen)],
  },
  {
    name: "window-close", path: "window/close", words: "Close the window",
    possible: (d) => d.window_open && !d.rolling && !d.flipping,
    title: () => "Close the rollback window?",
    happens: (d) => [`${live(d)} stays until the next cutover. ${windowClosed}`],
    fields: () => [],
  },
  {
    name: "ack", path: "ack", words: "Acknowledge",
    possible: (d, seen) => Boolean(seen.status.incident),
    title: () => "Acknowledge the incident?",
    happens: (d, seen) => [`Others are told that you look at ${seen.status.incident}. Nothing else changes.`],
    fields: () => [reason],
  },
];

let over = null;

/** What the agent says to what was done, for as long as it takes to read it. */
function sayDone(text) {
  clearTimeout(over);
  fill(byId("done"), withCommands(text));
  over = setTimeout(() => fill(byId("done")), reading);
}

/** What each action is about. Once this is another, what the dialog says would happen is no longer so. */
const about = (d) => JSON.stringify([d.live, d.release, d.stable, d.stable_release]);

function start(action, seen, after) {
  const d = seen.status.deployment;
  fill(byId("done"));
  confirm({
    title: action.title(d, seen),
    happens: action.happens(d, seen),
    fields: action.fields(d, seen),
    confirm: action.words,
    isGrave: action.isGrave,
    async run(values) {
      if (about(seen.status.deployment) !== about(d)) throw new Error("Another slot or release is live than when this was asked. Cancel, and look again.");
      sayDone(await change(action.path, {...action.always?.(d), ...values}));
      after();
    },
  });
}

function createButton(name, seen, after) {
  const element = make("button", {type: "button", "data-action": name});
  return {
    element,
    show({action, isFirst}) {
      say(element, `${action.words}…`);
      element.className = action.isGrave && isFirst && seen.status.breached.length > 0 ? "grave" : "plain";
      element.disabled = !seen.connected;
      element.onclick = () => start(action, seen, after);
    },
  };
}

/** Only where somebody may act, and never on what may no longer be so; `after()` once something was done. */
export function showActions(seen, after) {
  const d = seen.status.deployment;
  const mayAct = Boolean(d && seen.session?.may_change);
  const possible = mayAct ? actions.filter((action) => action.possible(d, seen)) : [];
  each(byId("actions"), possible.map((action, index) => ({action, isFirst: index === 0})), ({action}) => action.name, (name) => createButton(name, seen, after));
}
