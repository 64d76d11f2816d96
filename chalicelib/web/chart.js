/** The last runs as bars: rows above, seconds below, one column a run, the newest at the right. */

import { h, show, svg } from "./dom.js";
import { duration, number, time, timeText, took } from "./format.js";
import { badge, outcome } from "./states.js";

const WIDTH = 800;
const ROWS = 112;
const GAP = 10;
const SECONDS = 40;
const HEIGHT = ROWS + GAP + SECONDS;
const HEADROOM = 4;
const STUB = 3;
const BAR = 0.7;
const FEWEST = 24;

/** Hovered, or focused and walked with the arrow keys, a column tells of its run; Enter opens it. */
export function chart(runs) {
  const shown = [...runs].reverse();
  const told = h("p", { class: "told" });
  const most = { rows: greatest(shown, rowsOf), seconds: greatest(shown, secondsOf) };
  const slot = WIDTH / Math.max(shown.length, FEWEST);
  const columns = shown.map((run, index) =>
    column(run, WIDTH - (shown.length - index) * slot, slot, most, () => show(told, about(run))),
  );
  columns.at(-1).setAttribute("tabindex", 0);
  show(told, about(shown.at(-1)));
  return h("figure", { class: "chart" }, legend(most), drawing(columns), told);
}

function legend(most) {
  return h(
    "figcaption",
    {},
    h("span", { class: "key rows" }, `rows, ${number(most.rows)} at most`),
    h("span", { class: "key kept" }, "quarantined"),
    h("span", { class: "key seconds" }, `duration, ${duration(most.seconds)} at most`),
  );
}

function drawing(columns) {
  const properties = {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "group",
    "aria-label": "Runs, the oldest first",
    onkeydown: walk,
  };
  const lines = [
    line(0.5, "grid"),
    line(ROWS / 2, "grid"),
    line(ROWS + 0.5, "axis"),
    line(HEIGHT - 0.5, "axis"),
  ];
  return svg("svg", properties, lines, columns);
}

function line(y, kind) {
  return svg("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: kind });
}

function column(run, left, slot, most, tell) {
  const rows = scaled(rowsOf(run), most.rows, ROWS);
  const kept = scaled(run.quarantined, most.rows, ROWS);
  const seconds = scaled(secondsOf(run), most.seconds, SECONDS);
  const bar = (foot, height, kind) =>
    svg("rect", {
      x: left + (slot * (1 - BAR)) / 2,
      y: foot - height,
      width: slot * BAR,
      height,
      class: kind,
    });
  const properties = {
    href: `#/runs/${run.id}`,
    id: `bar-${run.id}`,
    tabindex: -1,
    class: `column ${run.state}`,
    "aria-label": inWords(run),
    onmouseenter: tell,
    onfocus: tell,
  };
  return svg(
    "a",
    properties,
    svg("rect", { x: left, y: 0, width: slot, height: HEIGHT, class: "whole" }),
    rows ? bar(ROWS, rows, "rows") : bar(ROWS, STUB, "stub"),
    kept && bar(ROWS - rows + kept, kept, "kept"),
    seconds && bar(HEIGHT, seconds, "seconds"),
  );
}

function about(run) {
  const seconds = took(run);
  return [
    badge(run.state),
    h("span", {}, time(run.created_at)),
    h("span", {}, outcome(run)),
    seconds === null ? null : h("span", {}, duration(seconds)),
  ];
}

function inWords(run) {
  const seconds = took(run);
  const parts = [run.state, outcome(run), seconds === null ? null : duration(seconds)];
  return `${timeText(run.created_at)}: ${parts.filter(Boolean).join(", ")}`;
}

/** Null for nothing, and never too small to be seen. */
function scaled(value, most, height) {
  return value ? Math.max(STUB, (value / most) * (height - HEADROOM)) : null;
}

function rowsOf(run) {
  return run.read;
}

function secondsOf(run) {
  return took(run) ?? 0;
}

function greatest(runs, of) {
  return Math.max(...runs.map(of)) || 1;
}

/** Arrow keys, Home and End move among the columns, of which one at a time is in the tab order. */
function walk(event) {
  const columns = [...event.currentTarget.querySelectorAll("a")];
  const last = columns.length - 1;
  const now = columns.indexOf(document.activeElement);
  const next = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  columns[now]?.setAttribute("tabindex", -1);
  const reached = columns[Math.min(last, Math.max(0, next))];
  reached.setAttribute("tabindex", 0);
  reached.focus();
}
