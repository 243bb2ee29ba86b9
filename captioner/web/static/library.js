// The library: captions that are searched, and corrected in place.

import { ask, send } from "./api.js";
import { edit } from "./editing.js";
import { clock, make, tell } from "./elements.js";

const STEP = 60; // rows shown at once, and added by "Show more"
const PAUSE = 200; // milliseconds without a key before a search

export function startLibrary() {
  const query = document.getElementById("query");
  const rows = document.getElementById("rows");
  const found = document.getElementById("found");
  const more = document.getElementById("more");
  let [limit, timer, latest] = [STEP, null, 0];

  async function search() {
    const own = (latest += 1);
    let answer;
    try {
      answer = await (await ask(`/api/library?${new URLSearchParams({ query: query.value, limit })}`)).json();
    } catch (error) {
      found.textContent = error.message;
      tell(error.message);
      return;
    }
    if (own !== latest) return; // a later search has been asked for
    const shown = rows.children.length;
    const added = limit > STEP ? answer.rows.slice(shown) : answer.rows;
    if (limit === STEP) rows.replaceChildren();
    rows.append(...added.map(card));
    if (limit > STEP) rows.children[shown]?.querySelector("button").focus();
    more.hidden = !answer.more || limit >= 1000;
    const count = `${answer.more ? "more than " : ""}${answer.rows.length}`;
    found.textContent = answer.rows.length ? `${count} ${answer.rows.length === 1 ? "caption" : "captions"}` : "Nothing found: try fewer or other words.";
    tell(found.textContent);
  }

  const anew = () => {
    limit = STEP;
    search();
  };
  query.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(anew, PAUSE);
  });
  document.getElementById("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    anew();
  });
  more.addEventListener("click", () => {
    limit = Math.min(limit + STEP, 1000);
    search();
  });
  return anew;
}

function card(row) {
  const element = make("li", { class: "card" });
  const fill = () => {
    const slot = make("div", {}, make("p", { class: "caption" }, row.text));
    const change = make("button", { type: "button", "aria-label": `Correct: ${row.text}` }, "Correct");
    change.addEventListener("click", () => {
      const close = () => {
        slot.replaceChildren(make("p", { class: "caption" }, row.text));
        change.hidden = false;
        change.focus();
      };
      const save = async (text) => {
        Object.assign(row, { corrected: undefined }, await (await send(`/api/library/${row.id}`, "PUT", { path: row.path, text })).json());
        fill();
        element.querySelector(".tools button").focus();
        tell(`Saved: ${row.text}`);
      };
      const editor = edit({ text: row.text, own: row.corrected === undefined ? undefined : row.caption, save, close });
      slot.replaceChildren(editor.form);
      change.hidden = true;
      editor.focus();
    });
    const name = row.path.split("/").pop();
    const facts = [name, row.start === undefined ? null : `${clock(row.start)} to ${clock(row.end)}`, row.taken?.slice(0, 10)];
    const image = make("img", { src: row.image, alt: row.text, loading: "lazy" });
    image.addEventListener("error", () => { image.alt = `${row.text} (the file cannot be shown)`; });
    element.replaceChildren(image,
      make("div", { class: "body" }, slot,
        row.corrected === undefined ? null : make("p", { class: "mine" }, `Corrected; the model said “${row.caption}”`),
        make("p", { class: "name", title: row.path }, facts.filter(Boolean).join(" · ")),
        make("div", { class: "tools" }, change)));
  };
  fill();
  return element;
}
