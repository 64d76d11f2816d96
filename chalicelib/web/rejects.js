/** The rows that a run kept out: looked at by column and reason, corrected, loaded again. */

import { get, post } from "./api.js";
import { correct } from "./correction.js";
import { download } from "./download.js";
import { h, show, table } from "./dom.js";
import { count, number } from "./format.js";
import { complain } from "./notes.js";
import { cell } from "./cell.js";
import { action } from "./rights.js";

const PAGE = 100;

/** The section about the rejects of a run. */
export function rejects(run, signal) {
  const place = h("div", { class: "stack" }, h("p", { class: "hint" }, "Loading …"));
  load(run, signal, place).catch((error) => {
    complain(error);
    show(place, h("p", { class: "none" }, "They cannot be shown now."));
  });
  return h("section", { class: "card", "aria-labelledby": "rejects" }, h("h2", { id: "rejects" }, "Rows kept out of the table"), place);
}

async function load(run, signal, place) {
  const path = `runs/${run.id}/rejects`;
  const { kinds } = await get(`${path}/kinds`, { signal });
  const waiting = sum(kinds, "open");
  /** Corrected rows by the ids of their rejects. */
  const corrections = new Map();
  let found = [], next = null, asked = 0;

  const list = h("div", { class: "stack" }), replaying = h("div", { class: "actions" });
  const column = choice("column", "Column", groups(kinds, ({ column: name }) => name ?? ""));
  const reason = choice("reason", "Reason", groups(kinds, ({ reason: text }) => text));
  for (const select of [column, reason]) select.addEventListener("change", () => first().catch(complain));
  show(place, h("div", { class: "filters" }, labelled("Column", column), labelled("Reason", reason), replaying), list);
  drawReplay();
  return first();

  async function first() {
    found = [];
    next = null;
    await more();
  }

  async function more() {
    const mine = (asked += 1);
    const page = await get(`${path}?${wanted()}`, { signal });
    if (mine !== asked) return;  // the reader has chosen something else meanwhile
    found = [...found, ...page.rejects];
    next = page.next;
    drawList();
  }

  function wanted() {
    const query = new URLSearchParams({ limit: PAGE });
    if (next) query.set("after", next);
    if (column.value !== "*") query.set("column", column.value);
    if (reason.value !== "*") query.set("reason", reason.value);
    return query;
  }

  function drawList() {
    show(list, found.length ? table("Rows kept out", ["Where", "Column", "Value", "Reason", "Status", "Mend"], found.map(row))
      : h("p", { class: "none" }, "No row is of this kind."),
    next ? h("p", {}, action("More rows", "viewer", more, { id: "more-rejects" })) : null);
  }

  function row(reject) {
    const mended = corrections.has(reject.id);
    const open = reject.status === "quarantined";
    return h("tr", { class: mended ? "mended" : null },
      h("td", { class: "break" }, reject.file, h("div", { class: "hint" }, `line ${number(reject.line)}`)),
      h("td", {}, reject.column ?? h("span", { class: "hint" }, "whole row")),
      h("td", { class: "value" }, reject.column ? cell(reject.value) : ""),
      h("td", { class: "break" }, reject.problems.map(({ column: name, reason: text }) =>
        h("div", {}, reject.problems.length > 1 && name ? `${name} ${text}` : text))),
      h("td", {}, mended ? "corrected here" : reject.status.replace("_", " ")),
      h("td", {}, open ? action(mended ? "Change" : "Correct …", "operator", () => mend(reject), { class: "small", id: `correct-${reject.id}`, "aria-label": `Correct line ${reject.line} of ${reject.file}` }) : null));
  }

  async function mend(reject) {
    const corrected = await correct(reject, corrections.get(reject.id), found);
    if (corrected) corrections.set(reject.id, corrected);
    drawList();
    drawReplay();
  }

  function drawReplay() {
    const mended = corrections.size ? `, ${number(corrections.size)} corrected` : "";
    show(replaying, action("Download as CSV", "viewer", () => download(`${path}/csv`), { id: "rejects-csv" }),
      waiting ? action(`Load ${count(waiting, "row")} again${mended}`, "operator", replay, { id: "replay", class: "primary" }) : null);
  }

  async function replay() {
    const json = { corrections: Object.fromEntries(corrections) };
    const { run_id: id } = await post(`runs/${run.id}/replay`, { json });
    location.hash = `#/runs/${id}`;
  }
}

/** How many rows there are of each value, the most frequent first. */
function groups(kinds, key) {
  const rows = new Map();
  for (const kind of kinds) rows.set(key(kind), (rows.get(key(kind)) ?? 0) + kind.rows);
  return [...rows].sort((one, other) => other[1] - one[1]);
}

function choice(id, label, values) {
  return h("select", { id, "aria-label": label }, h("option", { value: "*" }, "all"),
    values.map(([value, rows]) => h("option", { value }, `${value || "whole row"} (${number(rows)})`)));
}

function labelled(text, select) {
  return h("label", {}, text, select);
}

function sum(kinds, name) {
  return kinds.reduce((total, kind) => total + kind[name], 0);
}
