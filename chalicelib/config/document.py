"""YAML text to plain values with the line of each, safe whatever the text is.

The dialect is YAML 1.2's core with numbers as JSON writes them: `no`, `22:22`, `2026-01-01`,
`007` and `0x1F` stay text, because country codes, times and article numbers must not change
under the hands of their owner. A number with a fraction or an exponent is a Decimal, so that
`0.10` stays exact. There are no tags, directives or merge keys (`<<`); anchors and aliases
work, within the limits below. Every limit is checked as the parser reports an event, before
anything is made of it: an alias is never expanded and deep nesting never recurses.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import yaml

from chalicelib.config.mistakes import KeyPath, Mistake, Value, notation
from chalicelib.config.syntax import in_plain_words
from chalicelib.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 50
MAX_ALIASES = 100
MAX_NODES = 10_000
"""Keys and values in the document, those behind an alias counted again at each use. A table of
1,600 columns, the most that PostgreSQL has, needs 3,200 and more; to read as many takes 30 ms."""
MAX_SCALAR = 65_536
"""Characters of one key or value: as long as a secret may be."""

MAX_IN_ALL = {"sql": 49_152, "pattern": 16_384}
"""Characters of all values under such a key together: to check a thousand takes a millisecond."""

_Event = Any  # the stubs of yaml leave out what the parser adds
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# They mean nothing to us, and the parser takes seconds over some thousands of them.
_DIRECTIVE = re.compile("(?:^|[\r\n\x85\u2028\u2029])\ufeff?%")

# Bounded, so that no number is costly to make or to convert; anything longer stays text.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True)
class Document:
    """Plain values (dict, list, str, int, Decimal, bool, None) and where each was written.

    `spans` are the first character of a scalar, its anchor included, and the one after its last,
    not counting a byte order mark. What an alias stands for has none.
    `mistakes` are those that did not keep the rest from being read.
    """

    data: Value
    lines: Mapping[KeyPath, int]
    mistakes: tuple[Mistake, ...] = ()
    spans: Mapping[KeyPath, tuple[int, int]] = field(default_factory=dict)

    def has(self, path: KeyPath) -> bool:
        """Whether something was written there, null included."""
        value: Value = self.data
        for step in path:
            if isinstance(value, dict) and step in value:
                value = value[str(step)]
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return False
        return True

    def line(self, path: KeyPath) -> int:
        """The line, from 1, of the key or item there, or of its nearest known ancestor."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def parse(text: str, where: str = "") -> Document:
    """Read one YAML document. ConfigError for a syntax error or a limit, with its line."""
    try:
        if len(text.encode()) > MAX_BYTES:
            raise _refusal(f"longer than {MAX_BYTES:,} bytes", 1)
        if directive := _DIRECTIVE.search(text):
            line = text.count("\n", 0, directive.end()) + 1
            raise _refusal("directives (%…) are not supported; put text with a % in quotes", line)
        return _Reader(yaml.parse(text, Loader=_LOADER)).document()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        problem = f"line {line}: half a character (a lone surrogate); delete it"
        raise ConfigError([problem], where=where) from None
    except yaml.YAMLError as error:
        raise ConfigError([in_plain_words(error, text)], where=where) from None
    except ConfigError as error:
        raise ConfigError(error.problems, where=where) from None


