/** The service's own checks of what is being written, and its mistakes at their lines. */

import { passesByItself, post } from "./api.js";
import { h, show } from "./dom.js";
import { count } from "./format.js";

const PAUSE = 400,
  AGAIN = 5000;
const NAMES_A_LINE = /^line (\d+): (.*)$/s;

/**
 * Checks the text of an editor, a moment after it was changed.
 * @param {{text: string, mark: (lines: number[]) => void, goTo: (line: number) => void}} write
 * @param {AbortSignal} signal
 */
export function checker(write, signal) {
  const verdict = h("div", { id: "verdict", class: "verdict", role: "status" });
  const mistakes = h("ol", { class: "mistakes" });
  let asking = new AbortController();
  let timer;
  signal.addEventListener("abort", stop);

  function stop() {
    asking.abort();
    clearTimeout(timer);
  }

  function soon() {
    stop();
    say(write.text.trim() && "Checking …");
    timer = setTimeout(now, PAUSE);
  }

  /** What was said of another text is not left standing. */
  function say(words, kind = "hint") {
    if (verdict.textContent !== words) show(verdict, words && h("p", { class: kind }, words));
  }

  /** An answer to a text that was changed meanwhile counts for nothing. */
  async function now() {
    stop();
    asking = new AbortController();
    const asked = asking.signal;
    if (!write.text.trim()) return judge("", []);
    try {
      const { warnings } = await post("validate-config", { yaml: write.text, signal: asked });
      return judge("✓ No mistakes", [], warnings);
    } catch (error) {
      return asked.aborted ? undefined : unchecked(error);
    }
  }

  function unchecked(error) {
    if (error.code === "invalid_configuration") return refused(error);
    if (passesByItself(error)) timer = setTimeout(now, AGAIN);
    return say(`Not checked. ${error.message}`);
  }

  /** Show the mistakes that the service refused the text for; other errors are thrown on. */
  function refused(error) {
    if (error.code !== "invalid_configuration") throw error;
    judge(`✕ ${count(error.details.length, "mistake")}`, error.details.map(located));
  }

  function judge(words, found, warnings = []) {
    write.mark(found.map(({ line }) => line).filter(Boolean));
    say(words, found.length ? "problem" : "good");
    show(
      mistakes,
      found.map(mistake),
      warnings.map((text) => h("li", { class: "warning" }, `Warning: ${text}`)),
    );
  }

  function mistake({ line, text }) {
    const go = { type: "button", class: "quiet small", onclick: () => write.goTo(line) };
    return h("li", {}, line && [h("button", go, `Line ${line}`), " "], text);
  }

  return { elements: [verdict, mistakes], soon, refused };
}

/** The line of a mistake as the service tells it: `line 14: sources[1].auth.type: …`. */
export function located(detail) {
  const [, line, text] = detail.match(NAMES_A_LINE) ?? [];
  return line ? { line: Number(line), text } : { line: null, text: detail };
}
