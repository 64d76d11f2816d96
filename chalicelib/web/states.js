/** How the state of a run looks everywhere: a sign, a word and a colour. */

import { h } from "./dom.js";
import { count, number } from "./format.js";

const SIGNS = {
  queued: "…", running: "▸", succeeded: "✓", failed: "✕",
  cancelled: "■", interrupted: "!", skipped: "»",
};

export const STATES = Object.keys(SIGNS);
export const TRIGGERS = ["api", "schedule", "replay", "resume", "terminal"];

const COUNTS = ["read", "inserted", "updated", "superseded", "stale", "quarantined", "deleted", "nulled"];
const NAMES = { inserted: "loaded", deleted: "old rows deleted", nulled: "values set to NULL" };

/** The state as a badge. */
export function badge(state) {
  return h("span", { class: `state ${state}` }, h("span", { "aria-hidden": "true" }, SIGNS[state]), ` ${state}`);
}

/** Whether a run is not over yet. */
export function isActive(run) {
  return run.state === "queued" || run.state === "running";
}

/** The counts of rows that a run or its report holds: name, value; the usual ones first. */
export function counts(report) {
  return COUNTS.filter((key) => Number.isFinite(report[key]))
    .filter((key) => report[key] || ["read", "inserted", "quarantined"].includes(key))
    .map((key) => [NAMES[key] ?? key, report[key]]);
}

/** What came of a run, in a few words. */
export function outcome(run) {
  if (run.state === "skipped") return "not started";
  if (run.state === "queued") return "waiting to begin";
  if (run.state === "running") return "at work";
  if (run.state !== "succeeded") return "nothing was loaded";
  if (!run.read) return "nothing new";
  const loaded = run.inserted + (run.updated ?? 0);
  const kept = run.quarantined ? `, ${number(run.quarantined)} quarantined` : "";
  return `${count(loaded, "row")} loaded${kept}`;
}
