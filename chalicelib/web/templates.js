/** Where a configuration begins: a template, whose texts lie beside this module, or a file. */

import { fileText } from "./api.js";
import { h } from "./dom.js";
import { complain } from "./notes.js";
import { once } from "./rights.js";

const TEMPLATES = [
  ["files", "Files in S3", "CSV, JSON and text files below a prefix of a bucket"],
  ["api", "A JSON API", "Records of an API, page by page, what is new each time"],
  ["both", "Files and an API", "Both into one table"],
];

/**
 * A list of the templates and a button for a file.
 * @param {(text: string) => void} put what to do with the text
 */
export function startTools(put) {
  const choice = h(
    "select",
    { id: "template", "aria-label": "Start from a template" },
    h("option", { value: "" }, "Start from a template …"),
    TEMPLATES.map(([name, title]) => h("option", { value: name }, title)),
  );
  choice.addEventListener("change", () => {
    const name = choice.value;
    choice.value = "";
    if (name) once(choice, async () => put(await template(name)));
  });
  return h("div", { class: "actions" }, choice, fileButton(put));
}

/** The templates as large buttons, for somebody who begins. */
export function startCards(put) {
  const card = ([name, title, about]) => {
    const use = async () => put(await template(name));
    const label = [h("strong", {}, title), h("span", { class: "hint" }, about)];
    return h(
      "button",
      { type: "button", onclick: (event) => once(event.currentTarget, use) },
      label,
    );
  };
  return h(
    "div",
    { class: "beginning" },
    h("h2", {}, "Where do your rows come from?"),
    h("div", { class: "choices" }, TEMPLATES.map(card)),
  );
}

/** A file that is dropped on the element is opened as one that was chosen. */
export function takeFiles(element, put) {
  const take = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    openFirst(event.dataTransfer.files, put).catch(complain);
  };
  element.addEventListener("dragover", take);
  element.addEventListener("drop", take);
}

async function openFirst([file], put) {
  if (file) await put(await file.text());
}

function fileButton(put) {
  const field = h("input", {
    type: "file",
    accept: ".yaml,.yml,.txt",
    hidden: true,
    "aria-label": "YAML file",
  });
  field.addEventListener("change", () => {
    openFirst(field.files, put).catch(complain);
    field.value = "";
  });
  return [field, h("button", { type: "button", onclick: () => field.click() }, "Open a file …")];
}

function template(name) {
  return fileText(new URL(`template-${name}.yaml`, import.meta.url));
}
