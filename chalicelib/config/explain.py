"""What pydantic found, in the words of the person who wrote the YAML."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cached_property
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from chalicelib.config.document import Document
from chalicelib.config.mistakes import MAX_SHOWN, KeyPath, Mistake, is_secret, shown, what
from chalicelib.config.places import Place, located
from chalicelib.config.references import Reference

_SENTENCES = {
    "missing": "missing{hint}",
    "int": "{value} is not a whole number",
    "float": "{value} is not a number",
    "decimal": "{value} is not a number",
    "finite": "{value} is not a number",
    "bool": "{value} is not true or false",
    "string_type": "{what} where text is expected",
    "unquoted": "{value} is not text; put it in quotes",
    "string_pattern_mismatch": "{value} does not fit; {expected}",
    "literal": "{value} is not one of {choices}",
    "greater_than_equal": "{value} is less than {ge}",
    "greater_than": "{value} is not more than {gt}",
    "less_than_equal": "{value} is more than {le}",
    "too_short": "empty; at least one is needed",
    "tuple": "{what} where a list is expected",
    "dict": "{what} where names, each with its value, are expected",
    "model": "{what} where keys are expected: {keys}",
}
"""By pydantic's type of error, or the first word of it."""

_NEIGHBOURS = 100
"""Keys among which a misspelt `type` is looked for."""

_QUOTED = re.compile(r"'([^']+)'")


@dataclass(frozen=True)
class _Typo:
    """An unknown key and the one that was probably meant."""

    path: KeyPath
    meant: KeyPath | None
    text: str


class Explainer:
    """Knows what was written where. `known` are the places with a mistake already."""

    def __init__(
        self,
        document: Document,
        references: Mapping[KeyPath, Reference],
        known: Collection[KeyPath] = (),
    ) -> None:
        self._document = document
        self._references = references
        self._known = known

    def mistakes(self, error: ValidationError, limit: int) -> list[Mistake]:
        """One mistake a place; those that only follow from another one are left out.

        Only the first `limit` of what pydantic found are explained, since each takes its time.
        """
        first = error.errors(include_url=False)[:limit]
        details = [(e, located(e["loc"])) for e in first]
        typos = [typo for e, place in details if (typo := self._typo(e, place))]
        meant = {typo.meant for typo in typos}
        found = {typo.path: typo.text for typo in typos}
        for detail, place in details:
            path, text = self._explained(detail, place)
            if path not in meant and not self._is_follow_up(detail, path):
                found.setdefault(path, text)
        return [
            Mistake(self._document.line(path), path, text)
            for path, text in found.items()
            if path not in self._known
        ]

    def _typo(self, detail: ErrorDetails, place: Place) -> _Typo | None:
        if detail["type"] == "extra_forbidden":
            above, key = place.path[:-1], str(place.path[-1])
            known = Place(above, place.owners[0]).keys
            free = [name for name in known if not self._document.has((*above, name))]
            if near := get_close_matches(key[:MAX_SHOWN], free, 1):
                return _Typo(place.path, (*above, near[0]), f"unknown key; did you mean {near[0]}?")
            return _Typo(place.path, None, f"unknown key; there is {', '.join(known)}")
        if detail["type"] == "union_tag_not_found" and isinstance(detail["input"], dict):
            keys = [key[:MAX_SHOWN] for key in islice(detail["input"], _NEIGHBOURS)]
            for near in get_close_matches("type", keys, 1):
                path = (*place.path, near)
                return _Typo(path, (*place.path, "type"), "unknown key; did you mean type?")
        return None

    def _is_follow_up(self, detail: ErrorDetails, path: KeyPath) -> bool:
        if detail["type"] == "too_short":
            # pydantic counts the items that were right, so one wrong item makes a list too short.
            return bool(detail["input"])
        if detail["type"] == "value_error":
            return any(known[: len(path)] == path for known in self._known)
        return False

    def _explained(self, detail: ErrorDetails, place: Place) -> tuple[KeyPath, str]:
        kind, value, path = detail["type"], detail["input"], place.path
        if kind == "value_error":
            return self._own_words(str(detail["ctx"]["error"]), path)
        if kind == "union_tag_not_found" and not isinstance(value, dict):
            kind = "model"
        if kind == "union_tag_not_found":
            return (*path, "type"), f"missing; one of {', '.join(place.choices)}"
        if kind == "union_tag_invalid":
            path, value, kind = (*path, "type"), value["type"], "literal"
        if kind != "missing":
            path = self._written(path)
        return path, self._sentence(kind, value, path, place, detail.get("ctx", {}))

    def _written(self, path: KeyPath) -> KeyPath:
        """The path without what a shorthand left out: `amount: integer`, `from: Betrag`."""
        while not self._document.has(path):
            path = path[:-1]
        return path

    def _sentence(
        self, kind: str, value: object, path: KeyPath, place: Place, context: Mapping[str, Any]
    ) -> str:
        if place.takes_any_scalar:
            return f"{what(value)} where a single value is expected"
        if kind == "string_type" and isinstance(value, bool | int | Decimal):
            kind = "unquoted"
        first_word = kind.partition("_")[0]
        words = _SENTENCES.get(kind) or _SENTENCES.get(first_word) or "{value} does not fit"
        return words.format(
            **{k: v for k, v in context.items() if k in ("ge", "gt", "le")},
            value=self._shown(value, path),
            what=what(value),
            hint=_hint(place),
            expected=_expected(place, context),
            choices=", ".join(place.choices),
            keys=", ".join(place.keys),
        )

    def _shown(self, value: object, path: KeyPath) -> str:
        reference = self._references.get(path)
        return shown(reference.written if reference else value, path)

    def _own_words(self, text: str, path: KeyPath) -> tuple[KeyPath, str]:
        """The message of a model's own check; one that begins `min: …` is about that key."""
        key, colon, rest = text.partition(": ")
        if colon and self._document.has((*path, key)):
            path, text = (*path, key), rest
        if is_secret(path):
            return path, "the value does not fit"
        return path, self._without_resolved(text, path)

    def _without_resolved(self, text: str, path: KeyPath) -> str:
        """The text with what came out of a reference replaced by the reference."""
        for reference in self._references_below[path]:
            text = _replaced(text, reference)
        return text

    @cached_property
    def _references_below(self) -> Mapping[KeyPath, list[Reference]]:
        """Those with a value, by each place that they are at or below."""
        found: dict[KeyPath, list[Reference]] = defaultdict(list)
        for place, reference in self._references.items():
            for length in range(len(place) + 1 if reference.value else 0):
                found[place[:length]].append(reference)
        return found


def _replaced(text: str, reference: Reference) -> str:
    value, written = repr(reference.value)[1:-1], repr(reference.written)
    text = _QUOTED.sub(lambda quoted: written if quoted[1] in value else quoted[0], text)
    if value not in text:
        return text
    return re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", lambda _: written, text)


def _expected(place: Place, context: Mapping[str, Any]) -> str:
    description = place.field.description if place.field else None
    return description or f"it must match {context.get('pattern')}"


def _hint(place: Place) -> str:
    if place.field and place.field.description:
        return f"; {place.field.description}"
    return f"; one of {', '.join(place.choices)}" if place.choices else ""
