// Incidents: a list, and each opened on demand; the one that matters now stands near the top of the page.

import {createChart, marksSay} from "./chart.js";
import {byId, each, fill, make, say, withCommands} from "./dom.js";
import {readIncident} from "./known.js";
import {command} from "./now.js";
import {amount, atTime, limitOf, took} from "./words.js";

const mostListed = 20;
const usersErrors = "users' errors";  // no rule's value, but what users met with

function line(what, text) {
  return text ? make("div", {class: "fact"}, make("dt", {}, what), make("dd", {}, withCommands(text))) : null;
}

function orderedBy(incident) {
  if (incident.by) return incident.by;
  const decided = incident.steps.some((step) => step.kind === "rollback.decided");
  return decided ? `Flipback itself, by the rule ${incident.rule}` : "";
}

function step({after, says, kind}) {
  return make("li", {"data-kind": kind}, make("span", {class: "after"}, `+${Math.round(after * 1000)} ms`), make("span", {}, says));
}

const markedAs = {
  "deployment.cutover": "cutover", "deployment.failover": "failover", "rollback.decided": "rollback", "rollback.closed": "rollback ended",
  "rollback.recovered": "rollback ended", "rollback.held": "hold", "rollback.freed": "unhold", "rollback.unlatched": "unlatch", "incident.acknowledged": "acknowledged",
};

/** What stands in a rule's chart: when that rule was breached first, and what was done. */
function marksOf(rule, events) {
  const breach = events.find((event) => event.kind === "verdict.changed" && event.to === "breached" && event.rule === rule);
  const word = (event) => (event === breach ? "breached" : event.outcome === "rolled back" ? event.outcome : markedAs[event.kind]);
  return events.filter((event) => event === breach || markedAs[event.kind]).map((event) => ({at: Date.parse(event.time), kind: word(event)}));
}

const tenMinutes = 600_000;  // so far back reaches what is on record of the rules

/** How the rules that were breached went around it: what is on record, which is more than the page has seen. */
function charts(incident, now) {
  const some = Object.entries(incident.signals ?? {}).filter(([rule]) => rule === usersErrors || rule === incident.rule || incident.other_rules.includes(rule));
  return some.map(([rule, signal]) => {
    const before = incident.cutover && Date.parse(incident.began) - Date.parse(incident.cutover.at) <= tenMinutes ? [{at: Date.parse(incident.cutover.at), kind: "cutover"}] : [];
    const marks = [...before, ...marksOf(rule === usersErrors ? incident.rule : rule, incident.events)];
    const [chart, limit] = [createChart(), limitOf(signal)];
    chart.show({...signal, rule, marks, when: "around the incident"});
    return make("div", {class: "signal"}, make("h3", {class: "label"}, limit ? `${rule}, limit ${limit}` : rule), ...chart.elements,
      make("p", {class: "marks quiet"}, marksSay(marks, now)));
  });
}

function metWith(users) {
  if (!users) return "";
  if (!users.requests) return `no request was seen in the minute to ${atTime(Date.parse(users.at), Date.parse(users.at))} UTC`;
  const p95 = users.p95 === null ? "" : `, P95 ${amount(users.p95, "seconds")}`;
  return `${amount(users.errors / users.requests, "ratio")} of ${users.requests} requests failed${p95}, in the minute to ${atTime(Date.parse(users.at), Date.parse(users.at))} UTC`;
}

/** An incident as a person reads it: the sentence, the numbers, the steps, what to type, where that does not stand at the top of the page. */
function report(incident, now, {withNext = true} = {}) {
  const began = Date.parse(incident.began);
  const lasted = incident.ended ? `over after ${took((Date.parse(incident.ended) - began) / 1000)}` : "not over";
  const noSteps = incident.ended ? "Nothing was changed." : "Nothing was changed yet.";
  const choices = [withNext && ["Type next", [incident.next]], incident.otherwise.length > 0 && ["Or", incident.otherwise]].filter(Boolean);
  return make("div", {class: "report"},
    make("div", {},
      make("p", {class: "stands"}, withCommands(incident.stands || incident.says)),
      make("dl", {class: "facts"},
        line("Users", metWith(incident.users)), line("At the breach", metWith(incident.users_at_breach)), line("Helped", incident.helped),
        line("Cutover", incident.cutover && `${incident.cutover.live}, ${took((began - Date.parse(incident.cutover.at)) / 1000)} before`),
        line("Broke", incident.says), line("Began", `${atTime(began, now)} UTC, ${lasted}`), line("Outcome", incident.ended && incident.outcome),
        line("Ordered by", orderedBy(incident)), line("Blame", incident.blame), line("Breached, too", incident.other_rules.join(", ")),
        line("Acknowledged", incident.acknowledged), line("Told", incident.told?.join(", ")), line("Not told", incident.untold?.join(". ")),
        line("Also ill", incident.ill.join(". ")))),
    make("div", {}, make("h3", {class: "label"}, "Steps"),
      incident.steps.length ? make("ol", {class: "steps"}, incident.steps.map(step)) : make("p", {class: "quiet"}, noSteps),
      charts(incident, now)),
    choices.map(([label, some]) => make("div", {class: "choices"}, make("h3", {class: "label"}, label), some.map((choice) => command(choice.type, choice.so_that)))));
}

function createItem(identity, seen) {
  const [when, rule, became] = [make("span", {class: "when"}), make("span", {class: "row-name"}), make("span", {class: "became"})];
  const body = make("div", {class: "opened"});
  const element = make("details", {"data-incident": identity}, make("summary", {}, when, rule, became), body);
  element.addEventListener("toggle", async () => {
    if (!element.open) return;
    fill(body, make("p", {class: "quiet"}, "Reading it."));
    try {
      fill(body, report(await readIncident(identity), seen.now()));
    } catch (error) {
      fill(body, make("p", {role: "alert"}, error.message));
    }
  });
  return {
    element,
    show(incident) {
      say(when, atTime(Date.parse(incident.began), seen.now()));
      say(rule, incident.rule || "security");
      say(became, incident.ended ? incident.outcome : "not over");
    },
  };
}

export function showIncidents(seen) {
  const some = seen.incidents.slice(0, mostListed);
  byId("no-incidents").hidden = some.length > 0;
  byId("incidents").hidden = some.length === 0;
  each(byId("incidents"), some, (incident) => incident.incident, (identity) => createItem(identity, seen));
  const current = seen.current;
  byId("current").hidden = !current;
  if (!current || byId("current").shown === current) return;
  byId("current").shown = current;
  say(byId("current-title"), current.ended ? `What Flipback did: ${current.outcome}` : "What Flipback does now");
  fill(byId("current-incident"), report(current, seen.now(), {withNext: false}));
}
