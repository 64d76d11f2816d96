/** Whether the service can be reached, and the line that says so when it cannot. */

import { h, show } from "./dom.js";
import { timeText } from "./format.js";

let lastHeard = null;
let isLost = false;

/** An answer came. */
export function restored() {
  lastHeard = new Date();
  if (!isLost) return;
  isLost = false;
  show(place(), h("p", { class: "healed" }, "Connected again."));
  setTimeout(() => isLost || show(place()), 4000);
}

/** No answer came. */
export function lost() {
  if (isLost) return;
  isLost = true;
  const since = lastHeard ? ` What you see is from ${timeText(lastHeard)}.` : "";
  show(
    place(),
    h(
      "p",
      {},
      `The service cannot be reached.${since} It is tried again by itself. `,
      h("button", { type: "button", class: "quiet", onclick: tryNow }, "Try now"),
    ),
  );
}

function tryNow() {
  window.dispatchEvent(new Event("try-now"));
}

function place() {
  return document.getElementById("lost");
}
