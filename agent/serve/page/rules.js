// The rules: a chart for each that rolls back, a row for each that alerts, and those that are off.

import {badge} from "./badge.js";
import {createChart, marksSay} from "./chart.js";
import {byId, each, make, say} from "./dom.js";
import {alertRules, rollbackRules} from "./judgement.js";
import {amount, counted, limitOf} from "./words.js";

const kept = 30 * 60 * 1000;  // milliseconds of each trace

/** The traces go on between two readings of them: each rule's value, every so many seconds, as long as the agent is heard. */
export function goOn(traces, rules, now) {
  if (now - (traces.newest ?? 0) < traces.every * 1000) return;
  traces.newest = now;
  for (const [name, trace] of Object.entries(traces.rules)) {
    const rule = rules.find((one) => one.rule === name);
    const last = trace.points.at(-1)?.[0] ?? 0;
    if (now > last) trace.points.push([now, rule?.value ?? null]);
    trace.points = trace.points.filter(([at]) => at > now - kept);
  }
}

function createCard(name) {
  const verdict = badge();
  const [value, limit, says] = [make("strong"), make("span", {class: "quiet"}), make("p", {class: "says"})];
  const [way, marks] = [make("p", {class: "way"}), make("p", {class: "marks quiet"})];
  const chart = createChart();
  const element = make("article", {class: "card rule", "aria-label": name},
    make("header", {}, make("h3", {}, name), verdict.element), make("p", {class: "against"}, value, limit), ...chart.elements, marks, says, way);
  element.dataset.rule = name;
  return {
    element,
    show({rule, trace, marks: all, now}) {
      element.dataset.is = rule.verdict;
      verdict.show(rule.verdict);
      say(value, amount(rule.value, rule.unit));
      say(limit, limitOf(rule) && `limit ${limitOf(rule)}`);
      say(says, rule.says);
      say(way, rule.in_the_way ?? "");
      const recent = all.filter((mark) => mark.at > now - kept);
      say(marks, marksSay(recent, now));
      for (const part of chart.elements) part.hidden = !trace;
      if (trace) chart.show({...trace, rule: rule.rule, marks: recent});
    },
  };
}

function createRow(name) {
  const verdict = badge();
  const says = make("td", {class: "says"});
  const element = make("tr", {}, make("th", {scope: "row"}, verdict.element, make("span", {class: "row-name"}, name)), says);
  return {
    element,
    show(rule) {
      element.dataset.is = rule.verdict;
      verdict.show(rule.verdict);
      say(says, rule.says);
    },
  };
}

function createOff() {
  const element = make("li");
  return {element, show: (rule) => say(element, `${rule.rule}: ${rule.says}`)};
}

export function showRules(seen) {
  const now = seen.now();
  const cards = rollbackRules(seen.rules).map((rule) => ({rule, trace: seen.traces.rules[rule.rule], marks: seen.traces.marks, now}));
  each(byId("charts"), cards, (card) => card.rule.rule, createCard);
  const alerts = alertRules(seen.rules);
  const [well, sick] = [alerts.filter((rule) => rule.verdict === "ok"), alerts.filter((rule) => rule.verdict !== "ok")];
  const off = seen.rules.filter((rule) => rule.verdict === "off");
  for (const [id, some] of [["alerts-table", sick], ["well", well], ["off", off]]) byId(id).hidden = some.length === 0;
  each(byId("alerts"), sick, (rule) => rule.rule, createRow);
  each(byId("well-rules"), well, (rule) => rule.rule, createRow);
  say(byId("well-title"), `${counted(well.length, "rule")} ok`);
  say(byId("off-title"), `${counted(off.length, "rule")} off`);
  each(byId("off-rules"), off, (rule) => rule.rule, createOff);
}