class _Reader:
    """Builds the document while the parser reports it."""

    def __init__(self, events: Iterator[_Event]) -> None:
        self._events = events
        self._lines: dict[KeyPath, int] = {(): 1}
        self._mistakes: list[Mistake] = []
        self._spans: dict[KeyPath, tuple[int, int]] = {}
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._nodes = 0
        self._aliases = 0

    def document(self) -> Document:
        next(self._events)
        event = next(self._events)
        data = None
        if isinstance(event, yaml.DocumentStartEvent):
            data = self._value(next(self._events), ())
            next(self._events)
            self._refuse_another(next(self._events))
        self._refuse_costly(data)
        return Document(data, self._lines, tuple(self._mistakes), self._spans)

    def _refuse_another(self, event: _Event) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            raise _refusal("a second document ('---') begins; one file holds one", _line(event))

    def _refuse_costly(self, data: Value) -> None:
        sums: Counter[str] = Counter()
        for path, text in leaves(data):
            key = str(path[-1]) if path else ""
            sums[key] += len(text)
            if sums[key] > MAX_IN_ALL.get(key, MAX_BYTES):
                most = f"{MAX_IN_ALL[key]:,} characters"
                raise _refusal(f"all values of {key} together have more than {most}", 1)

    def _value(self, event: _Event, path: KeyPath) -> Value:
        if isinstance(event, yaml.AliasEvent):
            return self._aliased(event)
        self._count(1, event)
        if len(path) > MAX_DEPTH:
            raise _refusal(f"nested more than {MAX_DEPTH} levels deep", _line(event))
        if event.tag is not None:
            self._note(event, path, "tags (!…) are not supported; put text with a ! in quotes")
        before = self._nodes
        value = self._content(event, path)
        if event.anchor:
            self._anchors[event.anchor] = (value, self._nodes - before + 1)
        return value

    def _content(self, event: _Event, path: KeyPath) -> Value:
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._entries(path)
        self._refuse_long(event)
        self._spans[path] = event.start_mark.index, event.end_mark.index
        return event.value if event.style else _plain(event.value)

    def _items(self, path: KeyPath) -> list[Value]:
        items: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*path, len(items))
            self._lines[here] = _line(event)
            items.append(self._value(event, here))
        return items

    def _entries(self, path: KeyPath) -> dict[str, Value]:
        entries: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            here = (*path, self._key(event, path))
            if here[-1] in entries:
                first = self._lines[here]
                self._note(event, here, f"a second time; first on line {first}, keep one")
            else:
                self._lines[here] = _line(event)
            entries[str(here[-1])] = self._value(next(self._events), here)
        return entries

    def _key(self, event: _Event, path: KeyPath) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            hint = "a key must be text; put text that begins with {, [ or * in quotes"
            raise _refusal(f"{notation(path)}: {hint}".removeprefix(": "), _line(event))
        self._count(1, event)
        self._refuse_long(event)
        key: str = event.value
        if event.tag is not None or event.anchor:
            self._note(event, (*path, key), "a key cannot have a tag or an anchor")
        elif not event.style and key == "<<":
            self._note(event, (*path, key), "merging is not supported; write the keys out")
        elif not event.style and not isinstance(_plain(key), str):
            self._note(event, (*path, key), "a key must be text; put it in quotes")
        return key

    def _aliased(self, event: _Event) -> Value:
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _refusal(f"more than {MAX_ALIASES} aliases (*…)", _line(event))
        if event.anchor not in self._anchors:
            # Not named: it may be a password that begins with an asterisk.
            hint = "put text that begins with * in quotes"
            raise _refusal(f"an alias (*…) without an anchor (&…) before it; {hint}", _line(event))
        value, nodes = self._anchors[event.anchor]
        self._count(nodes, event)
        return value

    def _count(self, nodes: int, event: _Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise _refusal(f"more than {MAX_NODES:,} values, aliases included", _line(event))

    def _refuse_long(self, event: _Event) -> None:
        if len(event.value) > MAX_SCALAR:
            raise _refusal(f"text of more than {MAX_SCALAR:,} characters", _line(event))

    def _note(self, event: _Event, path: KeyPath, text: str) -> None:
        self._mistakes.append(Mistake(_line(event), path, text))


def leaves(value: Value, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """All texts and numbers by their place, as text, those behind aliases included."""
    match value:
        case dict():
            for key, item in value.items():
                yield from leaves(item, (*path, key))
        case list():
            for position, item in enumerate(value):
                yield from leaves(item, (*path, position))
        case bool():
            return
        case str() | int() | Decimal():
            yield path, str(value)


def _line(event: _Event) -> int:
    return int(event.start_mark.line) + 1


def _refusal(text: str, line: int) -> ConfigError:
    return ConfigError([f"line {line}: {text}"])


def _plain(text: str) -> Value:
    """The value of an unquoted scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if number := _NUMBER.fullmatch(text):
        return Decimal(text) if number[1] or number[2] else int(text)
    return text
