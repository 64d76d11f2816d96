/** The configuration: write it, have it checked as it is written, try it, store it. */

import { get, poll, post } from "./api.js";
import { checker, located } from "./checker.js";
import { h, show } from "./dom.js";
import { drafts } from "./drafts.js";
import { editor } from "./editor.js";
import { tell } from "./notes.js";
import { previewPanel } from "./preview.js";
import { ask } from "./question.js";
import { action } from "./rights.js";
import { startCards, startTools, takeFiles } from "./templates.js";
import { runNow } from "./trigger.js";
import { versionList } from "./versions.js";

const OFTEN = 15;
const REPLACE = ["Replace the draft?", "The new text is so long that undo cannot help.", "Replace"];

const DRAFT = "the configuration";

export default async function open(main, { signal }) {
  const write = editor({
    label: "Configuration in YAML",
    describedBy: "verdict",
    oninput: written,
  });
  const check = checker(write, signal);
  const basis = h("p", { class: "hint" });
  const comment = h("input", { id: "comment", maxlength: 255, placeholder: "Why this version" });
  const upload = action("Upload", "admin", store, { class: "primary", id: "upload" });
  const preview = previewPanel(() => write.text, signal);
  const versions = versionList({ open: load, restored: begin, signal });
  let stored = await newest(signal);

  write.fill(drafts.get(DRAFT) ?? stored.yaml);
  takeFiles(write.element, put);
  show(main, page());
  tellBasis();
  check.soon();
  return poll(signal, async () => {
    tellBasis(await versions.refresh());
    return OFTEN;
  });

  function page() {
    const label = h("label", { for: "comment", class: "unseen" }, "Comment");
    const storing = h("div", { class: "storing" }, label, comment, upload, preview.button);
    const parts = [stored.version ? null : startCards(put), basis, write.element];
    const card = { class: "card", "aria-label": "Editor" };
    return [
      h("div", { class: "heading" }, h("h1", {}, "Configuration"), startTools(put)),
      h(
        "div",
        { class: "split" },
        h("section", card, parts, check.elements, storing),
        preview.element,
        versions.element,
      ),
    ];
  }

  function written(text) {
    if (text === stored.yaml) drafts.delete(DRAFT);
    else drafts.set(DRAFT, text);
    preview.outdate();
    tellBasis();
    check.soon();
  }

  async function store() {
    try {
      const json = { yaml: write.text, comment: comment.value };
      const done = await post("upload-config", { json });
      comment.value = "";
      if (write.text === json.yaml) begin(done);
      else rebase(done);
      tell(`Version ${done.version} is stored.${moved(done)} `, runNow());
    } catch (error) {
      check.refused(error);
      write.goTo(located(error.details[0]).line ?? 1);
    } finally {
      tellBasis(await versions.refresh());
    }
  }

  /** Show an earlier version; a draft can be had back by undo, or is asked for. */
  async function load(version) {
    await put((await get(`configs/${version}`, { signal })).yaml);
  }

  /** Put a text in place of the draft. */
  async function put(text) {
    if (!drafts.has(DRAFT) || write.canUndo(text) || (await ask(...REPLACE))) write.replace(text);
  }

  /** This is the newest version now. */
  function begin(version) {
    rebase(version);
    drafts.delete(DRAFT);
    if (write.text !== version.yaml) write.replace(version.yaml);
    check.soon();
  }

  /** The draft, which was written on meanwhile, is changed from this version. */
  function rebase(version) {
    stored = version;
    drafts.set(DRAFT, write.text);
    main.querySelector(".beginning")?.remove();
  }

  function isChanged() {
    return write.text !== stored.yaml;
  }

  function tellBasis(latest = stored.version) {
    upload.firstChild.textContent = `Upload as version ${Math.max(latest, stored.version) + 1}`;
    const overtaken = latest > stored.version ? ` Version ${latest} is there meanwhile.` : "";
    show(basis, standing(stored.version, isChanged()), overtaken);
  }
}

/** The newest version; version 0 is nothing at all. */
async function newest(signal) {
  const { configs } = await get("configs?limit=1", { signal });
  if (!configs.length) return { version: 0, yaml: "" };
  return get(`configs/${configs[0].version}`, { signal });
}

function standing(version, changed) {
  if (version) {
    return changed
      ? `Draft, not stored; changed from version ${version}.`
      : `Version ${version}, as it is stored.`;
  }
  return changed
    ? "A first draft, not stored yet."
    : "Start from a template, open a file, or write.";
}

function moved({ moved_secrets: names }) {
  if (!names.length) return "";
  return ` Secrets that were written out are in the secret store now: ${names.join(", ")}.`;
}
