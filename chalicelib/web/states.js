/** How the state of a run looks everywhere: a sign, a word and a colour. */

import { h } from "./dom.js";
import { count, number } from "./format.js";

const SIGNS = {
  queued: "…",
  running: "▸",
  succeeded: "✓",
  failed: "✕",
  cancelled: "■",
  interrupted: "!",
  skipped: "»",
};

export const STATES = Object.keys(SIGNS);
export const TRIGGERS = ["api", "schedule", "replay", "terminal"];

const COUNTS = ["read", "inserted", "updated", "superseded", "quarantined", "deleted", "nulled"];
const ALWAYS = ["read", "inserted", "quarantined"];
const NAMES = { inserted: "loaded", deleted: "old rows deleted", nulled: "values set to NULL" };

/** The state as a badge. */
export function badge(state) {
  return h(
    "span",
    { class: `state ${state}` },
    h("span", { "aria-hidden": "true" }, SIGNS[state]),
    ` ${state}`,
  );
}

/** Whether a run is not over yet. */
export function isActive(run) {
  return run.state === "queued" || run.state === "running";
}

/** What a run and its report count: the usual counts, and of the others what is not 0. */
export function counts(run) {
  return COUNTS.map((name) => [name, run[name] ?? run.result?.[name]])
    .filter(([name, value]) => value || ALWAYS.includes(name))
    .map(([name, value]) => [NAMES[name] ?? name, value]);
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
