/** How things stand: the last run, the schedule, what waits in quarantine, the last fifty runs. */

import { get, orProblem, poll } from "./api.js";
import { chart } from "./chart.js";
import { drawer, h, show } from "./dom.js";
import { count, duration, number, relative, time, took } from "./format.js";
import { progress } from "./progress.js";
import { scheduleCard } from "./schedule.js";
import { badge, isActive, outcome } from "./states.js";
import { startButtons } from "./trigger.js";

const IDLE = 10,
  BUSY = 2;

export default function open(main, { signal }) {
  const last = h("section", { class: "card", "aria-labelledby": "last" });
  const waiting = h("section", { class: "card", "aria-labelledby": "waiting" });
  const history = h("section", { class: "card", "aria-labelledby": "history" });
  const schedule = scheduleCard(signal);
  const draw = {
    last: drawer(last, lastRun),
    waiting: drawer(waiting, quarantine),
    history: drawer(history, lastFifty),
  };

  let shown = null;

  return poll(signal, async () => {
    const [{ runs }, { configs }, rejects] = await Promise.all([
      get("runs?limit=50", { signal }),
      get("configs?limit=1", { signal }),
      orProblem(get("rejects", { signal })),
      schedule.refresh(),
    ]);
    const active = runs.find(isActive);
    draw.last(active ? await get(`runs/${active.id}`, { signal }) : (runs[0] ?? null));
    draw.waiting(rejects);
    draw.history(runs);
    turnTo(configs.length || runs.length ? page : firstSteps);
    return active ? BUSY : IDLE;
  });

  function turnTo(content) {
    if (shown !== content) show(main, content());
    shown = content;
  }

  function page() {
    return [heading(), h("div", { class: "cards" }, last, schedule.card, waiting), history];
  }
}

function heading() {
  return h("div", { class: "heading" }, h("h1", {}, "Overview"), startButtons());
}

function firstSteps() {
  return [
    h("h1", {}, "Overview"),
    h(
      "section",
      { class: "card empty" },
      h("h2", {}, "Nothing is set up yet"),
      h(
        "ol",
        {},
        h(
          "li",
          {},
          "Describe where rows come from and which table they go to, in one YAML file. Templates get you started.",
        ),
        h("li", {}, "Look at a preview of your data, then upload the configuration."),
        h("li", {}, "Run it, and let the schedule do so from then on."),
      ),
      h("a", { class: "button primary", href: "#/configuration" }, "Write the configuration"),
    ),
  ];
}

function lastRun(run) {
  const title = h("h2", { id: "last" }, run && isActive(run) ? "At work now" : "Last run");
  if (!run)
    return [
      title,
      h("p", { class: "none" }, "There was no run yet."),
      h("p", { class: "hint" }, "“Run now” loads what the sources hold."),
    ];
  if (isActive(run)) return [title, progress(run), link(run)];
  const seconds = took(run);
  return [
    title,
    h("p", { class: "figure" }, badge(run.state)),
    h("p", { class: "sentence" }, outcome(run)),
    h(
      "p",
      { class: "hint" },
      time(run.created_at),
      " · ",
      relative(run.created_at),
      seconds === null ? null : ` · took ${duration(seconds)}`,
    ),
    link(run),
  ];
}

function link(run) {
  return h("p", {}, h("a", { href: `#/runs/${run.id}`, id: "last-run" }, "Look at this run"));
}

function quarantine({ rows, runs, problem }) {
  const title = h("h2", { id: "waiting" }, "In quarantine");
  if (problem) return [title, h("p", { class: "problem" }, problem)];
  if (!rows)
    return [title, h("p", { class: "figure" }, "0"), h("p", {}, "No row waits to be mended.")];
  const [newest, ...more] = Object.entries(runs);
  return [
    title,
    h("p", { class: "figure" }, number(rows)),
    h(
      "p",
      {},
      `${rows === 1 ? "row waits" : "rows wait"} to be mended, from ${count(Object.keys(runs).length, "run")}.`,
    ),
    h(
      "ul",
      { class: "plain" },
      [newest, ...more.slice(0, 2)].map(([id, waiting]) =>
        h(
          "li",
          {},
          h(
            "a",
            { href: `#/runs/${id}`, id: `waiting-${id}` },
            `${count(waiting, "row")} of ${shortId(id)}`,
          ),
        ),
      ),
    ),
  ];
}

/** The time in a run's id, which begins with it in UTC. */
function shortId(id) {
  const parts = id.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/);
  if (!parts) return id;
  const [, year, month, day, ...clock] = parts;
  return time(`${year}-${month}-${day}T${clock.join(":")}Z`).textContent;
}

function lastFifty(runs) {
  return [
    h("h2", { id: "history" }, "The last 50 runs"),
    runs.length ? chart(runs) : h("p", { class: "none" }, "Each run becomes a bar here."),
  ];
}
