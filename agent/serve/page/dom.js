// The page's one way to make and fill elements. Whatever comes from the agent is set as text, never as HTML.

// Characters that a screen obeys or shows nothing for: controls, marks that turn the direction of writing, separators, invisible ones.
// The agent writes them out in its text; the page does it in the same way.
const controls = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|[\u{e0000}-\u{e007f}]/gu;

function writtenOut(character) {
  const short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[character];
  if (short) return short;
  const number = character.codePointAt(0);
  if (number > 0xffff) return "\\U" + number.toString(16).padStart(8, "0");
  return number < 0x80 ? "\\x" + number.toString(16).padStart(2, "0") : "\\u" + number.toString(16).padStart(4, "0");
}

/** The text with every character written out that would not be seen as it is. */
export function visible(text) {
  return String(text ?? "").replace(controls, writtenOut);
}

/** An element with attributes and children; a child that is no node is text; null, false and "" are left out. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  fill(element, ...children);
  return element;
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(2).filter((child) => child !== null && child !== undefined && child !== false && child !== "")
    .map((child) => (child instanceof Node ? child : document.createTextNode(visible(child)))));
}

/** Sets an element's text, and leaves it alone where it says that already: a screen reader speaks of what changes. */
export function say(element, text) {
  const shown = visible(text);
  if (element.textContent !== shown) element.textContent = shown;
}

/** A sentence of the agent's, in which what stands in backquotes is a command. */
export function withCommands(text) {
  return String(text ?? "").split("`").map((part, index) => (index % 2 === 1 ? make("code", {}, part) : part));
}

/**
 * Makes the children of `parent` one for each item, in their order. What a key has already is kept and only shown anew, so that focus and
 * what a person has opened stay. `create(key)` gives {element, show(item)}.
 */
export function each(parent, items, keyOf, create) {
  parent.kept ??= new Map();
  const before = parent.kept;
  parent.kept = new Map();
  for (const item of items) {
    const key = keyOf(item);
    const one = before.get(key) ?? create(key);
    one.show(item);
    parent.kept.set(key, one);
  }
  const wanted = [...parent.kept.values()].map((one) => one.element);
  for (const child of [...parent.childNodes]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((element, index) => {
    if (parent.childNodes[index] !== element) parent.insertBefore(element, parent.childNodes[index] ?? null);
  });
}

export const byId = (id) => document.getElementById(id);
