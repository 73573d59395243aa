// What happened: the newest lines of the operations' log.

import {byId, each, make} from "./dom.js";
import {icon} from "./icons.js";
import {atTime} from "./words.js";

const mostListed = 15;
const shapes = {critical: "breached", error: "breached", warning: "pending"};

function createLine(event, seen) {
  const at = Date.parse(event.time);
  const shape = shapes[event.severity];
  const element = make("li", {"data-severity": event.severity}, make("time", {datetime: event.time}, atTime(at, seen.now())),
    make("span", {class: "severity"}, shape && icon(shape), shape && make("span", {class: "hidden"}, `${event.severity}: `)),
    make("span", {class: "says"}, event.says));
  return {element, show() {}};
}

export function showLog(seen) {
  const some = seen.log.slice(-mostListed).reverse().map((event) => ({event, key: `${event.time} ${event.kind} ${event.says}`}));
  const lines = new Map(some.map((one) => [one.key, one.event]));
  each(byId("log"), [...lines.keys()], (key) => key, (key) => createLine(lines.get(key), seen));
}
