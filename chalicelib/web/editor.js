/** A text area with line numbers, colours and marked lines; undo is the browser's own. */

import { h, show } from "./dom.js";
import { coloured } from "./yaml.js";

const INDENT = "  ";
const MOST_LINES = 2000;
/** To insert lines one by one, as browsers do, takes seconds beyond that. */
const MOST_UNDOABLE = 300;

/**
 * @param {{label: string, describedBy: string, oninput: (text: string) => void}} options
 * @returns an object with `element`, `text`, `canUndo`, `fill`, `replace`, `mark` and `goTo`
 */
export function editor({ label, describedBy, oninput }) {
  const area = h("textarea", {
    id: "yaml",
    wrap: "off",
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    "aria-label": label,
    "aria-describedby": `keys ${describedBy}`,
    onkeydown: keyboard(),
    oninput: changed,
  });
  const colours = h("pre", { "aria-hidden": "true" });
  const gutter = h("div", { class: "gutter", "aria-hidden": "true" });
  const hint = h(
    "p",
    { class: "hint", id: "keys" },
    "Tab indents. To leave with the keyboard press Escape, then Tab.",
  );
  let wrong = new Set();
  let marked = "";
  let awaited = 0;

  /** Browsers tell of each line that is pasted; all of them are drawn at once, before the next paint. */
  function changed() {
    if (!awaited) awaited = requestAnimationFrame(changedForGood);
  }

  function changedForGood() {
    awaited = 0;
    draw();
    oninput(area.value);
  }

  function draw() {
    const lines = area.value.split("\n");
    if (lines.length > MOST_LINES) return drawPlain(lines);
    show(
      colours,
      lines.map((line, index) => coloured(line, wrong.has(index + 1))),
    );
    const numbers = `${lines.length}/${[...wrong]}`;
    if (numbers === marked) return;
    marked = numbers;
    return show(
      gutter,
      lines.map((_, index) =>
        h("span", { class: wrong.has(index + 1) ? "wrong" : null }, index + 1),
      ),
    );
  }

  /** Colours and marks cost too much when there are so many lines. */
  function drawPlain(lines) {
    marked = "";
    show(colours, `${area.value}\n`);
    show(gutter, h("span", {}, lines.map((_, index) => index + 1).join("\n")));
  }

  return {
    element: h(
      "div",
      { class: "writing" },
      h("div", { class: "editor" }, gutter, h("div", { class: "sheet" }, colours, area)),
      hint,
    ),
    get text() {
      return area.value;
    },
    canUndo,
    /** Begin with this text. */
    fill(text) {
      area.value = text;
      draw();
    },
    /** Put this in place of the text; undo brings the old one back, unless there is too much of it. */
    replace(text) {
      area.focus();
      if (canUndo(text)) {
        area.select();
        insert(text);
      } else {
        area.value = text;
        changed();
      }
      area.setSelectionRange(0, 0);
      area.closest(".editor").scrollTo(0, 0);
    },
    /** Mark these lines, from 1. */
    mark(lines) {
      wrong = new Set(lines);
      area.setAttribute("aria-invalid", String(wrong.size > 0));
      draw();
    },
    /** Go to the line and select what is written in it. */
    goTo(line) {
      const [start, end] = lineBounds(area.value, line);
      area.focus();
      area.setSelectionRange(start, end);
      const box = area.closest(".editor");
      const top = ((line - 0.5) / area.value.split("\n").length) * area.offsetHeight;
      box.scrollTo(0, top - box.clientHeight / 2);
    },
  };
}

/** Whether undo brings back what this text replaces. */
function canUndo(text) {
  return text.split("\n").length <= MOST_UNDOABLE;
}

function lineBounds(text, line) {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const content = lines[line - 1] ?? "";
  return [start + content.length - content.trimStart().length, start + content.length];
}

/** Tab and Enter write; after Escape the next Tab leaves, so that nobody is trapped. */
function keyboard() {
  let leaving = false;
  return (event) => {
    if (event.key === "Escape") leaving = true;
    else if (event.key === "Tab" && !leaving && !event.ctrlKey && !event.altKey) indent(event);
    else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) newLine(event);
    else if (event.key !== "Shift") leaving = false;
  };
}

function indent(event) {
  event.preventDefault();
  const area = event.target;
  const { selectionStart: from, selectionEnd: to, value } = area;
  if (from === to && !event.shiftKey) return insert(INDENT);
  const start = value.lastIndexOf("\n", from - 1) + 1;
  const block = value.slice(start, to);
  const moved = event.shiftKey ? block.replace(/^ {1,2}/gm, "") : block.replace(/^(?=.)/gm, INDENT);
  if (moved === block) return undefined;
  area.setSelectionRange(start, to);
  insert(moved);
  const end = start + moved.length;
  return area.setSelectionRange(
    from === to ? Math.max(start, from + moved.length - block.length) : start,
    end,
  );
}

function newLine(event) {
  const { selectionStart: from, value } = event.target;
  const line = value.slice(value.lastIndexOf("\n", from - 1) + 1, from);
  event.preventDefault();
  insert(`\n${line.match(/^ */)[0]}`);
}

/** The one way to write into a text area that the browser can undo. */
function insert(text) {
  document.execCommand(text ? "insertText" : "delete", false, text);
}
