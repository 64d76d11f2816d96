/** How the state of a run looks everywhere: a sign, a word and a colour. */

import { h } from "./dom.js";
import { inOrder } from "./facts.js";
import { count, number, words } from "./format.js";

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

const COUNTS = [
  "read",
  "inserted",
  "updated",
  "superseded",
  "stale",
  "quarantined",
  "deleted",
  "nulled",
];
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

/** What a run and its report count, by name: the usual counts first, of the others what is not 0. */
export function counts(run) {
  const known = COUNTS.filter((name) => name in run).map((name) => [name, run[name]]);
  const all = new Map([...Object.entries(run.result ?? {}), ...known]);
  return [...all]
    .filter(([name, value]) => Number.isFinite(value) && (value || ALWAYS.includes(name)))
    .sort(inOrder(COUNTS))
    .map(([name, value]) => [NAMES[name] ?? words(name), value]);
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
