"""`${env:NAME}` and `${env:NAME:-default}` inside text values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.config.document import Document
from chalicelib.config.mistakes import KeyPath, Mistake, Value, is_secret

KINDS = ("env",)
PREFIX = "ELT_"
"""Only these names may be read: the rest of the environment holds the role's own keys."""

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_REFERENCE = re.compile(r"\$\$\{|\$\{([^}]*)(\}?)")


@dataclass(frozen=True)
class Reference:
    """A text as it was written, and what it stands for. Only the first may be shown."""

    written: str
    value: str


@dataclass(frozen=True)
class Resolved:
    """The document's data with every reference replaced; where one was, and what is wrong."""

    data: Value
    references: Mapping[KeyPath, Reference] = field(default_factory=dict)
    mistakes: tuple[Mistake, ...] = ()


class _UnresolvedError(Exception):
    """A reference that stands for nothing; the message says why."""


def resolve(document: Document, env: Mapping[str, str]) -> Resolved:
    """Replace the references in all text values; keys stay as they are.

    A value is replaced once: what comes from the environment is not looked through again.
    `$${` is a literal `${`. A text with a mistake is kept as it was written.
    """
    walk = _Walk(document, env)
    return Resolved(walk.value(document.data, ()), walk.references, tuple(walk.mistakes))


class _Walk:
    """One pass over the data, noting what it finds."""

    def __init__(self, document: Document, env: Mapping[str, str]) -> None:
        self._document = document
        self._env = env
        self.references: dict[KeyPath, Reference] = {}
        self.mistakes: list[Mistake] = []

    def value(self, value: Value, path: KeyPath) -> Value:
        match value:
            case dict():
                return {key: self.value(item, (*path, key)) for key, item in value.items()}
            case list():
                return [self.value(item, (*path, i)) for i, item in enumerate(value)]
            case str() if "${" in value:
                return self._text(value, path)
        return value

    def _text(self, text: str, path: KeyPath) -> str:
        before = len(self.mistakes)
        value = _REFERENCE.sub(lambda match: self._replacement(match, path), text)
        if len(self.mistakes) > before:
            return text
        self.references[path] = Reference(text, value)
        return value

    def _replacement(self, match: re.Match[str], path: KeyPath) -> str:
        if match[0] == "$${":
            return "${"
        try:
            return _value_of(match, self._env, hide=is_secret(path))
        except _UnresolvedError as problem:
            self.mistakes.append(Mistake(self._document.line(path), path, str(problem)))
            return match[0]


def _value_of(match: re.Match[str], env: Mapping[str, str], *, hide: bool) -> str:
    if not match[2]:
        raise _UnresolvedError("a '${' is not closed by '}'; a literal '${' is written '$${'")
    kind, colon, rest = match[1].partition(":")
    if kind not in KINDS or not colon:
        unknown = "this" if hide else repr(kind)
        raise _UnresolvedError(
            f"{unknown} is not a kind of reference; there is {', '.join(KINDS)}, as"
            f" ${{env:{PREFIX}NAME}}, and a literal '${{' is written '$${{'"
        )
    return _from_environment(rest, env)


def _from_environment(reference: str, env: Mapping[str, str]) -> str:
    name, has_default, default = reference.partition(":-")
    if not name.startswith(PREFIX):
        shown = name if _NAME.fullmatch(name) else "that"
        raise _UnresolvedError(f"{shown} cannot be read; only names that begin with {PREFIX} can")
    if "${" in default:
        raise _UnresolvedError("a default cannot hold another reference")
    if has_default:
        return env.get(name) or default
    if name not in env:
        raise _UnresolvedError(f"{name} is not set; set it or write ${{env:{name}:-default}}")
    return env[name]
