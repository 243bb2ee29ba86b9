// What was said about one file: a card with its image or clip and its captions.

import { clear, draw, place } from "./attention.js";
import { describe, download } from "./api.js";
import { edit } from "./editing.js";
import { clock, make, save, tell } from "./elements.js";
import { captionElement } from "./words.js";

// `changed()` is called when the row is there or has other words, `removed()` when the card goes.
export class ResultCard {
  constructor(file, { changed, removed }) {
    this.file = file;
    this.row = null;
    this.address = URL.createObjectURL(file);
    this.changed = changed;
    this.canvas = make("canvas", { "aria-hidden": "true" });
    this.media = make("div", { class: "media" });
    this.body = make("div", { class: "body" });
    this.heading = make("h2", {}, file.name || "Pasted image");
    this.element = make("li", { class: "card result", "aria-busy": "true" }, this.media, this.body);
    this.leave = () => {
      URL.revokeObjectURL(this.address);
      this.element.remove();
      removed();
    };
    this.showMedia(file.type.startsWith("video/"));
    this.body.append(this.heading, make("p", { class: "waiting" }, "Looking at it …"));
  }

  async run(fields) {
    try {
      this.finish(await describe(this.file, { ...fields, attention: true, preview: !shownByBrowsers(this.file) }));
    } catch (error) {
      this.finish({ path: this.file.name, error: error.message });
    }
  }

  finish(row) {
    this.row = row;
    this.element.setAttribute("aria-busy", "false");
    this.render();
    if (row.error && !this.shown) this.media.hidden = this.text === undefined && !row.segments;
    const parts = this.row.segments;
    const said = parts?.length ? `${parts.length} captions` : this.text ?? this.row.error;
    tell(`${this.heading.textContent}: ${said}`);
    this.changed();
  }

  async refuse(reason) {
    this.finish({ path: this.file.name, error: reason });
  }

  get text() {
    return this.row.caption ?? this.row.label;
  }

  render() {
    const { row } = this;
    if (row.preview) this.replaceMedia(make("img", { src: row.preview, alt: this.text ?? "" }));
    if (this.shown?.tagName === "IMG") this.shown.alt = this.text ?? row.segments?.[0]?.caption ?? "";
    this.where = make("p", { class: "where" });
    this.body.replaceChildren(this.heading);
    if (row.segments) this.body.append(this.shots());
    else if (this.text !== undefined) this.body.append(...this.sentences());
    if (row.error) this.body.append(make("p", { class: "error" }, row.error));
    if (row.partial) this.body.append(make("p", { class: "faint" }, "The file ends early: its upper part is described."));
    const attends = (row.segments ?? [row]).some((part) => part.attention ?? part.captions?.[0].attention);
    if (attends) {
      this.hint = `${matchMedia("(hover: hover)").matches ? "Point at" : "Tap"} a word to see where the model looked.`;
      this.where.textContent = this.hint;
      this.body.append(this.where);
    }
    this.body.append(this.tools());
  }

  // Of an image: the best sentence large, the others below it.
  sentences() {
    const { row } = this;
    const [best, ...others] = row.captions ?? row.labels ?? [row];
    const slot = make("div", {}, this.caption(this.text, best.attention));
    this.slot = slot;
    const parts = [slot, sureness(best)];
    if (others.length) {
      const list = make("ul", { class: "others", "aria-label": "Further captions" });
      for (const other of others) list.append(make("li", { class: "other" }, this.caption(said(other), other.attention)));
      parts.push(list);
    }
    return parts.filter(Boolean);
  }

  // Of a clip: a row for each shot, with its time.
  shots() {
    const list = make("ol", { class: "shots", "aria-label": "Shots" });
    this.rows = this.row.segments.map((part) => {
      const time = make("button", { type: "button", class: "time", "aria-label": `Play from ${clock(part.start)}`,
        onclick: () => this.play(part.start) }, clock(part.start));
      const slot = make("div", {}, this.caption(part.caption, (part.captions?.[0] ?? part).attention));
      const change = make("button", { type: "button", class: "quiet time", "aria-label": `Correct: ${part.caption}` }, "Edit");
      change.addEventListener("click", () => this.editWords(slot, part, change));
      const item = make("li", { class: "shot" }, time, make("div", {}, slot, this.further(part)), change);
      list.append(item);
      return item;
    });
    return list;
  }

  // The other sentences about a shot, folded away.
  further(part) {
    const [, ...others] = part.captions ?? [];
    if (!others.length) return null;
    const list = make("ul", { class: "folded" });
    for (const other of others) list.append(make("li", {}, this.caption(other.caption, other.attention)));
    return make("details", {}, make("summary", {}, `${others.length} more`), list);
  }

  caption(text, attention) {
    return captionElement(text, attention, (entry, asked) => this.look(entry, asked));
  }

  // Draws where the model looked; of a clip, in the frame that it looked at most.
  async look(entry, asked) {
    this.looking = entry;
    if (!entry) {
      clear(this.canvas);
      this.where.textContent = this.hint;
      return;
    }
    const video = this.shown?.tagName === "VIDEO" ? this.shown : null;
    const at = entry.at === undefined ? "" : ` at ${clock(entry.at)}`;
    this.where.textContent = `“${entry.word}”: it looked mostly at ${place(entry.map)}${at}.`;
    if (video && !video.paused) {
      if (!asked) return; // a clip that plays is not stopped in passing
      video.pause();
    }
    if (video && Math.abs(video.currentTime - entry.at) > 0.05) {
      video.currentTime = entry.at;
      await new Promise((done) => video.addEventListener("seeked", done, { once: true }));
      if (this.looking !== entry) return;
    }
    if (this.shown) draw(this.canvas, entry.map);
  }

