/** A run at work: how far it is, how fast, and how long it may still take. */

import { h } from "./dom.js";
import { bytes, count, duration, number } from "./format.js";

const DOING = {
  plan: "Looking for what is new",
  extract: "Reading the sources",
  validate: "Checking rows",
  combine: "Writing the combined CSV",
  load: "Loading into the table",
};

/** The bar and its figures; a bar without an end while nobody knows how much there is. */
export function progress(run) {
  const done = run.progress;
  const percent = done?.percent == null ? null : Math.min(99, done.percent); // 100 is the commit
  return h(
    "div",
    { class: "progress" },
    h(
      "p",
      { class: "step" },
      run.state === "queued" ? "Waiting to begin" : (DOING[run.step] ?? run.step ?? "Beginning"),
      percent === null ? null : h("span", {}, `${percent} %`),
    ),
    h("progress", { max: 100, value: percent, "aria-label": "Progress of the run" }),
    done ? h("p", { class: "hint" }, figures(done).join(" · ")) : null,
  );
}

function figures(done) {
  return [
    count(done.rows, "row"),
    count(done.files, "file"),
    done.total_bytes ? `${bytes(done.bytes)} of ${bytes(done.total_bytes)}` : bytes(done.bytes),
    done.rows_per_second ? `${number(done.rows_per_second)} rows/s` : null,
    done.seconds_left ? `about ${duration(done.seconds_left)} left` : null,
  ].filter(Boolean);
}
