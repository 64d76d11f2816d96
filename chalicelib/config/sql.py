"""SQL as people write it into the configuration: cut into statements, its placeholders filled.

This reads just enough of SQL to see what is text, what is a comment and what is neither. What may
be executed is not decided here but by the server; here mistakes are found before anything runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<quoted>[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*")
    | (?P<dollar>\$(?:[^\W\d]\w*)?\$)
    | (?P<word>[^\W\d][\w$]*)
    | (?P<placeholder>\{\w*\})
    | (?P<end>;)
    | (?P<open>['"])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)

PLACEHOLDERS = ("{table}", "{run_id}")

ENDING = {
    "abort", "begin", "commit", "end", "prepare transaction", "release", "rollback", "savepoint",
    "set transaction", "start transaction",
}  # fmt: skip
"""How a statement begins that has to do with the transaction it is in."""

COMMENT_MARK = re.compile(r"/\*|\*/")


@dataclass(frozen=True)
class Token:
    """A piece of SQL. `kind` is the name of its group in TOKEN."""

    kind: str
    text: str


@dataclass(frozen=True)
class Statement:
    """One statement; `line` is where it begins in the text that it was cut from, from 1."""

    tokens: tuple[Token, ...]
    line: int

    @property
    def text(self) -> str:
        """The statement as it was written, without the semicolon."""
        return "".join(token.text for token in self.tokens)

    @property
    def words(self) -> tuple[str, ...]:
        """Keywords and unquoted names, in lower case."""
        return tuple(token.text.lower() for token in self.tokens if token.kind == "word")

    def filled(self, values: Mapping[str, str]) -> str:
        """The text with the values, which are SQL, in place of `{table}` and `{run_id}`."""
        return "".join(_filled(token, values) for token in self.tokens)


def statements(sql: str) -> list[Statement]:
    """The statements of a text. ValueError with the line of what can be none, or may not be one."""
    found = list(_cut(sql))
    if not found:
        raise ValueError("there is no statement in it")
    for statement in found:
        _refuse(statement)
    return found


def _cut(sql: str) -> Iterator[Statement]:
    """Cut at each semicolon, but not in the body of a function that is written BEGIN ATOMIC."""
    tokens: list[Token] = []
    line = depth = 0
    position = 1
    for token in [*_tokens(sql), Token("end", ";")]:
        if not tokens:
            line = position
        position += token.text.count("\n")
        depth += _nesting(token, tokens, depth)
        if token.kind != "end" or depth:
            if tokens or token.kind not in ("space", "comment"):
                tokens.append(token)
        elif tokens:
            yield Statement(tuple(tokens), line)
            tokens = []


def _nesting(token: Token, before: list[Token], depth: int) -> int:
    """What a word adds to the depth of blocks that end with END."""
    word = token.text.lower() if token.kind == "word" else ""
    if word == "atomic":
        words = (token.text.lower() for token in reversed(before) if token.kind == "word")
        return int(next(words, "") == "begin" and before[0].text.lower() == "create")
    if depth and word in ("case", "end"):
        return 1 if word == "case" else -1
    return 0


def _tokens(sql: str) -> Iterator[Token]:
    position = 0
    while found := TOKEN.match(sql, position):
        kind, end = str(found.lastgroup), found.end()
        if kind == "comment":
            end = _comment_end(sql, position)
        elif kind == "dollar":
            end = sql.find(found[0], end) + len(found[0])
        if kind == "open" or end < found.end():
            raise ValueError(
                f"line {_line(sql, position)} of the SQL: {found[0]} is opened and not closed"
            )
        yield Token(kind, sql[position:end])
        position = end


def _comment_end(sql: str, start: int) -> int:
    """Where the comment ends that starts here: they nest. Before its start if it does not."""
    depth = 0
    for mark in COMMENT_MARK.finditer(sql, start):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return -1


def _line(sql: str, position: int) -> int:
    return sql.count("\n", 0, position) + 1


def _refuse(statement: Statement) -> None:
    line = statement.line
    for token in statement.tokens:
        if problem := _misplaced(token):
            raise ValueError(f"line {line} of the SQL: {problem}")
        line += token.text.count("\n")
    if problem := _unfit(statement.words):
        raise ValueError(f"line {statement.line} of the SQL: {problem}")


def _misplaced(token: Token) -> str:
    """What is wrong with a placeholder, if anything."""
    if token.kind == "placeholder" and token.text not in PLACEHOLDERS:
        return f"{token.text} stands for nothing; there are {' and '.join(PLACEHOLDERS)}"
    if token.kind == "quoted" and any(name in token.text for name in PLACEHOLDERS):
        return f"{token.text} is taken as it is; leave its quotes out, they are put around it"
    return ""


def _unfit(words: tuple[str, ...]) -> str:
    """Why a statement of these words cannot run in a transaction that is not its own."""
    for beginning in (words[:1], words[:2]):
        if " ".join(beginning) in ENDING:
            control = " ".join(beginning).upper()
            return f"{control} would reach beyond it: it runs in the transaction of the load"
    if words[:1] == ("vacuum",) or "concurrently" in words:
        word = "VACUUM" if words[:1] == ("vacuum",) else "CONCURRENTLY"
        return f"{word} cannot run in the transaction of the load; leave it out"
    return ""


def _filled(token: Token, values: Mapping[str, str]) -> str:
    if token.kind == "placeholder":
        return values[token.text]
    if token.kind == "dollar":  # the body of a function or a DO
        tag = token.text[: token.text.index("$", 1) + 1]
        return _in_body(token.text, values, tag)
    return token.text


def _in_body(body: str, values: Mapping[str, str], tag: str) -> str:
    for name, value in values.items():
        if tag not in value:
            body = body.replace(name, value)
    return body
