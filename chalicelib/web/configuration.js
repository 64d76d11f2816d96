/** The configuration: write it, have it checked as it is written, try it, store it. */

import { get, poll, post, Refused } from "./api.js";
import { h, show } from "./dom.js";
import { editor } from "./editor.js";
import { count } from "./format.js";
import { complain, tell } from "./notes.js";
import { previewPanel } from "./preview.js";
import { action } from "./rights.js";
import { template, TEMPLATES } from "./templates.js";
import { runNow } from "./trigger.js";
import { versionList } from "./versions.js";

const PAUSE = 400;
const OFTEN = 15;
const NAMES_A_LINE = /^line (\d+): (.*)$/s;

/** What was being written when the reader went to another view; gone when the tab is. */
let draft = null;

export default async function open(main, { signal }) {
  const write = editor({ label: "Configuration in YAML", describedBy: "verdict", oninput: written });
  const verdict = h("div", { id: "verdict", class: "verdict", role: "status" });
  const mistakes = h("ol", { class: "mistakes" });
  const basis = h("p", { class: "hint", id: "basis" });
  const comment = h("input", { id: "comment", maxlength: 255, placeholder: "Why this version" });
  const upload = action("Upload", "admin", store, { class: "primary", id: "upload" });
  const preview = previewPanel(() => write.text, signal);
  const versions = versionList({ open: load, restored, signal });
  let stored = { version: 0, yaml: "" };
  let checking = new AbortController(), timer;

  const { configs } = await get("configs?limit=1", { signal });
  if (configs.length) stored = await get(`configs/${configs[0].version}`, { signal });
  write.fill(draft ?? stored.yaml);
  show(main, h("div", { class: "heading" }, h("h1", {}, "Configuration"), tools()),
    h("div", { class: "split" },
      h("section", { class: "card", "aria-label": "Editor" }, configs.length ? null : beginning(), basis, write.element,
        verdict, mistakes, storing()),
      preview.element, versions.element));
  signal.addEventListener("abort", () => { checking.abort(); clearTimeout(timer); });
  window.addEventListener("beforeunload", (event) => isChanged() && event.preventDefault(), { signal });
  tellBasis();
  if (write.text) check();
  return poll(signal, async () => { tellBasis(await versions.refresh()); return OFTEN; });

  function tools() {
    const choice = h("select", { id: "template", "aria-label": "Start from a template", onchange: () => use(choice) },
      h("option", { value: "" }, "Start from a template …"), TEMPLATES.map(({ name, title }) => h("option", { value: name }, title)));
    const file = h("input", { type: "file", id: "file", accept: ".yaml,.yml,.txt", class: "unseen", tabindex: -1, "aria-label": "YAML file", onchange: () => drop(file) });
    return h("div", { class: "actions" }, choice, file,
      h("button", { type: "button", onclick: () => file.click() }, "Open a file …"));
  }

  function storing() {
    return h("div", { class: "storing" },
      h("label", { for: "comment", class: "unseen" }, "Comment"), comment, upload, preview.button);
  }

  function beginning() {
    return h("div", { class: "beginning" }, h("h2", {}, "Where do your rows come from?"),
      h("div", { class: "choices" }, TEMPLATES.map(({ name, title, about }) =>
        h("button", { type: "button", onclick: () => use({ value: name }) }, h("strong", {}, title), h("span", { class: "hint" }, about)))));
  }

  async function use(choice) {
    if (choice.value) write.replace(await template(choice.value));
    choice.value = "";
  }

  async function drop(file) {
    if (file.files[0]) write.replace(await file.files[0].text());
    file.value = "";
  }

  function written(text) {
    draft = text === stored.yaml ? null : text;
    tellBasis();
    clearTimeout(timer);
    timer = setTimeout(() => check().catch(complain), PAUSE);
  }

  async function check() {
    checking.abort();
    checking = new AbortController();
    const { signal: asked } = checking;
    if (!write.text.trim()) return judge("", []);
    try {
      const { warnings } = await post("validate-config", { yaml: write.text, signal: asked });
      return judge("good", [], warnings);
    } catch (error) {
      return asked.aborted ? undefined : judgeRefusal(error);
    }
  }

  function judgeRefusal(error) {
    if (error.code !== "invalid_configuration") throw error;
    return judge("problem", error.details);
  }

  function judge(kind, problems, warnings = []) {
    const listed = problems.map(located);
    write.mark(listed.map(({ line }) => line).filter(Boolean));
    show(verdict, kind && h("p", { class: kind }, kind === "good" ? "✓ No mistakes" : `✕ ${count(problems.length, "mistake")}`));
    show(mistakes, listed.map(mistake), warnings.map((text) => h("li", { class: "warning" }, `Warning: ${text}`)));
  }

  function mistake({ line, text }) {
    if (!line) return h("li", {}, text);
    return h("li", {}, h("button", { type: "button", class: "quiet small", onclick: () => write.goTo(line) }, `Line ${line}`), " ", text);
  }

  async function store() {
    try {
      const done = await post("upload-config", { json: { yaml: write.text, comment: comment.value } });
      const moved = done.moved_secrets.length
        ? ` Secrets that were written out are in the secret store now: ${done.moved_secrets.join(", ")}.` : "";
      comment.value = "";
      begin(done);
      tell(`Version ${done.version} is stored.${moved} `, runNow());
      await check();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      judgeRefusal(error);
      write.goTo(located(error.details[0]).line ?? 1);
    } finally {
      tellBasis(await versions.refresh());
    }
  }

  /** Show an earlier version; what was being written can be had back by undo. */
  async function load(version) {
    const { yaml } = await get(`configs/${version}`, { signal });
    write.replace(yaml);
  }

  function restored(version) {
    begin(version);
    check();
  }

  function begin(version) {
    stored = version;
    draft = null;
    main.querySelector(".beginning")?.remove();
    if (write.text !== version.yaml) write.replace(version.yaml);
    tellBasis();
  }

  function isChanged() {
    return write.text !== stored.yaml;
  }

  function tellBasis(newest = stored.version) {
    upload.firstChild.textContent = `Upload as version ${Math.max(newest, stored.version) + 1}`;
    const overtaken = newest > stored.version ? ` Version ${newest} is there meanwhile.` : "";
    show(basis, standing(), overtaken);
  }

  function standing() {
    if (!stored.version) return isChanged() ? "A first draft, not stored yet." : "Start from a template, open a file, or write.";
    return isChanged() ? `Draft, not stored; changed from version ${stored.version}.` : `Version ${stored.version}, as it is stored.`;
  }
}

/** A mistake as the service tells it: `line 14: sources[1].auth.type: …`. */
function located(detail) {
  const [, line, text] = detail.match(NAMES_A_LINE) ?? [];
  return line ? { line: Number(line), text } : { line: null, text: detail };
}
