// A caption as words, each of which shows where the model looked as it chose it.

import { make } from "./elements.js";

// `show(entry, asked)` is called with the word's attention, and whether it was asked for by a tap or
// key rather than in passing; `show(null)` once no word is looked at.
export function captionElement(text, attention, show) {
  if (!attention?.length) return make("p", { class: "caption" }, text);
  const words = attention.map((entry) => entry.word);
  const buttons = attention.map((entry, index) =>
    make("button", { type: "button", class: "word", tabindex: index ? -1 : 0, "aria-pressed": "false" }, entry.word));
  let pinned = null;
  const refresh = (index, asked = false) => {
    const shown = index ?? pinned;
    buttons.forEach((button, each) => button.setAttribute("aria-pressed", String(each === shown)));
    show(shown === null ? null : attention[shown], asked);
  };
  const unpin = () => {
    pinned = null;
    refresh(null);
  };
  buttons.forEach((button, index) => {
    button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && refresh(index));
    button.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && refresh(null));
    button.addEventListener("focus", () => button.matches(":focus-visible") && refresh(index));
    button.addEventListener("blur", unpin);
    button.addEventListener("click", () => {
      pinned = pinned === index ? null : index;
      refresh(pinned, pinned !== null);
    });
    button.addEventListener("keydown", (event) => {
      const last = buttons.length - 1;
      const next = { ArrowRight: Math.min(index + 1, last), ArrowLeft: Math.max(index - 1, 0), Home: 0, End: last }[event.key];
      if (event.key === "Escape") unpin();
      if (next === undefined) return;
      event.preventDefault();
      buttons.forEach((each, number) => each.setAttribute("tabindex", number === next ? 0 : -1));
      buttons[next].focus();
    });
  });
  const group = make("p", { class: "caption", role: "group", "aria-label": `${text}: its words, and where the model looked` });
  buttons.forEach((button, index) => group.append(index ? " " : "", button));
  if (plain(text) === plain(words.join(" "))) return group;
  // The text was worded differently, or changed by hand.
  return make("div", {}, make("p", { class: "caption" }, text), make("div", { class: "other" }, group));
}

const plain = (text) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
