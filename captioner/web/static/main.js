// The page: files come in, cards come out; and which of its two views is shown.

import { ask, download } from "./api.js";
import { save, tell } from "./elements.js";
import { startLibrary } from "./library.js";
import { ResultCard } from "./results.js";

const AT_ONCE = 2; // requests; the server has as many workers
const ACCEPTED = "image/*,video/*,.heic,.heif,.avif,.jxl,.dng,.nef,.cr2,.cr3,.arw,.raf,.orf,.rw2,.mkv,.ts,.mts";
const element = (id) => document.getElementById(id);

const settings = await (await ask("/api/settings")).json();
const cards = new Set();
const queue = [];
let running = 0;

element("about").textContent = `${settings.preset}, on this server alone. Captions are guesses: do not rely on them where a wrong word does harm.`;
element("files").accept = ACCEPTED;
if (settings.task === "activity") element("every-option").hidden = true;

function add(files) {
  for (const file of [...files].slice(0, 1000)) {
    const card = new ResultCard(file, { changed: count, removed: () => { cards.delete(card); count(); } });
    cards.add(card);
    element("results").append(card.element);
    queue.push(card);
  }
  if (files.length) tell(files.length === 1 ? "Describing one file" : `Describing ${files.length} files`);
  count();
  work();
}

async function work() {
  while (running < AT_ONCE && queue.length) {
    const card = queue.shift();
    if (!cards.has(card)) continue;
    running += 1;
    const fields = { num_captions: element("count").value };
    if (settings.task !== "activity") fields.every = element("every").value;
    const tooLarge = card.file.size > settings.most_bytes && `This file is larger than ${Math.round(settings.most_bytes / 1e6)} MB, the limit of this server.`;
    (tooLarge ? card.refuse(tooLarge) : card.run(fields)).finally(() => {
      running -= 1;
      work();
    });
  }
}

const described = () => [...cards].filter((card) => card.row);

function count() {
  const done = described().length;
  element("actions").hidden = !cards.size;
  element("tally").textContent = done < cards.size ? `${done} of ${cards.size} described` : `${done} described`;
  for (const button of element("actions").querySelectorAll("[data-format]")) button.disabled = !done;
}

for (const button of element("actions").querySelectorAll("[data-format]")) {
  button.addEventListener("click", async () => {
    const rows = described().map((card) => strip(card.row));
    try {
      save(...await download(button.dataset.format, rows));
    } catch (error) {
      tell(error.message);
    }
  });
}

element("clear").addEventListener("click", () => {
  for (const card of [...cards]) card.leave();
  element("files").focus();
  tell("Cleared");
});

// Maps and previews are for the page alone.
const strip = (value) => JSON.parse(JSON.stringify(value, (key, own) => (key === "attention" || key === "preview" ? undefined : own)));

element("files").addEventListener("change", () => {
  add(element("files").files);
  element("files").value = "";
});
element("drop").addEventListener("submit", (event) => event.preventDefault());
for (const name of ["dragover", "drop", "dragleave"]) {
  window.addEventListener(name, (event) => {
    const hasFiles = event.dataTransfer?.types.includes("Files");
    if (!hasFiles) return;
    event.preventDefault();
    document.body.classList.toggle("dragging", name === "dragover");
    if (name === "drop") {
      if (location.hash === "#library") location.hash = "describe";
      add(event.dataTransfer.files);
    }
  });
}
window.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) add(event.clipboardData.files);
});

function show(name) {
  for (const each of ["describe", "library"]) element(each).hidden = each !== name;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = name === "library" ? "Library – captioner" : "captioner";
}

if (settings.library) {
  document.querySelector("nav").hidden = false;
  const search = startLibrary();
  let opened = false;
  const follow = () => {
    const isLibrary = location.hash === "#library";
    show(isLibrary ? "library" : "describe");
    if (isLibrary && !opened) search();
    opened ||= isLibrary;
    if (document.activeElement?.closest("nav")) return; // which says itself what is current
    window.scrollTo(0, 0);
  };
  window.addEventListener("hashchange", follow);
  follow();
}
