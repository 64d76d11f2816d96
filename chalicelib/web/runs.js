/** All runs, newest first, by state and by what started them. */

import { get, poll } from "./api.js";
import { drawer, h, show, table } from "./dom.js";
import { duration, number, relative, time, took } from "./format.js";
import { badge, isActive, STATES, TRIGGERS } from "./states.js";
import { startButtons } from "./trigger.js";

const PAGE = 50,
  MOST = 200, // that the service hands out at once
  IDLE = 10,
  BUSY = 2;

export default function open(main, { signal }) {
  let limit = PAGE,
    asked = 0;
  const list = h("div", {});
  const draw = drawer(list, content);
  const state = choice("state", "State", STATES),
    trigger = choice("trigger", "Started by", TRIGGERS);
  for (const select of [state, trigger])
    select.addEventListener("change", () => {
      limit = PAGE;
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

  async function look() {
    const mine = (asked += 1);
    const runs = await wanted();
    if (mine === asked) draw(runs); // otherwise the reader has chosen something else meanwhile
    return runs.found.some(isActive) ? BUSY : IDLE;
  }

  /** As many as were asked for. */
  async function wanted() {
    const chosen = new URLSearchParams({ limit: Math.min(limit, MOST) });
    for (const select of [state, trigger]) if (select.value) chosen.set(select.id, select.value);
    const found = [];
    let next;
    do {
      if (next) chosen.set("before", next);
      const page = await get(`runs?${chosen}`, { signal });
      found.push(...page.runs);
      next = page.next;
    } while (next && found.length < limit);
    return { found, more: next !== null, filtered: Boolean(state.value || trigger.value) };
  }

  function content({ found, more, filtered }) {
    if (!found.length) return empty(filtered);
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
      more
        ? h(
            "p",
            { class: "more" },
            h("button", { type: "button", id: "older", onclick: older }, "Older runs"),
          )
        : null,
    ];
  }

  function older() {
    limit += PAGE;
    return look();
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
