"""JSON text to values with nothing lost: every digit, every key, every character."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from json import JSONDecodeError
from typing import Any

SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
"""An escape that is half of a pair, and well may stand beside the other half."""

_SPACE = re.compile(r"[ \t\n\r]*")

Scan = Callable[[str, int], tuple[Any, int]]
"""From a text and where a value begins in it to the value and where it ends."""

HALF_A_PAIR = "no Unicode text: it holds half of a surrogate pair"
TOO_DEEP = "it is nested too deeply"


class FlawedError(ValueError):
    """The text is JSON, and a part of its value would be lost."""


class Decoder:
    """Decodes values one by one. `flaw` says what the last one would lose, None for nothing.

    A number with a point is a Decimal, and so is an integer too long for Python. NaN, Infinity
    and -Infinity, which JSON does not have, are read as these words; `words` are those met.
    """

    def __init__(self) -> None:
        self.flaw: str | None = None
        self.words: set[str] = set()
        self._scan = self._scanner()
        self._scan_patiently = self._scanner(parse_int=Decimal, parse_float=self._number)

    def value(self, text: str, at: int) -> tuple[Any, int]:
        """The value that begins at `at`, and where it ends.

        Raises JSONDecodeError, and FlawedError for one that is nested too deeply to find its end.
        """
        self.flaw = None
        try:
            return self._scanned(text, at)
        except StopIteration as stop:
            raise JSONDecodeError("Expecting value", text, stop.value) from None
        except RecursionError:
            raise FlawedError(TOO_DEEP) from None

    def whole(self, text: str) -> Any:
        """The value that is all of the text. Raises JSONDecodeError and FlawedError."""
        value, end = self.value(text, after_space(text, 0))
        if (after := after_space(text, end)) < len(text):
            raise JSONDecodeError("Extra data", text, after)
        if flaw := self.flaw or half_a_pair(value, text):
            raise FlawedError(flaw)
        return value

    def _scanned(self, text: str, at: int) -> tuple[Any, int]:
        try:
            return self._scan(text, at)
        except JSONDecodeError:
            raise
        except (ValueError, InvalidOperation):  # a number that only few programs can hold
            self.flaw = None
            return self._scan_patiently(text, at)

    def _scanner(
        self,
        parse_float: Callable[[str], Any] = Decimal,
        parse_int: Callable[[str], Any] | None = None,
    ) -> Scan:
        decoder: Any = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_float=parse_float,
            parse_int=parse_int,
            parse_constant=self._word,
        )
        scan: Scan = decoder.scan_once
        return scan

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for at, key in enumerate(keys) if key in keys[:at])
            self.flaw = f"the key {twice!r} occurs twice in one object"
        return found

    def _word(self, word: str) -> str:
        self.words.add(word)
        return word

    def _number(self, text: str) -> Decimal | str:
        try:
            return Decimal(text)
        except InvalidOperation:
            self.flaw = f"the number {text[:40]} is beyond what any number can be"
            return text


def after_space(text: str, at: int) -> int:
    """Where the first character from `at` on is that is not white space, or the end."""
    found = _SPACE.match(text, at)
    return found.end() if found else at


def half_a_pair(value: Any, text: str) -> str | None:
    """What is wrong when an escape such as \\ud800 stands alone: it is no character."""
    if not SURROGATE.search(text):
        return None
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return HALF_A_PAIR
    return None
