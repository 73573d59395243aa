// The page's one dialog: what will happen, what it needs, and what the agent said.

import {byId, fill, make, withCommands} from "./dom.js";

let count = 0;

/** One line of a form. `field`: {name, label, type: text | password | check | choice, required?, value?, choices?, hint?}. */
function input(field) {
  const id = `field-${++count}`;
  if (field.type === "check") {
    return make("label", {class: "check", for: id}, make("input", {type: "checkbox", id, name: field.name}), make("span", {}, withCommands(field.label)));
  }
  const control = field.type === "choice"
    ? make("select", {id, name: field.name}, field.choices.map(([value, text]) => make("option", {value, selected: value === field.value}, text)))
    : make("input", {id, name: field.name, type: field.type, required: field.required, maxlength: 4096, autocomplete: "off", spellcheck: "false",
      "aria-describedby": field.hint ? `${id}-hint` : null});
  if (field.type !== "choice") control.value = field.value ?? "";
  return make("p", {class: "field"}, make("label", {for: id}, field.label), control, field.hint && make("span", {class: "quiet", id: `${id}-hint`}, field.hint));
}

/** What need not be given, and is not, is not sent. */
function valuesOf(form) {
  const values = {};
  for (const control of form.querySelectorAll("input, select")) {
    const text = control.value.trim();
    if (control.type === "checkbox") {
      if (control.checked) values[control.name] = true;
    } else if (text || control.required) values[control.name] = text;
  }
  return values;
}

/**
 * Opens the dialog: `title`, `happens` (sentences), `fields`, `confirm` (the button's words), `run(values)`, which does it, and whose refusal
 * is shown in the dialog, with all that was typed still there.
 */
export function confirm({title, happens, fields, confirm: words, isGrave, run}) {
  const dialog = byId("dialog");
  const problem = make("p", {class: "problem", role: "alert"});
  const go = make("button", {type: "submit", class: isGrave ? "grave" : "strong"}, words);
  const form = make("form", {method: "dialog"},
    make("h2", {id: "dialog-title"}, title), happens.map((sentence) => make("p", {}, withCommands(sentence))), fields.map(input), problem,
    make("div", {class: "actions"}, make("button", {type: "button", class: "plain", onclick: () => dialog.close()}, "Cancel"), go));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    fill(problem);
    try {
      await run(valuesOf(form));
      dialog.close();
    } catch (error) {
      fill(problem, withCommands(error.message));
    }
    go.disabled = false;
  });
  fill(dialog, form);
  dialog.showModal();
}
