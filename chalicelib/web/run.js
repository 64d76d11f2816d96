/** One run: live while it works, its report when it is over, and what can be done with it. */

import { get, poll, post } from "./api.js";
import { download } from "./download.js";
import { drawer, h, show } from "./dom.js";
import { duration, relative, timeText, took } from "./format.js";
import { progress } from "./progress.js";
import { rejects } from "./rejects.js";
import { failure, report, sums } from "./report.js";
import { action } from "./rights.js";
import { badge, isActive } from "./states.js";

const BUSY = 1;

export default async function open(main, { signal, id }) {
  const head = h("div", { class: "heading" }),
    now = h("div", { class: "stack" }),
    told = h("div", { class: "stack" });
  const draw = { head: drawer(head, heading), now: drawer(now, atWork), told: drawer(told, story) };
  const state = h("p", { class: "unseen", role: "status" });

  return poll(signal, async () => {
    const run = await get(`runs/${id}`, { signal });
    if (!main.contains(head)) show(main, head, state, now, told);
    const { progress: _, step, ...settled } = run;
    draw.head(settled);
    draw.now(isActive(run) ? run : null);
    draw.told(isActive(run) ? null : settled);
    if (state.textContent !== `The run is ${run.state}`)
      state.textContent = `The run is ${run.state}`;
    return isActive(run) ? BUSY : null;
  });

  function heading(run) {
    return [
      h(
        "div",
        {},
        h("h1", {}, `Run of ${timeText(run.created_at)}`),
        h("p", { class: "facts" }, badge(run.state), about(run)),
      ),
      h("div", { class: "actions" }, actions(run)),
    ];
  }

  function actions(run) {
    const go = (verb) => async () => {
      await post(`runs/${run.id}/${verb}`);
      await again();
    };
    return [
      isActive(run) ? action("Cancel", "operator", go("cancel"), { id: "cancel" }) : null,
      ["failed", "interrupted"].includes(run.state)
        ? action("Resume", "operator", go("resume"), { id: "resume", class: "primary" })
        : null,
      run.result?.output
        ? action("Download the combined CSV", "viewer", () => download(`runs/${run.id}/output`), {
            id: "output",
          })
        : null,
    ];
  }

  /** Look anew, also at a run that was over. */
  async function again() {
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }

  function atWork(run) {
    return run && h("section", { class: "card", "aria-label": "Progress" }, progress(run));
  }

  function story(run) {
    if (!run) return null;
    const kept = run.quarantined || run.error?.code === "invalid_rows";
    return [
      run.error
        ? h(
            "section",
            { class: "card", "aria-labelledby": "why" },
            h(
              "h2",
              { id: "why" },
              run.state === "skipped" ? "Why it was skipped" : "Why it failed",
            ),
            failure(run.error),
          )
        : null,
      run.state === "succeeded"
        ? h("section", { class: "card", "aria-label": "Rows" }, sums(run), nothingNew(run))
        : null,
      run.state === "cancelled" || run.state === "interrupted"
        ? h("p", {}, "Nothing of this run was loaded.")
        : null,
      kept ? rejects(run, signal) : null,
      run.result ? report(run) : null,
    ];
  }
}

function about(run) {
  const seconds = took(run);
  return h(
    "span",
    { class: "hint" },
    `${run.trigger} by ${run.actor}, `,
    relative(run.created_at),
    run.config_version ? ` · version ${run.config_version}` : null,
    run.full ? " · full reload" : null,
    seconds === null || isActive(run) ? null : ` · took ${duration(seconds)}`,
    run.parent ? [" · replays ", h("a", { href: `#/runs/${run.parent}` }, "an earlier run")] : null,
    " · ",
    h("span", { class: "mono break" }, run.id),
  );
}

function nothingNew(run) {
  if (run.read) return run.result ? h("p", { class: "hint" }, `into ${run.result.table}`) : null;
  return h("p", {}, "Nothing new: all that the sources hold was loaded before.");
}
