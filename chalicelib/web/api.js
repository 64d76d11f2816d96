/** The service's API: one call, its errors, and calls that are repeated for as long as it takes. */

import { lost, restored } from "./connection.js";
import { complain } from "./notes.js";

const TOKEN = "token";
const LONGEST_PAUSE = 30;

/** The service said no; `code`, `message` and `details` are its own. */
export class Refused extends Error {
  constructor(status, { code, message, details }) {
    super(message);
    Object.assign(this, { status, code, details });
  }
}

/** Nobody answered, or only a gateway did. */
export class Unreachable extends Error {
  constructor() {
    super("The service cannot be reached. Check the network, then try again.");
  }
}

/** The token of this tab; none is null. */
export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  keep: (value) => sessionStorage.setItem(TOKEN, value),
  forget: () => sessionStorage.removeItem(TOKEN),
};

let onUnknownToken = () => {};

/** What to do when the service no longer knows the token. */
export function whenUnknown(listener) {
  onUnknownToken = listener;
}

export function get(path, options) {
  return call("GET", path, options);
}

/** POST `json`, or a `yaml` text. */
export function post(path, { json = {}, yaml, headers = {}, signal } = {}) {
  const type = yaml === undefined ? "application/json" : "application/yaml";
  const body = yaml === undefined ? JSON.stringify(json) : yaml;
  return call("POST", path, { body, signal, headers: { "Content-Type": type, ...headers } });
}

/** What comes; a refusal becomes `{ problem }`, which a part of a view can say by itself. */
export async function orProblem(answer) {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { problem: error.message };
  }
}

/** The text of a file of the console. */
export async function fileText(url) {
  const response = await answered(url);
  if (!response.ok) throw new Error("The console has changed. Load the page again.");
  return response.text();
}

/**
 * Do the work now and again after as many seconds as it returns, until that is null or the signal.
 * While the service or what is behind it cannot be reached it is tried less and less often; when
 * the network or the reader comes back, at once. Nothing is asked while nobody looks.
 * @param {AbortSignal} signal
 * @param {() => Promise<number | null>} work
 */
export function poll(signal, work) {
  let failures = 0,
    timer,
    complaint,
    working = false,
    over = false;

  async function turn() {
    clearTimeout(timer);
    if (signal.aborted || working || over) return;
    working = true;
    let pause = 1;
    try {
      if (!document.hidden) pause = await attempt();
    } finally {
      working = false;
    }
    if (pause === null) over = true;
    else if (!signal.aborted) timer = setTimeout(turn, pause * 1000);
  }

  async function attempt() {
    try {
      const pause = await work();
      failures = 0;
      complaint?.remove();
      return pause;
    } catch (error) {
      if (signal.aborted) return 0;
      if (!passesByItself(error)) throw error;
      if (error instanceof Refused) complaint = complain(error);
      failures += 1;
      return Math.min(LONGEST_PAUSE, 2 ** (failures - 1));
    }
  }

  window.addEventListener("online", turn, { signal });
  window.addEventListener("offline", turn, { signal });
  window.addEventListener("try-now", turn, { signal });
  document.addEventListener("visibilitychange", turn, { signal });
  return turn();
}

/** Whether the same call may succeed a little later. */
export function passesByItself(error) {
  return error instanceof Unreachable || error.status >= 500 || [408, 429].includes(error.status);
}

async function call(method, path, options = {}) {
  const headers = { Authorization: `Bearer ${token.get()}`, ...options.headers };
  const response = await answered(path, { ...options, method, headers, cache: "no-store" });
  const said = await response.json().catch(() => null);
  if (said === null || !(response.ok || said.error)) throw unreachable();
  restored();
  if (response.ok) return said;
  if (await isUnknown(response.status, path)) onUnknownToken();
  throw new Refused(response.status, said.error);
}

/** Paths are relative to the page's base, which holds the gateway's stage. */
async function answered(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw unreachable();
  }
}

function unreachable() {
  lost();
  return new Unreachable();
}

/** 403 is also the answer to a role that is not enough; every role may ask who it is. */
async function isUnknown(status, path) {
  if (status === 401) return true;
  if (status !== 403) return false;
  if (path === "me") return true;
  const headers = { Authorization: `Bearer ${token.get()}` };
  return [401, 403].includes((await answered("me", { headers })).status);
}
