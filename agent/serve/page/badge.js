// A verdict or an outcome, as a shape and a word.

import {make, say} from "./dom.js";
import {icon} from "./icons.js";

/** A verdict or an outcome: a shape and the word. */
export function badge() {
  const [shape, word] = [make("span"), make("span", {class: "word"})];
  const element = make("span", {class: "badge"}, shape, word);
  return {
    element,
    show(is) {
      if (element.dataset.is === is) return;
      element.dataset.is = is;
      shape.replaceChildren(icon(is));
      say(word, is);
    },
  };
}
