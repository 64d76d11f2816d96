"""What a plain record of JSON looks like, as regular expressions that Arrow runs (RE2).

Left out is what would lose something: half of a surrogate pair, NaN, an escape within a key.
"""

from __future__ import annotations

MAX_NESTING = 2
"""Objects and lists within each other below a record; each level makes the expression longer."""

_SPACE = r"[ \t\r\n]*"
_HEX = "[0-9a-fA-F]"
_PAIR = rf"[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}"
_ESCAPE = rf'\\(?:["\\/bfnrt]|u(?:[0-9abcefABCEF]{_HEX}{{3}}|[dD][0-7]{_HEX}{{2}}|{_PAIR}))'
_KEY = r'"[^"\\\x00-\x1f]*"'
_TEXT = rf'"(?:[^"\\\x00-\x1f]|{_ESCAPE})*"'
_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_SCALAR = f"(?:{_TEXT}|{_NUMBER}|true|false|null)"


def _some(item: str) -> str:
    return f"{_SPACE}(?:{item}{_SPACE}(?:,{_SPACE}{item}{_SPACE})*)?"


def _object(nesting: int) -> str:
    return rf"\{{{_some(f'{_KEY}{_SPACE}:{_SPACE}{_value(nesting)}')}\}}"


def _value(nesting: int) -> str:
    if not nesting:
        return _SCALAR
    return rf"(?:{_SCALAR}|\[{_some(_value(nesting - 1))}\]|{_object(nesting - 1)})"


RECORDS = [f"^{_SPACE}{_object(nesting)}{_SPACE}$" for nesting in range(MAX_NESTING + 1)]
"""A record with so many levels of objects and lists below it. `$` is the end of all: as in RE2."""

SEPARATOR = f"^{_SPACE},{_SPACE}$"
"""What stands between two records of a list."""

_SHORT = r"(?:[1-9][0-9]*(?:\.[0-9]+)?|0\.(?:0{0,5}[1-9][0-9]*|0{1,5}))"
PLAIN_VALUE = f"^(?:true|false|null|0|-?{_SHORT})$"
"""A value without quotes that is written as Python writes it, unlike -0, 1e5 and 0.00000001."""

NOT_IN_PLAIN_TEXT = r'["\\\x00-\x1f]'
"""What no text holds as it is."""
