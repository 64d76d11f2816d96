/** A unified diff as a table: the line's number on both sides, a sign, the text. */

import { h } from "./dom.js";

const PLACE = /^@@ -(\d+)(?:,\d+)? \+(\d+)/;
const KINDS = { "+": "added", "-": "removed", " ": "kept" };
const WORDS = { added: "added", removed: "removed" };

/** @param {string} diff as `diff -u` writes it */
export function diffTable(diff) {
  let before = 0,
    after = 0;
  const rows = diff
    .split("\n")
    .slice(2)
    .map((line) => {
      const place = line.match(PLACE);
      if (place) {
        [before, after] = [Number(place[1]), Number(place[2])];
        return h("tr", { class: "place" }, h("td", { colspan: 4 }, `Line ${after}`));
      }
      const kind = KINDS[line[0]];
      if (!kind) return null;
      return h(
        "tr",
        { class: kind },
        h("td", { class: "number" }, kind === "added" ? "" : before++),
        h("td", { class: "number" }, kind === "removed" ? "" : after++),
        h("td", {}, line[0], WORDS[kind] ? h("span", { class: "unseen" }, WORDS[kind]) : null),
        h("td", {}, h("code", {}, line.slice(1))),
      );
    });
  return h(
    "div",
    { class: "scroller diff", tabindex: 0, role: "region", "aria-label": "Differences" },
    h("table", {}, h("tbody", {}, rows)),
  );
}
