/** Colours of YAML, line by line. Only colours: what the text means is the service's to say. */

import { h } from "./dom.js";

const TOKEN = new RegExp(
  [
    String.raw`(?<comment>(?<=^|\s)#.*$)`,
    String.raw`(?<key>[\w$][\w .$/-]*?(?=\s*:(?:\s|$)))`,
    String.raw`(?<value>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\$\{[^}]*\})`,
  ].join("|"),
  "g",
);

/** The line as an element in which keys, texts and comments have a class each. */
export function coloured(line, wrong) {
  const parts = [];
  let end = 0;
  for (const match of line.matchAll(TOKEN)) {
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    parts.push(line.slice(end, match.index), h("span", { class: kind }, match[0]));
    end = match.index + match[0].length;
  }
  return h("span", { class: wrong ? "line wrong" : "line" }, parts, line.slice(end));
}
