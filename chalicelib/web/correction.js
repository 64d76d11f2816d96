/** Correct a row that was kept out: a field for each of its columns. */

import { h } from "./dom.js";
import { form, look } from "./question.js";

/** The one field of a row that could not be split into columns. */
const RAW = "_raw";

/**
 * The corrected row; null when the reader thinks better of it.
 * @param {any} reject
 * @param {Record<string, string | null> | undefined} before an earlier correction of it
 */
export async function correct(reject, before) {
  const title = `Line ${reject.line} of ${reject.file}`;
  const isWhole = RAW in reject.row;
  const row = isWhole ? Object.fromEntries(reject.columns.map((name) => [name, null])) : reject.row;
  const fields = Object.keys(row).map((name) => field(name, row[name], (before ?? row)[name]));
  const content = [
    h("p", { class: "problem" }, reject.problems.map(reasonOf)),
    isWhole ? h("pre", { class: "raw" }, reject.row[RAW]) : null,
  ];
  if (!fields.length) {
    await look(title, content, h("p", {}, "Its columns are not known here; correct the file."));
    return null;
  }
  content.push(
    h(
      "div",
      { class: "fields" },
      fields.map(({ element }) => element),
    ),
  );
  const isChanged = () => fields.some((each) => each.value() !== (before ?? row)[each.name]);
  if (!(await form(title, content, "Keep the correction", isChanged))) return null;
  return Object.fromEntries(fields.map(({ name, value }) => [name, value()]));
}

function reasonOf({ column, reason }) {
  return h("span", {}, column ? `${column}: ${reason}. ` : `${reason}. `);
}

/** A box and whether it is NULL; what is not touched keeps line ends that no box can hold. */
function field(name, original, value) {
  const box = h(/[\r\n]/.test(value) ? "textarea" : "input", { name, autocomplete: "off" });
  box.value = value ?? "";
  const untouched = box.value;
  const none = h("input", { type: "checkbox", "aria-label": `${name} is NULL` });
  none.checked = value === null;
  box.addEventListener("input", () => {
    none.checked = original === null && box.value === "";
  });
  return {
    name,
    element: h("div", {}, h("label", {}, name, box), h("label", { class: "check" }, none, " NULL")),
    value: () => {
      if (none.checked) return null;
      return box.value === untouched && value !== null ? value : box.value;
    },
  };
}
