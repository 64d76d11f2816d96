/** What a report holds, whatever it is: values in words, so that new findings show by themselves. */

import { h } from "./dom.js";
import { number, words } from "./format.js";

/** `delimiter semicolon; quoted fields 3 times, on line 4, 9`: the entries that say something. */
export function facts(found) {
  return Object.entries(found)
    .filter(([, value]) => !isEmpty(value))
    .map(([name, value]) => `${words(name)} ${inWords(value)}`.trim())
    .join("; ");
}

/** A list of similar objects as a table's rows; anything else in words. */
export function factTable(list) {
  const names = [...new Set(list.flatMap((each) => Object.keys(each)))];
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        names.map((name) => h("th", { scope: "col" }, words(name))),
      ),
    ),
    h(
      "tbody",
      {},
      list.map((each) =>
        h(
          "tr",
          {},
          names.map((name) => h("td", { class: "break" }, inWords(each[name]))),
        ),
      ),
    ),
  );
}

/** A value as a person would say it. */
export function inWords(value) {
  if (value === true) return "✓ yes";
  if (value === false) return "✕ no";
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.map(inWords).join(", ");
  if (value && typeof value === "object") return counted(value) ?? facts(value);
  return value ?? "";
}

/** Whether there is nothing to say. */
export function isEmpty(value) {
  return (
    value === null ||
    value === undefined ||
    value === "" ||
    value === 0 ||
    (typeof value === "object" && Object.keys(value).length === 0)
  );
}

/** Sorts entries by the place of their names in the list; names that are not in it come last. */
export function inOrder(names) {
  const place = (name) => (names.includes(name) ? names.indexOf(name) : names.length);
  return ([one], [other]) => place(one) - place(other);
}

function counted({ count, lines }) {
  if (count === undefined) return null;
  const times = `${number(count)} ${count === 1 ? "time" : "times"}`;
  return lines?.length ? `${times}, on line ${lines.join(", ")}` : times;
}
