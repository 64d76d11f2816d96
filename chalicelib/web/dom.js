/** Elements without HTML in texts: whatever a file, a row or a message holds stays text. */

/**
 * An element. Properties that begin with `on` are listeners; null, undefined and false leave an
 * attribute out.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...any} children elements, texts, lists of them; what is empty or false is left out
 */
export function h(tag, properties = {}, ...children) {
  return filled(document.createElement(tag), properties, children);
}

/** An element of a drawing. */
export function svg(tag, properties = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

/** Put these in place of what is there; the focus stays on the element of the same id. */
export function show(place, ...children) {
  const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
  place.replaceChildren(...flat(children));
  if (focused) document.getElementById(focused)?.focus();
}

/**
 * A function that draws what it is given, unless that is what it was given before: a poll that
 * brings nothing new disturbs neither the reader nor a screen reader.
 * @param {HTMLElement} place
 * @param {(value: any) => any} draw
 */
export function drawer(place, draw) {
  let before;
  return (value) => {
    const now = JSON.stringify(value);
    if (now === before) return;
    before = now;
    show(place, draw(value));
  };
}

/** A table with a caption for screen readers, in a box that scrolls sideways by itself. */
export function table(caption, headings, rows, properties = {}) {
  const head = h(
    "tr",
    {},
    headings.map((each) => h("th", { scope: "col", ...classOf(each) }, name(each))),
  );
  return h(
    "div",
    { class: "scroller", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      properties,
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, head),
      h("tbody", {}, rows),
    ),
  );
}

function filled(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false)
      element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child || child === 0);
}

function classOf(heading) {
  return Array.isArray(heading) ? { class: heading[1] } : {};
}

function name(heading) {
  return Array.isArray(heading) ? heading[0] : heading;
}
