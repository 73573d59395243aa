"""What WCAG 2.2 asks of a text's contrast (1.4.3), as a script that a browser runs."""

# Each element that has text of its own and is shown: its colour against all that lies beneath it, mixed. The first 20 that are too faint.
TOO_FAINT = """
const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
const over = (top, low) => ({r: top.r * top.a + low.r * (1 - top.a), g: top.g * top.a + low.g * (1 - top.a), b: top.b * top.a + low.b * (1 - top.a), a: 1});
const linear = (c) => (c /= 255, c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const luminance = ({r, g, b}) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const ground = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((low, top) => over(top, low), {r: 255, g: 255, b: 255, a: 1});
};
const faint = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility({visibilityProperty: true}) || element.classList.contains("hidden") || element.disabled) continue;
  const style = getComputedStyle(element);
  const low = ground(element);
  const [one, other] = [luminance(over(parse(style.color), low)), luminance(low)];
  const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (isLarge ? 3 : 4.5)) faint.push([ratio.toFixed(2), style.color, element.outerHTML.slice(0, 120)]);
}
return faint.slice(0, 20);
"""
