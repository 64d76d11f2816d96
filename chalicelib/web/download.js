/** Files of a run: the service hands out a URL that needs no token for some minutes. */

import { get } from "./api.js";
import { h } from "./dom.js";

/** Fetch the file behind this path of the API, in a tab of its own: a refusal leaves the page be. */
export async function download(path) {
  const { url } = await get(path);
  h("a", { href: url, target: "_blank", rel: "noopener" }).click();
}
