// What was sent to whom, and whether it arrived. An agent that has no such answer shows none of it.

import {badge} from "./badge.js";
import {byId, fill, make} from "./dom.js";
import {ago, atTime, counted} from "./words.js";

const mostListed = 20;
const worstFirst = {failing: 0, never: 1, ok: 2};

function withBadge(is, name, ...children) {
  const shape = badge();
  shape.show(is);
  return make("tr", {"data-is": is}, make("th", {scope: "row"}, shape.element, make("span", {class: "row-name"}, name)), make("td", {}, ...children));
}

function target(one, now) {
  const last = one.last ? `last arrived ${ago((now - Date.parse(one.last)) / 1000)}` : "";
  return withBadge(one.is, `${one.target} (${one.kind})`, make("span", {class: "says"}, one.says), make("span", {class: "quiet when"}, last));
}

function message(one, now) {
  const more = [`${atTime(Date.parse(one.at), now)} to ${one.target}`, one.tries > 1 ? counted(one.tries, "try", "tries") : "", one.says].filter(Boolean).join(", ");
  return withBadge(one.is, "", make("span", {class: "says"}, one.what), make("span", {class: "quiet when"}, more));
}

function table(caption, heads, rows) {
  const head = make("tr", {}, heads.map((text) => make("th", {scope: "col"}, text)));
  return make("table", {}, make("caption", {class: "label"}, caption), make("thead", {class: "hidden"}, head), make("tbody", {}, rows));
}

export function showTold(seen) {
  const told = seen.notifications;
  byId("told").hidden = !told;
  if (!told || byId("told-body").shown === told) return;
  byId("told-body").shown = told;
  const now = seen.now();
  const targets = [...told.targets].sort((one, other) => worstFirst[one.is] - worstFirst[other.is]);
  fill(byId("told-body"),
    told.off && make("p", {}, told.off),
    targets.length > 0 && table("To whom", ["Target", "Whether it arrives"], targets.map((one) => target(one, now))),
    told.messages.length > 0 && table("Messages", ["What became of it", "Message"], told.messages.slice(0, mostListed).map((one) => message(one, now))));
}
