/** What the role of the token may do. A button that it may not use says so before the click. */

import { h } from "./dom.js";
import { complain } from "./notes.js";

const ROLES = ["viewer", "operator", "admin"];
const ONLY_FOR = { operator: "needs an operator's token", admin: "needs an admin's token" };

let role = "viewer";
let notes = 0;

/** The token belongs to somebody of this role. */
export function become(me) {
  role = me.role;
}

/** Whether the role is enough for what needs another. */
export function may(needed) {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/** Above a list with many buttons: why those of this name may not be used. */
export function hintFor(label, needed) {
  return may(needed) ? null : h("p", { class: "hint" }, `“${label}” ${ONLY_FOR[needed]}.`);
}

/**
 * A button that does some work, once at a time; what goes wrong is told above the view. Why it may
 * not be used stands below it, or in the tooltip of one among many.
 * @param {string | Node} label
 * @param {string} needed the role that it takes
 * @param {() => Promise<any>} work
 * @param {{id?: string, class?: string, role?: string}} [properties] of the button
 */
export function action(label, needed, work, properties = {}) {
  const why = may(needed) ? null : ONLY_FOR[needed];
  const isOneOfMany = properties.class === "small";
  const note =
    why && !isOneOfMany && h("small", { id: `note-${(notes += 1)}`, class: "hint" }, why);
  const button = h(
    "button",
    {
      type: "button",
      ...properties,
      title: why && isOneOfMany && why,
      "aria-disabled": why && "true",
      "aria-describedby": note && note.id,
      onclick: () => !why && once(button, work),
    },
    label,
  );
  return h("span", { class: "action" }, button, note);
}

/** Do the work; until it is done the button does nothing. */
export async function once(button, work) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    complain(error);
  } finally {
    button.removeAttribute("aria-busy");
  }
}
