/** Files of a run: the service hands out a URL that needs no token for some minutes. */

import { get } from "./api.js";
import { h } from "./dom.js";

/** Fetch the file behind this path of the API. */
export async function download(path) {
  const { url } = await get(path);
  h("a", { href: url, download: "" }).click();
}
