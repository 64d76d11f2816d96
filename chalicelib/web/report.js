/** What a run did: counts, files with what was found in them and mended, times, changes, failures. */

import { h, table } from "./dom.js";
import { facts, factTable, inOrder, inWords, isEmpty } from "./facts.js";
import { count, duration, number, words } from "./format.js";
import { counts } from "./states.js";

const OF_A_FILE = new Set(["name", "outcome", "rows", "quarantined", "detail", "detected"]);
const STEPS = ["plan", "extract", "validate", "combine", "load", "transform", "check"];
const MOST_FILES = 200;

/** Why something failed, where, and what to do. */
export function failure({ message, where, fix }) {
  return h(
    "div",
    { class: "failure" },
    where ? h("p", { class: "where mono break" }, where) : null,
    h("p", { class: "message" }, message),
    fix ? h("p", { class: "fix" }, fix) : null,
  );
}

/** `1,780 read, 1,770 loaded, 10 quarantined`, and what else was counted. */
export function sums(run) {
  const figures = counts(run).map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, number(value))),
  );
  return h("dl", { class: "sums" }, figures);
}

/** Everything else that the report holds. */
export function report({ result }) {
  return [
    timings(result.seconds ?? {}),
    (result.sources ?? []).map(sourceCard),
    changes(result),
    checks(result.checks ?? []),
  ];
}

function sourceCard({ name, kind, files, warnings }) {
  const reports = Object.values(files);
  return h(
    "section",
    { class: "card", "aria-label": `Source ${name}` },
    h("h2", {}, `Source ${name}`, name === kind ? null : h("span", { class: "hint" }, ` ${kind}`)),
    reports.length
      ? table(
          `Files of ${name}`,
          [
            "File",
            ["Read", "right"],
            ["Loaded", "right"],
            ["Quarantined", "right"],
            "Found and mended",
          ],
          reports.slice(0, MOST_FILES).map(fileRow),
          { class: "files" },
        )
      : h("p", { class: "none" }, "There is nothing there."),
    reports.length > MOST_FILES
      ? h("p", { class: "hint" }, `and ${count(reports.length - MOST_FILES, "more file")}`)
      : null,
    (warnings ?? []).map((text) => h("p", { class: "warning" }, `Warning: ${text}`)),
  );
}

function fileRow(file) {
  const read = file.outcome === "read";
  const figure = (value) => h("td", { class: "right" }, read ? number(value) : "–");
  return h(
    "tr",
    { class: file.outcome },
    h("th", { scope: "row", class: "break" }, file.name),
    figure(file.rows),
    figure(file.rows - file.quarantined),
    figure(file.quarantined),
    h(
      "td",
      {},
      h(
        "ul",
        { class: "plain remarks" },
        remarks(file).map((text) => h("li", {}, text)),
      ),
    ),
  );
}

/** The outcome, what was detected, and each further entry by its name. */
function remarks(file) {
  const further = Object.entries(file).filter(
    ([name, value]) => !OF_A_FILE.has(name) && !isEmpty(value),
  );
  return [
    file.outcome === "read"
      ? file.detail
      : [h("strong", {}, file.outcome), file.detail ? `: ${file.detail}` : ""],
    facts(file.detected ?? {}),
    ...further.map(([name, value]) => [h("strong", {}, words(name)), ` ${inWords(value)}`]),
  ].filter((text) => text.length);
}

function timings(seconds) {
  const steps = Object.entries(seconds).sort(inOrder(STEPS));
  if (!steps.length) return null;
  const most = Math.max(...steps.map(([, value]) => value));
  return h(
    "section",
    { class: "card", "aria-labelledby": "timings" },
    h("h2", { id: "timings" }, "Time of each step; they overlap"),
    h(
      "dl",
      { class: "timings" },
      steps.map(([step, value]) =>
        h(
          "div",
          {},
          h("dt", {}, step),
          h(
            "dd",
            {},
            bar(value / most),
            h("span", {}, value < 10 ? `${value.toFixed(2)} s` : duration(value)),
          ),
        ),
      ),
    ),
  );
}

function bar(part) {
  const drawn = h("span", { class: "time" });
  drawn.style.inlineSize = `${Math.max(0.5, part * 100)}%`;
  return h("span", { class: "track", "aria-hidden": "true" }, drawn);
}

function changes({ changes: made = [], warnings = [] }) {
  if (!made.length && !warnings.length) return null;
  return h(
    "section",
    { class: "card", "aria-labelledby": "changes" },
    h("h2", { id: "changes" }, "Also"),
    made.map((text) => h("p", {}, `+ ${text}`)),
    warnings.map((text) => h("p", { class: "warning" }, `Warning: ${text}`)),
  );
}

function checks(list) {
  if (!list.length) return null;
  return h(
    "section",
    { class: "card", "aria-labelledby": "checks" },
    h("h2", { id: "checks" }, "Checks"),
    h(
      "div",
      { class: "scroller", tabindex: 0, role: "region", "aria-label": "Checks" },
      factTable(list),
    ),
  );
}
