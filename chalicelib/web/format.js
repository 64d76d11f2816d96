/** Numbers and times as people read them, in the viewer's language and zone. */

import { h } from "./dom.js";

const NUMBER = new Intl.NumberFormat();
const SHORT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const THIS_YEAR = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
});
const LONG = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
];
const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** 1234567 is 1,234,567, or whatever the viewer's language writes. */
export function number(value) {
  return NUMBER.format(value);
}

/** `3 rows`, `1 row`. */
export function count(value, noun) {
  return `${number(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A time in the viewer's zone; the tooltip has the day of the week, the seconds and the zone. */
export function time(iso) {
  return h("time", { datetime: iso, title: LONG.format(new Date(iso)) }, timeText(iso));
}

/** The same without markup; the year is told when it is another. */
export function timeText(iso) {
  const moment = new Date(iso);
  return (moment.getFullYear() === new Date().getFullYear() ? THIS_YEAR : SHORT).format(moment);
}

/** `3 minutes ago`, `in 2 hours`; brought up to date once a minute. */
export function relative(iso) {
  return h("time", { datetime: iso, class: "relative" }, relativeText(iso));
}

setInterval(() => {
  for (const each of document.querySelectorAll("time.relative"))
    each.textContent = relativeText(each.dateTime);
}, 60_000);

function relativeText(iso) {
  const seconds = (new Date(iso) - Date.now()) / 1000;
  for (const [unit, size] of STEPS)
    if (Math.abs(seconds) >= size) return RELATIVE.format(Math.round(seconds / size), unit);
  return seconds < 0 ? "just now" : "in less than a minute";
}

/** `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`. */
export function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}\u00a0s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes}\u00a0min ${whole % 60}\u00a0s`;
  return `${number(Math.floor(minutes / 60))}\u00a0h ${minutes % 60}\u00a0min`;
}

/** Seconds that a run worked or has worked so far; null before it began. */
export function took(run) {
  if (!run.started_at) return null;
  const end = run.finished_at ? new Date(run.finished_at) : new Date();
  return Math.max(0, (end - new Date(run.started_at)) / 1000);
}

/** `1.2 MB`. */
export function bytes(value) {
  const power = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(value || 1) / 3)));
  const scaled = value / 1000 ** power;
  return `${power && scaled < 100 ? scaled.toFixed(1) : number(Math.round(scaled))} ${UNITS[power]}`;
}

/** `shop_exports` is `shop exports`: the name of a field as a word. */
export function words(name) {
  return name.replaceAll("_", " ");
}
