/** What the role of the token may do. A button that it may not use says so before the click. */

import { h } from "./dom.js";
import { complain } from "./notes.js";

const ROLES = ["viewer", "operator", "admin"];
const ONLY_FOR = { operator: "needs an operator's token", admin: "needs an admin's token" };

let role = "viewer";
let buttons = 0;

/** The token belongs to somebody of this role. */
export function become(me) {
  role = me.role;
}

/** Whether the role is enough for what needs another. */
export function may(needed) {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * A button that does some work, once at a time; what goes wrong is told above the view.
 * @param {string | Node} label
 * @param {string} needed the role that it takes
 * @param {() => Promise<any>} work
 * @param {{id?: string, class?: string, role?: string}} [properties] of the button
 */
export function action(label, needed, work, properties = {}) {
  const note = `note-${(buttons += 1)}`;
  const allowed = may(needed);
  const button = h(
    "button",
    {
      type: "button",
      ...properties,
      "aria-disabled": allowed ? null : "true",
      "aria-describedby": allowed ? null : note,
      onclick: () => allowed && once(button, work),
    },
    label,
  );
  const why = allowed ? null : h("small", { id: note, class: "hint" }, ONLY_FOR[needed]);
  return h("span", { class: "action" }, button, why);
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
