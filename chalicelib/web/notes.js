/** Messages above the view: what was done, and what went wrong. */

import { h, show } from "./dom.js";

/** Say what was done. */
export function tell(...message) {
  note("done", message);
}

/** Say what went wrong; the note, which can be removed. */
export function complain(error) {
  if (error.name === "AbortError") return undefined;
  console.error(error);
  return note("problem", said(error));
}

/** The view changes: what was said is past. */
export function clearNotes() {
  show(place());
}

function said(error) {
  if (error.code === "run_active")
    return [`${error.message} `, h("a", { href: `#/runs/${error.details[0]}` }, "Look at it.")];
  if (!error.details?.length) return [error.message];
  return [
    error.message,
    h(
      "ul",
      {},
      error.details.map((detail) => h("li", {}, detail)),
    ),
  ];
}

function note(kind, message) {
  const close = h(
    "button",
    { type: "button", class: "quiet", "aria-label": "Dismiss", onclick: clearNotes },
    "✕",
  );
  const element = h("div", { class: `note ${kind}` }, h("div", {}, message), close);
  show(place(), element);
  return element;
}

function place() {
  return document.getElementById("notes");
}
