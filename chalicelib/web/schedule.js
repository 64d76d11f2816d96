/** The schedule: whether it is on, how often it fires and when it will next. */

import { get, orProblem, post } from "./api.js";
import { drawer, h } from "./dom.js";
import { relative, time } from "./format.js";
import { tell } from "./notes.js";
import { action, may } from "./rights.js";

const UNITS = ["minute", "hour", "day"];
const RATE = /^rate\((?<amount>\d+) (?<unit>minute|hour|day)s?\)$/;

/** The card, and how to bring it up to date. */
export function scheduleCard(signal) {
  const card = h("section", { class: "card", "aria-labelledby": "schedule" });
  const draw = drawer(card, content);

  let changes = 0;
  let typed = null; // what is not saved stays when the state changes

  async function change(json, done) {
    const state = await post("schedule-job", { json });
    changes += 1;
    if (json.rate) typed = null;
    draw(state);
    tell(done);
  }

  /** What was asked before a change is out of date. */
  async function refresh() {
    const before = changes;
    const state = await orProblem(get("schedule-job", { signal }));
    if (before === changes) draw(state);
  }

  function content(state) {
    if (state.problem) return [title(), h("p", { class: "problem" }, state.problem)];
    const on = state.enabled;
    const flip = action(
      [h("span", { class: "knob", "aria-hidden": "true" }), on ? "On" : "Off"],
      "operator",
      () => change({ enabled: !on }, on ? "The schedule is off." : "The schedule is on."),
      {
        class: "switch",
        id: "switch",
        role: "switch",
        "aria-checked": String(on),
        "aria-labelledby": "schedule",
      },
    );
    return [
      title(),
      h("p", { class: "figure" }, flip),
      next(state),
      rateForm(state.rate, typed, (now) => (typed = now), save),
    ];
  }

  function save(rate) {
    return change({ rate }, `The schedule fires every ${inWords(rate)}.`);
  }

  return { card, refresh };
}

function title() {
  return h("h2", { id: "schedule" }, "Schedule");
}

function next({ enabled, rate, next_run: moment }) {
  if (!enabled) return h("p", {}, "Runs start by hand only.");
  if (moment) return h("p", {}, "Next run about ", time(moment), ", ", relative(moment), ".");
  return h(
    "p",
    {},
    RATE.test(rate)
      ? `The first run starts within ${inWords(rate).replace(/^(?=[a-z])/, "1 ")}.`
      : `Fires by ${rate}.`,
  );
}

/** `hour` of `rate(1 hour)`, `2 hours` of `rate(2 hours)`; a `cron(…)` as it is. */
function inWords(rate) {
  const { amount, unit } = rate.match(RATE)?.groups ?? {};
  if (!amount) return rate;
  return amount === "1" ? unit : `${amount} ${unit}s`;
}

function rateForm(rate, typed, type, save) {
  const stored = rate ? rate.match(RATE)?.groups : { amount: "1" }; // a cron has none
  const { amount = "", unit = "hour" } = typed ?? stored ?? {};
  const disabled = !may("operator");
  const many = h("input", {
    id: "every",
    type: "number",
    min: 1,
    max: 99999,
    value: amount,
    required: true,
    disabled,
  });
  const units = h(
    "select",
    { id: "unit", "aria-label": "Unit", disabled },
    UNITS.map((each) => h("option", { value: each, selected: each === unit }, `${each}s`)),
  );
  const chosen = () => `rate(${many.value} ${units.value}${many.value === "1" ? "" : "s"})`;
  const store = action("Save", "operator", () => save(chosen()), { id: "save-rate", hidden: true });
  const judge = () => {
    store.firstChild.hidden = !many.validity.valid || chosen() === rate;
  };
  const changed = () => {
    type(chosen() === rate ? null : { amount: many.value, unit: units.value });
    judge();
  };
  if (typed) judge();
  const submit = (event) => {
    event.preventDefault();
    if (!store.firstChild.hidden) store.firstChild.click();
  };
  return h(
    "form",
    { class: "rate", onsubmit: submit, oninput: changed },
    h("label", { for: "every" }, "Every"),
    many,
    units,
    disabled ? null : store,
  );
}
