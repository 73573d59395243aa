// Shapes that tell states apart without a colour. The word stands beside each of them.

const space = "http://www.w3.org/2000/svg";

const shapes = {
  ok: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "m8 12.5 2.7 2.7L16 9.5"],
  breached: ["M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3Z", "M12 7.5v5.5", "M12 16.5v.1"],
  pending: ["M12 3.5 21.5 20h-19Z", "M12 10v4.5", "M12 17v.1"],
  unknown: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M9.3 9.5a2.8 2.8 0 1 1 3.9 2.6c-.8.4-1.2.9-1.2 1.9", "M12 17v.1"],
  held: ["M5 4h14v16H5Z", "M10 8.5v7", "M14 8.5v7"],
  rolling: ["M4 12a8 8 0 1 0 2.6-5.9", "M4 4.5v4.6h4.6"],
};
Object.assign(shapes, {
  pass: shapes.ok, delivered: shapes.ok, fail: shapes.breached, failing: shapes.breached, failed: shapes.breached, dead: shapes.breached,
  doubt: shapes.pending, alert: shapes.pending, waiting: shapes.pending, back: shapes.rolling, never: shapes.unknown,
});

/** The shape of a state; one that has none is unknown. */
export function icon(state) {
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  for (const line of shapes[state] ?? shapes.unknown) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}

/** The same shape as a picture for the tab. */
export function tabIcon(state) {
  const colour = {ok: "%23238a57", back: "%23238a57", breached: "%23d0342c", rolling: "%23d0342c"}[state] ?? "%23b57a12";
  const lines = (shapes[state] ?? shapes.unknown).map((line) => `%3Cpath d='${line}'/%3E`).join("");
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='${colour}' stroke-width='3'%3E${lines}%3C/svg%3E`;
}
