/** A list, newest first, of which older pages do not change any more. */

import { get } from "./api.js";

/**
 * @param {string} name of the list, in the API's path and in its answer
 * @param {string} key that its entries differ by
 * @param {Record<string, any>} query which entries, and how many at once
 * @param {AbortSignal} signal
 */
export function pages(name, key, query, signal) {
  let found = [],
    next = null,
    asked = 0;

  const shown = () => ({ found, more: next !== null });

  function page(more) {
    return get(`${name}?${new URLSearchParams({ ...query, ...more })}`, { signal });
  }

  /** The list with its newest page as it is now. */
  async function refresh() {
    const mine = (asked += 1);
    const newest = await page();
    if (mine === asked) renew(newest[name], newest.next); // or a later answer was here before
    return shown();
  }

  /** The list with one more page at its end. */
  async function older() {
    const before = next;
    const more = await page({ before });
    if (before === next) [found, next] = [[...found, ...more[name]], more.next];
    return shown();
  }

  /** What comes after the last of the newest stays, if they meet. */
  function renew(newest, after) {
    const last = found.findIndex((each) => each[key] === newest.at(-1)?.[key]);
    if (last < 0) next = after;
    found = last < 0 ? newest : [...newest, ...found.slice(last + 1)];
  }

  return { refresh, older };
}
