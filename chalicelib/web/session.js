/** Who is signed in, what they may do, and which view they look at. */

import { get, token, Unreachable, whenUnknown } from "./api.js";
import { h, show } from "./dom.js";
import { drafts } from "./drafts.js";
import { clearNotes, complain } from "./notes.js";
import { ask } from "./question.js";
import { become, once } from "./rights.js";

const VIEWS = {
  overview: () => import("./overview.js"),
  configuration: () => import("./configuration.js"),
  runs: () => import("./runs.js"),
  "runs/*": () => import("./run.js"),
};

const LOSE = [
  "Sign out?",
  "What you have written or corrected and not stored is lost then.",
  "Sign out",
];
const VISIBLE = /^[!-~]+$/;
const RUN_ID = /^[A-Za-z0-9][\w.-]*$/;

let leaving = new AbortController();

/** Sign in with the token of this tab, or ask for one. */
export async function start() {
  const page = document.baseURI + location.hash;
  if (location.href !== page) history.replaceState(null, "", page); // `/api` becomes `/api/`
  element("sign-out").addEventListener("click", leave);
  element("skip").addEventListener("click", () => element("main").focus());
  whenUnknown(() => signOut("The service does not know this token. It may have been replaced."));
  window.addEventListener("hashchange", navigate);
  window.addEventListener("unhandledrejection", ({ reason }) => complain(reason));
  if (token.get()) await enter();
  else element("token").focus();
}

/** Try the token that was typed. What cannot be sent in a header is none. */
export async function signIn() {
  const typed = element("token").value.trim();
  if (!VISIBLE.test(typed)) return signOut("This is not a token.");
  token.keep(typed);
  show(element("token-problem"));
  return once(element("sign-in").querySelector("button"), enter);
}

/** Ask who the token belongs to; without an answer ask again, since a reload would do no more. */
async function enter() {
  try {
    const me = await get("me");
    become(me);
    show(
      element("me"),
      h("span", { class: "name" }, me.name),
      " ",
      h("span", { class: "role" }, me.role),
    );
  } catch (error) {
    if (error instanceof Unreachable && !element("shell").hidden) return setTimeout(again, 2000);
    return token.get() ? signOut(error.message) : undefined; // an unknown one is gone already
  }
  element("token").value = "";
  element("sign-in").hidden = true;
  element("shell").hidden = false;
  return navigate();
}

function again() {
  if (token.get()) enter();
}

async function leave() {
  if (!drafts.size || (await ask(...LOSE))) signOut();
}

function signOut(reason = "") {
  leaving.abort();
  token.forget();
  window.dispatchEvent(new CustomEvent("signed-out", { detail: { isMeant: !reason } }));
  element("shell").hidden = true;
  element("sign-in").hidden = false;
  show(element("main"));
  show(element("token-problem"), reason);
  document.title = "ELT Pipeline";
  element("token").focus();
}

/** Show the view that the address names. */
async function navigate() {
  if (!token.get()) return;
  const [view, id] = viewOf(location.hash);
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  clearNotes();
  mark(view.split("/")[0]);
  const main = element("main");
  show(main, h("p", { class: "loading" }, "Loading …"));
  try {
    const { default: open } = await VIEWS[view]().catch(outdated);
    if (!signal.aborted) await open(main, { signal, id });
  } catch (error) {
    if (signal.aborted) return;
    show(main, h("h1", {}, "This cannot be shown"), h("p", {}, error.message));
    for (const event of ["online", "try-now"]) window.addEventListener(event, navigate, { signal });
  }
  if (!signal.aborted) arrive(main);
}

/** A new deployment has no files of the old one, or nothing can be reached. */
function outdated() {
  throw new Error("The console has changed, or cannot be reached. Load the page again.");
}

/** `#/runs/20260131T…` is the view of a run; what is no view's address leads to the overview. */
function viewOf(hash) {
  const [, name, id = ""] = hash.split("/");
  if (name === "runs" && RUN_ID.test(id)) return ["runs/*", id];
  return [Object.hasOwn(VIEWS, name) ? name : "overview"];
}

/** A screen reader hears where it is. */
function arrive(main) {
  const heading = main.querySelector("h1");
  if (!heading) return; // it is still being asked for
  document.title = `${heading.textContent} · ELT Pipeline`;
  if (main.contains(document.activeElement)) return; // the reader has begun already
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function mark(current) {
  for (const link of document.querySelectorAll(".bar nav a"))
    if (link.hash === `#/${current}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
}

function element(id) {
  return document.getElementById(id);
}
