/** The history of the configuration: look at a version, compare two, make an old one the newest. */

import { get, post } from "./api.js";
import { diffTable } from "./diff.js";
import { drawer, h, show } from "./dom.js";
import { relative, time } from "./format.js";
import { tell } from "./notes.js";
import { pages } from "./pages.js";
import { ask, look } from "./question.js";
import { action, hintFor } from "./rights.js";

const PAGE = 20;

/**
 * @param {{open: (version: number) => Promise<void>, restored: (version: any) => void, signal: AbortSignal}} use
 */
export function versionList({ open, restored, signal }) {
  const versions = pages("configs", "version", { limit: PAGE }, signal);
  const element = h("section", { class: "card history", "aria-labelledby": "history" });
  const draw = drawer(element, content);
  show(element, title(), h("p", { class: "none" }, "Loading …"));

  /** The number of the newest version, 0 before the first. */
  async function refresh() {
    const now = await versions.refresh();
    draw(now);
    return now.found[0]?.version ?? 0;
  }

  async function older() {
    draw(await versions.older());
  }

  function content({ found, more }) {
    if (!found.length)
      return [
        title(),
        h("p", { class: "none" }, "Every upload becomes a version here. None is ever lost."),
      ];
    return [
      title(),
      found.length > 1 && [comparison(found), hintFor("Restore", "admin")],
      h("ol", { class: "plain versions" }, found.map(entry)),
      more && action("Older versions", "viewer", older, { id: "more-versions", class: "quiet" }),
    ];
  }

  function entry({ version, author, comment, created_at: moment }, index) {
    const newest = index === 0;
    return h(
      "li",
      {},
      h(
        "p",
        {},
        h("strong", {}, `Version ${version}`),
        newest ? h("span", { class: "state succeeded" }, "newest") : null,
      ),
      comment ? h("p", { class: "break" }, comment) : null,
      h("p", { class: "hint" }, author, " · ", time(moment), " · ", relative(moment)),
      h(
        "div",
        { class: "actions" },
        button("Open", version, "viewer", open),
        version > 1 && button("Diff", version, "viewer", () => compare(version - 1, version)),
        !newest && button("Restore", version, "admin", restore),
      ),
    );
  }

  async function restore(version) {
    const sure = await ask(
      `Restore version ${version}?`,
      "Its text becomes the newest version, under a new number. Nothing in the history changes.",
      "Restore",
    );
    if (!sure) return;
    const done = await post(`configs/${version}/restore`);
    restored(done);
    tell(`Version ${done.version} is what version ${version} was.`);
    await refresh();
  }

  return { element, refresh };
}

function button(label, version, needed, work) {
  return action(label, needed, () => work(version), {
    class: "small",
    id: `${label.toLowerCase()}-${version}`,
    "aria-label": `${label} version ${version}`,
  });
}

function title() {
  return h("h2", { id: "history" }, "History");
}

function comparison(configs) {
  const choice = (id, label, chosen) =>
    h(
      "select",
      { id, "aria-label": label },
      configs.map(({ version }, index) =>
        h("option", { value: version, selected: index === chosen }, `v${version}`),
      ),
    );
  const one = choice("compare-from", "Compare from", 1),
    other = choice("compare-to", "Compare to", 0);
  return h(
    "div",
    { class: "rate" },
    one,
    "to",
    other,
    h(
      "button",
      {
        type: "button",
        class: "small",
        id: "compare",
        onclick: () => compare(one.value, other.value),
      },
      "Compare",
    ),
  );
}

async function compare(one, other) {
  const { diff } = await get(`configs/${one}/diff/${other}`);
  await look(
    `From version ${one} to version ${other}`,
    diff ? diffTable(diff) : h("p", {}, "Both are the same."),
  );
}
