/** The rows that a run kept out: looked at by column and reason, corrected, loaded again. */

import { get, post } from "./api.js";
import { cell } from "./cell.js";
import { correct } from "./correction.js";
import { h, show, table } from "./dom.js";
import { download } from "./download.js";
import { drafts } from "./drafts.js";
import { count, number, words } from "./format.js";
import { complain } from "./notes.js";
import { action, hintFor } from "./rights.js";

const PAGE = 100;
const ALL = "*";
const OPEN = new Set(["quarantined", "stale"]);
const HEADINGS = ["Where", "Column", "Value", "Reason", "Status", "Mend"];

/** The section about the rejects of a run. */
export function rejects(run, signal) {
  const place = h("div", { class: "stack" }, h("p", { class: "hint" }, "Loading …"));
  load(run, signal, place).catch((error) => {
    complain(error);
    show(place, h("p", { class: "none" }, "They cannot be shown now."));
  });
  const title = h("h2", { id: "rejects" }, "Rows kept out of the table");
  return h("section", { class: "card", "aria-labelledby": "rejects" }, title, place);
}

async function load(run, signal, place) {
  const path = `runs/${run.id}/rejects`;
  const { kinds } = await get(`${path}/kinds`, { signal });
  const waiting = kinds.reduce((sum, kind) => sum + kind.open, 0);
  const column = choice("Column", groups(kinds, "column"));
  const reason = choice("Reason", groups(kinds, "reason"));
  const list = h("div", { class: "stack" });
  const buttons = h("div", { class: "actions" });
  /** Corrected rows by the ids of their rejects. */
  const corrections = drafts.get(run.id) ?? new Map();
  let found = [];
  let next = 0;
  let asked = 0;

  for (const select of [column, reason])
    select.addEventListener("change", () => first().catch(complain));
  show(place, h("div", { class: "filters" }, labelled(column), labelled(reason), buttons), list);
  drawButtons();
  return first();

  async function first() {
    found = [];
    next = 0;
    await more();
  }

  async function more() {
    const mine = (asked += 1);
    const page = await get(`${path}?${chosen({ limit: PAGE, after: next })}`, { signal });
    if (mine !== asked) return; // the reader has chosen something else meanwhile
    found = [...found, ...page.rejects];
    next = page.next;
    drawList();
  }

  /** The query for what the reader has chosen. */
  function chosen(query = {}) {
    if (column.value !== ALL) query.column = column.value;
    if (reason.value !== ALL) query.reason = reason.value;
    return new URLSearchParams(query);
  }

  function drawList() {
    const rows = found.map((reject) => row(reject, corrections.has(reject.id), mend));
    show(
      list,
      hintFor("Correct", "operator"),
      rows.length
        ? table("Rows kept out", HEADINGS, rows)
        : h("p", { class: "none" }, "No row is of this kind."),
      next && h("p", {}, action("More rows", "viewer", more, { id: "more-rejects" })),
    );
  }

  async function mend(reject) {
    const corrected = await correct(reject, corrections.get(reject.id));
    if (!corrected) return;
    drafts.set(run.id, corrections.set(reject.id, corrected));
    drawList();
    drawButtons();
  }

  function drawButtons() {
    const mended = corrections.size ? `, ${number(corrections.size)} corrected` : "";
    const again = `Load ${count(waiting, "row")} again${mended}`;
    show(
      buttons,
      action("Download as CSV", "viewer", () => download(`${path}/csv?${chosen()}`), {
        id: "rejects-csv",
      }),
      waiting > 0 && action(again, "operator", replay, { id: "replay", class: "primary" }),
    );
  }

  async function replay() {
    const json = { corrections: Object.fromEntries(corrections) };
    const { run_id: id } = await post(`runs/${run.id}/replay`, { json });
    drafts.delete(run.id);
    location.hash = `#/runs/${id}`;
  }
}

function row(reject, mended, mend) {
  const { file, line, column, value, status, problems } = reject;
  return h(
    "tr",
    { class: mended && "mended" },
    h("td", { class: "break" }, file, h("div", { class: "hint" }, `line ${number(line)}`)),
    h("td", {}, column ?? h("span", { class: "hint" }, "whole row")),
    h("td", { class: "value" }, column ? cell(value) : ""),
    h(
      "td",
      { class: "break" },
      problems.map((problem) => reasonOf(problem, problems.length > 1)),
    ),
    h("td", {}, mended ? "corrected here" : words(status)),
    h("td", {}, OPEN.has(status) && mendButton(reject, mended, mend)),
  );
}

function reasonOf({ column, reason }, several) {
  return h("div", {}, several && column ? `${column} ${reason}` : reason);
}

function mendButton(reject, mended, mend) {
  return action(mended ? "Change …" : "Correct …", "operator", () => mend(reject), {
    class: "small",
    id: `correct-${reject.id}`,
    "aria-label": `${mended ? "Change" : "Correct"} line ${reject.line} of ${reject.file}`,
  });
}

/** How many rows there are of each value, the most frequent first. */
function groups(kinds, name) {
  const rows = new Map();
  for (const kind of kinds) {
    const value = kind[name] ?? "";
    rows.set(value, (rows.get(value) ?? 0) + kind.rows);
  }
  return [...rows].sort((one, other) => other[1] - one[1]);
}

function choice(label, values) {
  const options = values.map(([value, rows]) =>
    h("option", { value }, `${value || "whole row"} (${number(rows)})`),
  );
  return h("select", { "aria-label": label }, h("option", { value: ALL }, "all"), options);
}

function labelled(select) {
  return h("label", {}, select.getAttribute("aria-label"), select);
}
