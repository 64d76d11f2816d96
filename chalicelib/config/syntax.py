"""What is wrong with a text that is not YAML, said to somebody who does not know its grammar."""

from __future__ import annotations

import yaml

_PLAIN_WORDS = {
    "mapping values are not allowed": "a ':' that does not belong here: put text that contains"
    " ': ' in quotes, or align the line with the keys above",
    "did not find expected key": "this line does not fit the ones above: its indentation is"
    " different, or text goes on after a closing quote",
    "expected '-' indicator": "this line is not indented like the list it follows",
    "could not find expected ':'": "a key without ':' after it",
    "cannot start any token": "a tab, @, ` or % cannot begin a value or indent a line: indent"
    " with spaces, put such text in quotes",
    "unexpected end of stream": "the quote opened on line {start} is never closed",
    "expected ',' or": "the bracket opened on line {start} is not closed, or a comma is missing",
    "expected node content": "a value is missing, or text begins with , ] or }: put it in quotes",
    "unknown escape": "in double quotes a backslash is written twice; or use single quotes",
    "block sequence entries are not allowed": "a list item cannot begin here: put each '- ' on a"
    " line of its own",
    "control characters": "an invisible control character; delete it",
}


def in_plain_words(error: yaml.YAMLError, text: str) -> str:
    """Line, column and problem of a syntax error, without a word of the text itself."""
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML")
    mark = getattr(error, "problem_mark", None)
    words = next((w for known, w in _PLAIN_WORDS.items() if known in problem), problem)
    if mark is None:
        before = text.encode()[: getattr(error, "position", 0)].decode(errors="ignore")
        return f"line {before.count(chr(10)) + 1}: {words}"
    start = (getattr(error, "context_mark", None) or mark).line + 1
    return f"line {mark.line + 1}, column {mark.column + 1}: {words.replace('{start}', str(start))}"
