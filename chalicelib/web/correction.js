/** Correct a row that was kept out: a field for each of its columns. */

import { h } from "./dom.js";
import { form } from "./question.js";

/** The one field of a row that could not be split into columns. */
const RAW = "_raw";

/**
 * The corrected row; null when the reader thinks better of it.
 * @param {any} reject
 * @param {Record<string, string | null> | undefined} before an earlier correction of it
 * @param {any[]} others rejects whose columns a row that could not be split may have
 */
export async function correct(reject, before, others) {
  const row = before ?? unsplit(reject, others);
  const wrong = new Map(reject.problems.map(({ column, reason }) => [column, reason]));
  const fields = Object.keys(row).map((name) => [name, input(name, row[name])]);
  const content = [
    h(
      "p",
      { class: "problem" },
      reject.problems.map(({ column, reason }) =>
        h("span", {}, column ? `${column}: ${reason}. ` : `${reason}. `),
      ),
    ),
    RAW in reject.row ? h("pre", { class: "raw" }, reject.row[RAW]) : null,
    h(
      "div",
      { class: "fields" },
      fields.map(([, field]) => field.label),
    ),
    wrong.size && !fields.length
      ? h("p", {}, "Its columns are not known here; correct the file instead.")
      : null,
  ];
  const agreed = await form(
    `Line ${reject.line} of ${reject.file}`,
    content,
    "Keep the correction",
  );
  if (!agreed || !fields.length) return null;
  return Object.fromEntries(fields.map(([name, field]) => [name, field.value()]));
}

function unsplit(reject, others) {
  if (!(RAW in reject.row)) return reject.row;
  const like =
    others.find(({ file, row }) => file === reject.file && !(RAW in row)) ??
    others.find(({ source, row }) => source === reject.source && !(RAW in row));
  return Object.fromEntries(Object.keys(like?.row ?? {}).map((name) => [name, null]));
}

/** An empty field is NULL if the value was NULL before. */
function input(name, value) {
  const box = h(value?.includes("\n") ? "textarea" : "input", {
    name,
    value,
    placeholder: value === null ? "NULL" : null,
    autocomplete: "off",
  });
  if (box.localName === "textarea") box.value = value;
  return {
    label: h("label", {}, name, box),
    value: () => (box.value === "" && value === null ? null : box.value),
  };
}
