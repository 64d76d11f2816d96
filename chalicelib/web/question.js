/** Questions and wide things in a dialog of the browser's own: it keeps the focus, Escape closes it. */

import { h } from "./dom.js";

/**
 * Whether the reader agrees.
 * @returns {Promise<boolean>}
 */
export function ask(title, text, agree) {
  return form(title, h("p", {}, text), agree);
}

/**
 * Whether the reader agrees to what they filled in, once it is ready. Enter agrees, Escape does not.
 * @returns {Promise<boolean>}
 */
export async function form(title, content, agree, isReady = () => true) {
  const yes = h("button", { value: "yes", class: "primary", disabled: !isReady() }, agree);
  const cancel = h(
    "button",
    { type: "button", onclick: () => cancel.closest("dialog").close("") },
    "Cancel",
  );
  const said = await opened(
    h(
      "form",
      { method: "dialog", oninput: () => (yes.disabled = !isReady()) },
      h("h2", { id: "question" }, title),
      content,
      h("div", { class: "actions" }, cancel, yes),
    ),
  );
  return said === "yes";
}

/** Show something until the reader closes it. */
export async function look(title, ...content) {
  const close = h("form", { method: "dialog" }, h("button", {}, "Close"));
  const head = h("header", {}, h("h2", { id: "question" }, title), close);
  await opened(h("div", { class: "wide" }, head, content));
}

function opened(content) {
  const dialog = h("dialog", { "aria-labelledby": "question" }, content);
  document.body.append(dialog);
  dialog.showModal();
  const gone = new AbortController();
  for (const event of ["hashchange", "signed-out"])
    // its view is no longer there
    window.addEventListener(event, () => dialog.close(""), { signal: gone.signal });
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      gone.abort();
      dialog.remove();
      resolve(dialog.returnValue);
    });
  });
}
