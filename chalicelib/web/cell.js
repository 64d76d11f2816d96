/** A value of a row. */

import { h } from "./dom.js";

const LONGEST = 200;

/** NULL is no empty text, and neither is shown as nothing. */
export function cell(value) {
  if (value === null || value === undefined) return h("span", { class: "null" }, "NULL");
  if (value === "") return h("span", { class: "null" }, "empty text");
  if (value.length <= LONGEST) return value;
  return h("span", { title: value.slice(0, 2000) }, `${value.slice(0, LONGEST)}…`);
}
