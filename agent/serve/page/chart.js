// One rule's value against its threshold, over the last half hour or around an incident, with a line at each cutover, rollback and hold.
// Drawn by uPlot.

import {make, say} from "./dom.js";
import {amount, atTime} from "./words.js";

const height = 112;
const shortest = 5 * 60;  // seconds that are shown at least, so that a few points are no block
const shortestAround = 60;  // of what is over
const dot = 5;  // pixels

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** How each kind of mark is drawn, so that they are told apart without a colour; their words stand beneath the chart. */
const dashes = {cutover: [], rollback: [6, 3], "rolled back": [6, 3], hold: [2, 3], unhold: [2, 3]};

function line(context, from, to, stroke, dash, width) {
  context.save();
  context.strokeStyle = stroke;
  context.lineWidth = width * devicePixelRatio;
  context.setLineDash(dash.map((length) => length * devicePixelRatio));
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
  context.restore();
}

/** A flag at a mark's top: to the right for what went on, to the left for what went back. */
function flag(context, x, top, side) {
  const size = 4 * devicePixelRatio;
  context.fillStyle = colour("--ink");
  context.beginPath();
  context.moveTo(x + side * size * 1.4, top + size);
  context.lineTo(x, top);
  context.lineTo(x, top + 2 * size);
  context.fill();
}

/** What is drawn beneath the curve: the threshold, and the marks. */
function drawGround(u, trace) {
  const {left, top, width: wide, height: high} = u.bbox;
  if (trace.threshold !== null) {
    const y = Math.round(u.valToPos(trace.threshold, "y", true));
    line(u.ctx, [left, y], [left + wide, y], colour("--limit"), [5, 4], 1.25);
  }
  for (const mark of trace.marks) {
    const x = Math.round(u.valToPos(mark.at / 1000, "x", true));
    if (x < left || x > left + wide) continue;
    const goesBack = mark.kind.startsWith("roll");
    line(u.ctx, [x, top], [x, top + high], colour("--ink"), dashes[mark.kind] ?? [1, 2], goesBack ? 2 : 1.25);
    flag(u.ctx, x, top, goesBack ? -1 : 1);
  }
}

/** What goes on ends at the chart's right side; what is over has room on both. */
function spanOf(trace, low, high) {
  if (!trace.when) return [Math.min(low ?? high, high - shortest), high];
  const room = Math.max(shortestAround - (high - low), 0) / 2 + (high - low) / 50;
  return [low - room, high + room];
}

/** The ends of all stretches between gaps whose line would be too short to be seen: those are drawn as dots. */
function tooShort(u) {
  const [times, values] = u.data;
  const has = (index) => (values[index] ?? null) !== null;
  const at = (index) => u.valToPos(times[index], "x");
  const ends = [];
  let first = 0;
  values.forEach((_, index) => {
    if (!has(index - 1)) first = index;
    if (has(index) && !has(index + 1) && at(index) - at(first) < dot) ends.push(index);
  });
  return ends;
}

/** The marks in words, as they stand beneath a chart. */
export const marksSay = (marks, now) => marks.map((mark) => `${mark.kind} ${atTime(mark.at, now)}`).join(" · ");

function optionsFor(trace, width, read) {
  const axis = {stroke: colour("--soft"), grid: {show: false}, ticks: {show: false}, font: "11px system-ui, sans-serif"};
  return {
    width, height, legend: {show: false}, padding: trace.when ? [6, 24, 0, 24] : [6, 8, 0, 8],
    cursor: {y: false, drag: {x: false, y: false}, points: {size: 6}},
    scales: {
      x: {range: (u, low, high) => spanOf(trace, low, high)},
      y: {range: (u, low, high) => [Math.min(0, low ?? 0), Math.max(high ?? 0, trace.threshold ?? 0) * 1.18 || 1]},
    },
    axes: [
      {...axis, size: 22, space: 64, values: (u, splits, _, room, step) => splits.map((at) => atTime(at * 1000, at * 1000).slice(0, step < 60 ? 8 : 5))},
      {show: false},
    ],
    series: [{}, {stroke: colour("--curve"), fill: trace.threshold > 0 ? colour("--curve-wash") : null, width: 1.5, spanGaps: false,
      points: {show: false, filter: tooShort, size: dot, fill: colour("--curve")}}],
    hooks: {drawAxes: [(u) => drawGround(u, trace)], setCursor: [(u) => read(u.cursor.idx)]},
  };
}

const shown = new Set();  // of all charts that are on the page: what draws each anew
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown.forEach((rebuild) => rebuild()));

/** A chart that draws the newest trace it was shown, as wide as there is room, in the colours that hold now. */
export function createChart() {
  const box = make("div", {class: "chart", role: "img"});
  const readout = make("p", {class: "readout quiet"});
  let plot = null;
  let trace = null;
  let dataOf = null;

  const read = (index) => {
    const [at, value] = index === null || index === undefined || !trace ? [] : [dataOf[0][index], dataOf[1][index]];
    say(readout, at === undefined ? summary(trace) : `${atTime(at * 1000, at * 1000)}: ${amount(value, trace.unit)}`);
  };
  const rebuild = () => {
    plot?.destroy();
    plot = null;
    if (trace && box.clientWidth > 0) plot = new uPlot(optionsFor(trace, box.clientWidth, read), dataOf, box);
  };
  new ResizeObserver(() => {
    if (box.isConnected) shown.add(rebuild);
    else shown.delete(rebuild);
    if (!plot || plot.width !== box.clientWidth) rebuild();
  }).observe(box);

  return {
    elements: [box, readout],
    show(newest) {
      if (plot && trace.points === newest.points && trace.marks.length === newest.marks.length) return;
      trace = Object.assign(trace ?? {}, newest);
      dataOf = [trace.points.map(([at]) => at / 1000), trace.points.map(([, value]) => value)];
      if (plot) plot.setData(dataOf);
      else rebuild();
      box.setAttribute("aria-label", `${trace.rule} ${trace.when ?? "over the last half hour"}. ${summary(trace)}`);
      read(plot?.cursor.idx);
    },
  };
}

function summary(trace) {
  if (!trace) return "";
  const values = trace.points.map(([, value]) => value).filter((value) => value !== null);
  return values.length ? `lowest ${amount(Math.min(...values), trace.unit)}, highest ${amount(Math.max(...values), trace.unit)}` : "no value was seen";
}
