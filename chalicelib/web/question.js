/** Questions and wide things in a dialog of the browser's own: it keeps the focus, Escape closes it. */

import { h } from "./dom.js";

/**
 * Whether the reader agrees.
 * @returns {Promise<boolean>}
 */
export function ask(title, text, agree) {
  const form = h("form", { method: "dialog" }, h("h2", { id: "question" }, title), h("p", {}, text),
    h("div", { class: "actions" },
      h("button", { value: "" }, "Cancel"), h("button", { value: "yes", class: "primary" }, agree)));
  return opened(form, "question").then((said) => said === "yes");
}

/** Show something until the reader closes it. */
export function look(title, ...content) {
  const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
  const head = h("header", {}, h("h2", { id: "question" }, title), close);
  return opened(h("div", { class: "wide" }, head, content), "question");
}

function opened(content, label) {
  const dialog = h("dialog", { "aria-labelledby": label }, content);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
