/** A look at real data: the first rows of each source, the types, and what would be kept out. */

import { get, poll, post } from "./api.js";
import { cell } from "./cell.js";
import { h, show, table } from "./dom.js";
import { facts, isEmpty } from "./facts.js";
import { count, number } from "./format.js";
import { failure } from "./report.js";
import { action } from "./rights.js";

const OFTEN = 0.5;
/** The one value of a row that could not be split into columns. */
const RAW = "_raw";

/** The button that asks for a look at the text, and the place where it is shown. */
export function previewPanel(text, signal) {
  const element = h("section", {
    class: "preview",
    "aria-label": "Preview",
    role: "region",
    hidden: true,
  });
  const button = action("Preview the data", "admin", look, { id: "preview" });
  const outdated = h("p", { class: "warning", hidden: true }, "The text has changed since.");
  return { element, button, outdate: () => (outdated.hidden = false) };

  async function look() {
    outdated.hidden = true;
    const { preview_id: id } = await post("previews", { yaml: text() });
    element.hidden = false;
    show(
      element,
      h(
        "div",
        { class: "card" },
        h("h2", {}, "Preview"),
        h("p", { role: "status" }, "Looking at the first rows of each source …"),
        h("progress", { "aria-label": "Preview" }),
      ),
    );
    element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    try {
      show(element, outdated, seen(await finished(id)));
    } catch (error) {
      element.hidden = true;
      throw error;
    }
  }

  function finished(id) {
    return new Promise((resolve, reject) => {
      poll(signal, async () => {
        const preview = await get(`previews/${id}`, { signal });
        if (preview.state === "queued") return OFTEN;
        resolve(preview);
        return null;
      }).catch(reject);
    });
  }
}

function seen({ sources, error }) {
  const title = h("h2", { tabindex: -1 }, "Preview: nothing of this was loaded");
  if (error) return h("div", { class: "card" }, title, failure(error));
  return [h("div", { class: "heading" }, title), sources.map(source)];
}

function source({ name, type, columns, ignored, files, rows, complete, error }) {
  const wrong = rows.filter((row) => row.problems.length);
  const list = h("div", {});
  const only = h("input", { type: "checkbox", id: `only-${name}`, onchange: draw });
  draw();
  return h(
    "section",
    { class: "card", "aria-label": `Source ${name}` },
    h("h3", {}, name, name === type ? null : h("span", { class: "hint" }, ` ${type}`)),
    error ? failure(error) : summary(),
    h(
      "ul",
      { class: "chips", "aria-label": "Columns of the table" },
      Object.entries(columns).map(([column, kind]) =>
        h("li", {}, column, " ", h("span", { class: "hint" }, kind)),
      ),
    ),
    ignored.length
      ? h("p", { class: "hint" }, `Not in the schema, left out: ${ignored.join(", ")}`)
      : null,
    Object.entries(files)
      .filter(([, found]) => !isEmpty(found))
      .map(([file, found]) => h("p", { class: "hint break" }, `${file}: ${facts(found)}`)),
    wrong.length ? h("label", { class: "check" }, only, " Only rows that would be kept out") : null,
    rows.length ? list : null,
  );

  function summary() {
    const all = `${complete ? "All" : "The first"} ${count(rows.length, "row")}`;
    if (!rows.length) return h("p", { class: "none" }, "There are no rows.");
    if (!wrong.length) return h("p", { class: "good" }, `✓ ${all} would be loaded.`);
    return h(
      "p",
      { class: "warning" },
      `${all}; ${number(wrong.length)} of them would be kept out.`,
    );
  }

  function draw() {
    show(list, previewTable(name, only.checked ? wrong : rows));
  }
}

function previewTable(name, rows) {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.values)))].filter(
    (column) => column !== RAW,
  );
  const values = (row) =>
    RAW in row.values
      ? h("td", { class: "value", colspan: columns.length || 1 }, cell(row.values[RAW]))
      : columns.map((column) => h("td", { class: "value" }, cell(row.values[column])));
  const several = new Set(rows.map((row) => row.file)).size > 1;
  const wrong = rows.some((row) => row.problems.length);
  return table(
    `First rows of ${name}`,
    [
      ["Line", "right"],
      ...(wrong ? ["Problem"] : []),
      ...(columns.length ? columns : ["Row"]),
      ...(several ? ["File"] : []),
    ],
    rows.map((row) =>
      h(
        "tr",
        { class: row.problems.length ? "wrong" : null },
        h("td", { class: "right" }, row.line),
        wrong &&
          h(
            "td",
            { class: "reasons" },
            row.problems.map(({ column, reason }) =>
              h("div", {}, column ? `${column} ${reason}` : reason),
            ),
          ),
        values(row),
        several ? h("td", { class: "value" }, row.file) : null,
      ),
    ),
  );
}
