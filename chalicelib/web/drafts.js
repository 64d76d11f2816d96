/** What was written and is not stored: it waits while the reader looks elsewhere, by a name. */

export const drafts = new Map();

/** A token that was replaced meanwhile takes no draft away. */
window.addEventListener("signed-out", ({ detail }) => {
  if (detail.isMeant) drafts.clear();
});

window.addEventListener("beforeunload", (event) => {
  if (drafts.size) event.preventDefault();
});
