/** The last runs as bars: rows above, seconds below, one column a run, the newest at the right. */

import { h, show, svg } from "./dom.js";
import { duration, number, time, timeText, took } from "./format.js";
import { badge, outcome } from "./states.js";

const COLUMNS = 50;
const ROWS = 112,
  GAP = 10,
  SECONDS = 40,
  HEIGHT = ROWS + GAP + SECONDS;
const WIDTH = 16,
  BAR = 11,
  STUB = 3;

/** Hovered, or focused and walked with the arrow keys, a column tells about its run; Enter opens it. */
export function chart(runs) {
  const shown = [...runs].reverse();
  const told = h("p", { class: "told" });
  const most = { rows: greatest(shown.map(rowsOf)), seconds: greatest(shown.map(secondsOf)) };
  const columns = shown.map((run, index) =>
    column(run, COLUMNS - shown.length + index, most, () => tell(run)),
  );
  columns.at(-1).setAttribute("tabindex", 0);
  tell(shown.at(-1));
  return h(
    "figure",
    { class: "chart" },
    h(
      "figcaption",
      {},
      h("span", { class: "key rows" }, `rows, ${number(most.rows)} at most`),
      h("span", { class: "key kept" }, "quarantined"),
      h("span", { class: "key seconds" }, `duration, ${duration(most.seconds)} at most`),
    ),
    svg(
      "svg",
      {
        viewBox: `0 0 ${COLUMNS * WIDTH} ${HEIGHT}`,
        preserveAspectRatio: "none",
        role: "group",
        "aria-label": "Runs, the oldest first",
        onkeydown: walk,
      },
      lines(),
      columns,
    ),
    told,
  );

  function tell(run) {
    show(
      told,
      badge(run.state),
      h("span", {}, time(run.created_at)),
      h("span", {}, outcome(run)),
      took(run) === null ? null : h("span", {}, duration(took(run))),
    );
  }
}

function lines() {
  return [0, ROWS / 2]
    .map((y) => line(y + 0.5, "grid"))
    .concat(line(ROWS + 0.5, "axis"), line(HEIGHT - 0.5, "axis"));
}

function line(y, kind) {
  return svg("line", { x1: 0, x2: COLUMNS * WIDTH, y1: y, y2: y, class: kind });
}

function column(run, position, most, tell) {
  const x = position * WIDTH + (WIDTH - BAR) / 2;
  const rows = scaled(rowsOf(run), most.rows, ROWS - 4);
  const kept = scaled(run.quarantined, most.rows, ROWS - 4);
  const seconds = scaled(secondsOf(run), most.seconds, SECONDS - 4);
  return svg(
    "a",
    {
      href: `#/runs/${run.id}`,
      id: `bar-${run.id}`,
      tabindex: -1,
      class: `column ${run.state}`,
      "aria-label": inWords(run),
      onmouseenter: tell,
      onfocus: tell,
    },
    svg("rect", { x: position * WIDTH, y: 0, width: WIDTH, height: HEIGHT, class: "whole" }),
    bar(x, ROWS, rows || STUB, rows ? "rows" : "stub"),
    kept ? bar(x, ROWS - rows + Math.max(kept, 2), Math.max(kept, 2), "kept") : null,
    seconds ? bar(x, HEIGHT, seconds, "seconds") : null,
  );
}

function bar(x, foot, height, kind) {
  return svg("rect", { x, y: foot - height, width: BAR, height, class: kind });
}

function scaled(value, most, height) {
  return value ? Math.max(STUB, (value / most) * height) : 0;
}

function inWords(run) {
  const seconds = took(run);
  return `${timeText(run.created_at)}: ${run.state}, ${outcome(run)}${seconds === null ? "" : `, ${duration(seconds)}`}`;
}

function rowsOf(run) {
  return run.read;
}

function secondsOf(run) {
  return took(run) ?? 0;
}

function greatest(values) {
  return Math.max(...values) || 1;
}

function walk(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -COLUMNS, End: COLUMNS }[event.key];
  if (!step) return;
  event.preventDefault();
  const columns = [...event.currentTarget.querySelectorAll("a")];
  const now = columns.indexOf(document.activeElement);
  const next = columns[Math.min(columns.length - 1, Math.max(0, now + step))];
  columns[now]?.setAttribute("tabindex", -1);
  next.setAttribute("tabindex", 0);
  next.focus();
}
