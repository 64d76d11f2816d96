/** Start a run: at once, or everything anew after a question. */

import { post } from "./api.js";
import { h } from "./dom.js";
import { ask } from "./question.js";
import { action } from "./rights.js";

/** The buttons that start a run and go to it. */
export function startButtons() {
  return h(
    "div",
    { class: "actions" },
    action("Full reload …", "operator", reload),
    runNow("primary"),
  );
}

/** The button that loads what is new. */
export function runNow(look = "small") {
  return action("Run now", "operator", () => start({}), { class: look, id: `run-now-${look}` });
}

/** Rows that are there are replaced, so it is asked first. */
async function reload() {
  const sure = await ask(
    "Load everything anew?",
    "All files and all records are read again, and the table is rebuilt from them in one transaction. Readers see the old rows until it is done.",
    "Load everything",
  );
  if (sure) await start({ full: true });
}

/** The key makes it one run, should the browser send it twice. */
async function start(order) {
  const { run_id: id } = await post("trigger-job", {
    json: order,
    headers: { "Idempotency-Key": key() },
  });
  location.hash = `#/runs/${id}`;
}

function key() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}
