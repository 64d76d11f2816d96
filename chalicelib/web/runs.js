/** All runs, newest first, by state and by what started them. */

import { get, poll } from "./api.js";
import { drawer, h, show, table } from "./dom.js";
import { duration, number, relative, time, took } from "./format.js";
import { pages } from "./pages.js";
import { action } from "./rights.js";
import { badge, isActive, STATES, TRIGGERS } from "./states.js";
import { startButtons } from "./trigger.js";

const PAGE = 50,
  IDLE = 10,
  BUSY = 2;

export default function open(main, { signal }) {
  const list = h("div", {});
  const draw = drawer(list, content);
  const state = choice("state", "State", STATES),
    trigger = choice("trigger", "Started by", TRIGGERS);
  let runs = wanted();
  for (const select of [state, trigger])
    select.addEventListener("change", () => {
      runs = wanted();
      look();
    });

  show(
    main,
    h("div", { class: "heading" }, h("h1", {}, "Runs"), startButtons()),
    h("div", { class: "filters" }, labelled("State", state), labelled("Started by", trigger)),
    list,
  );
  show(list, h("p", { class: "loading" }, "Loading …"));
  return poll(signal, look);

  function wanted() {
    const query = { limit: PAGE };
    for (const select of [state, trigger]) if (select.value) query[select.id] = select.value;
    return pages("runs", "id", query, signal);
  }

  async function look(step = "refresh") {
    const mine = runs;
    const now = await mine[step]();
    // An older one that was resumed is at work, too.
    for (const run of now.found.slice(PAGE).filter(isActive))
      Object.assign(run, await get(`runs/${run.id}`, { signal }));
    if (mine === runs) draw(now); // otherwise the reader has chosen something else meanwhile
    return now.found.some(isActive) ? BUSY : IDLE;
  }

  function content({ found, more }) {
    if (!found.length) return empty(state.value || trigger.value);
    return [
      table(
        "Runs",
        [
          "State",
          "Started",
          ["By", "wide-only"],
          ["Read", "right wide-only"],
          ["Loaded", "right"],
          ["Quarantined", "right wide-only"],
          ["Took", "right"],
        ],
        found.map(row),
        { class: "runs" },
      ),
      more &&
        h(
          "p",
          { class: "more" },
          action("Older runs", "viewer", () => look("older"), { id: "older" }),
        ),
    ];
  }
}

function row(run) {
  const seconds = took(run);
  return h(
    "tr",
    {},
    h("td", {}, badge(run.state)),
    h(
      "td",
      {},
      h("a", { href: `#/runs/${run.id}`, id: `run-${run.id}` }, time(run.created_at)),
      h("div", { class: "hint" }, relative(run.created_at), run.full ? " · full reload" : null),
    ),
    h("td", { class: "wide-only" }, run.trigger, h("div", { class: "hint" }, run.actor)),
    h("td", { class: "right wide-only" }, number(run.read)),
    h("td", { class: "right" }, number(run.inserted + (run.updated ?? 0))),
    h("td", { class: "right wide-only" }, number(run.quarantined)),
    h("td", { class: "right" }, seconds === null ? "–" : duration(seconds)),
  );
}

function empty(filtered) {
  return h(
    "section",
    { class: "card empty" },
    h("h2", {}, filtered ? "No such run" : "There was no run yet"),
    h(
      "p",
      {},
      filtered
        ? "No run passes these filters."
        : "“Run now” loads what the sources of the newest configuration hold.",
    ),
  );
}

function choice(id, label, values) {
  return h(
    "select",
    { id },
    h("option", { value: "" }, "all"),
    values.map((value) => h("option", { value }, value)),
  );
}

function labelled(text, select) {
  return h("label", {}, text, select);
}