  play(second) {
    if (this.shown?.tagName !== "VIDEO") return;
    clear(this.canvas);
    this.shown.currentTime = second;
    this.shown.play();
  }

  tools() {
    const { row } = this;
    const tools = make("div", { class: "tools" });
    const button = (name, act, label) => tools.append(make("button", { type: "button", onclick: act, "aria-label": label }, name));
    const name = this.heading.textContent;
    if (row.segments?.length) {
      button("Subtitles (VTT)", () => this.take("vtt"), `Subtitles of ${name} (VTT)`);
      button("SRT", () => this.take("srt"), `Subtitles of ${name} (SRT)`);
      this.addTrack();
    } else if (this.text !== undefined) {
      const copy = make("button", { type: "button", "aria-label": `Copy the caption of ${name}` }, "Copy");
      copy.addEventListener("click", () => this.copy(copy));
      const change = make("button", { type: "button", "aria-label": `Edit the caption of ${name}` }, "Edit");
      change.addEventListener("click", () => this.editWords(this.slot, row, change));
      tools.append(copy, change);
    }
    tools.append(make("button", { type: "button", class: "quiet", onclick: this.leave, "aria-label": `Remove ${name}` }, "Remove"));
    return tools;
  }

  async take(format) {
    try {
      const [blob, name] = await download(format, [this.row]);
      save(blob, name);
    } catch (error) {
      tell(error.message);
    }
  }

  async copy(button) {
    if (navigator.clipboard) await navigator.clipboard.writeText(this.text);
    else { // over http browsers have none, but on this machine
      const field = make("textarea");
      field.value = this.text;
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.textContent = "Copied";
    tell("Copied");
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  // The words of a table or archive that is downloaded later are the changed ones.
  editWords(slot, target, button) {
    const attention = (target.captions?.[0] ?? target).attention;
    const close = () => {
      slot.replaceChildren(this.caption(said(target), attention));
      button.hidden = false;
      button.focus();
    };
    const keep = (text) => {
      if (!text) throw new Error("Give some words.");
      for (const each of [target, target.captions?.[0], target.labels?.[0]]) {
        if (each) each["label" in each ? "label" : "caption"] = text;
      }
      close();
      if (this.row.segments) this.addTrack();
      this.changed();
      tell("Saved");
    };
    const editor = edit({ text: said(target), save: keep, close });
    button.hidden = true;
    slot.replaceChildren(editor.form);
    editor.focus();
  }

  // The clip's own player shows the captions in time.
  async addTrack() {
    if (this.shown?.tagName !== "VIDEO") return;
    const [blob] = await download("vtt", [this.row]);
    const track = make("track", { kind: "captions", label: "captioner", srclang: "en", default: true, src: URL.createObjectURL(blob) });
    for (const old of this.shown.querySelectorAll("track")) {
      URL.revokeObjectURL(old.src);
      old.remove();
    }
    this.shown.append(track);
    track.track.mode = "showing";
  }

  showMedia(isVideo) {
    if (!isVideo) {
      this.replaceMedia(make("img", { src: this.address, alt: this.heading.textContent }));
      return;
    }
    const video = make("video", { src: this.address, controls: true, muted: true, playsinline: true, preload: "auto", "aria-label": this.heading.textContent });
    video.addEventListener("play", () => clear(this.canvas));
    video.addEventListener("timeupdate", () => this.mark(video.currentTime));
    this.replaceMedia(video);
  }

  replaceMedia(element) {
    this.shown = element;
    element.addEventListener("error", () => {
      this.shown = null;
      this.media.hidden = Boolean(this.row?.error);
      this.media.replaceChildren(make("p", { class: "nothing" }, "Your browser cannot show this format."));
    });
    const frame = make("div", { class: "frame" }, element, this.canvas);
    // As wide as the card, unless it would then be too tall; the canvas has its very size.
    const fit = () => {
      const ratio = (element.videoWidth || element.naturalWidth) / (element.videoHeight || element.naturalHeight);
      if (ratio) frame.style.width = `min(100%, calc(${ratio} * var(--tallest)))`;
    };
    element.addEventListener("load", fit);
    element.addEventListener("loadedmetadata", fit);
    this.media.replaceChildren(frame);
  }

  mark(second) {
    this.row?.segments?.forEach((part, index) => {
      this.rows[index].classList.toggle("now", part.start <= second && second < part.end);
    });
  }
}

const said = (part) => part.caption ?? part.label;

const shownByBrowsers = (file) =>
  file.type.startsWith("video/") || /^image\/(jpeg|png|gif|webp|avif|apng|bmp|svg\+xml)$/.test(file.type);

function sureness(part) {
  const share = part.confidence ?? part.probability;
  if (share === undefined) return null;
  const name = part.confidence === undefined ? "probability" : "confidence";
  const percent = `${Math.round(100 * share)} %`;
  return make("p", { class: "sure" }, make("meter", { value: share, min: 0, max: 1, "aria-label": name }, percent), `${percent} ${name}`);
}
