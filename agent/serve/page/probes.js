// The probes and what they saw last: the sick first.

import {badge} from "./badge.js";
import {byId, each, make, say} from "./dom.js";
import {ago, took} from "./words.js";

const worstFirst = {fail: 0, unknown: 1, pass: 2};

function createRow(name) {
  const outcome = badge();
  const [says, when] = [make("span", {class: "says"}), make("span", {class: "quiet when"})];
  const element = make("tr", {}, make("th", {scope: "row"}, outcome.element, make("span", {class: "row-name"}, name)), make("td", {}, says, when));
  return {
    element,
    show({probe, now}) {
      element.dataset.is = probe.is;
      outcome.show(probe.is);
      say(says, probe.says);
      const parts = [probe.at && ago((now - Date.parse(probe.at)) / 1000), typeof probe.seconds === "number" && took(probe.seconds)];
      say(when, parts.filter(Boolean).join(", "));
    },
  };
}

export function showProbes(seen) {
  const now = seen.now();
  const all = seen.probes.map((probe) => ({probe, now})).sort((one, other) => worstFirst[one.probe.is] - worstFirst[other.probe.is]);
  each(byId("probes"), all, ({probe}) => probe.probe, createRow);
}
