// Words changed in place: a field with Save and Cancel in the place of what it changes.

import { make } from "./elements.js";

let count = 0;

// `save(text)` may return a promise, and may throw an Error, whose sentence is then shown. A text of
// null asks for the model's own words.
export function edit({ text, own, save, close }) {
  const id = `edit-${(count += 1)}`;
  const field = make("textarea", { id, rows: 2, maxlength: 2000 });
  field.value = text;
  const problem = make("p", { class: "error", role: "alert", hidden: true });
  const buttons = make("div", {},
    make("button", { type: "submit", class: "main" }, "Save"),
    make("button", { type: "button", onclick: close }, "Cancel"),
    own === undefined ? null : make("button", { type: "button", class: "quiet", onclick: () => keep(null) }, "Use the model's words"));
  const form = make("form", { class: "edit" }, make("label", { for: id, class: "faint" }, "Right caption"), field, problem, buttons);
  async function keep(words) {
    for (const button of buttons.children) button.disabled = true;
    try {
      await save(words);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      for (const button of buttons.children) button.disabled = false;
    }
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    keep(field.value.trim());
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key === "Enter" && !event.shiftKey && event.target === field) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  return { form, focus: () => { field.focus(); field.select(); } };
}
