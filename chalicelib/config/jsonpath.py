"""The part of JSONPath that names places: keys, positions and all items of a list."""

from __future__ import annotations

import re

Step = str | int | None
"""A key, a position in a list (-1 is the last), or None for every item of a list."""

_STEP = re.compile(
    r"""\.(?P<key>[^.\[\]*'"]+)|\['(?P<single>[^']+)'\]|\["(?P<double>[^"]+)"\]"""
    r"""|\[(?P<position>-?\d{1,9})\]|\[\*\]|\.\*"""
)


def steps(path: str) -> tuple[Step, ...]:
    """The way that `$.data[0]['odd key'].rows[*]` leads. ValueError when it is not one."""
    at, found = 1, []
    while at < len(path) and (match := _STEP.match(path, at)):
        found.append(_step(match))
        at = match.end()
    if path[:1] != "$" or at < len(path):
        raise ValueError(
            f"{path!r} is not a path such as $.data.items, $.data[0] or $['odd key'][*]"
        )
    return tuple(found)


def records_path(path: str) -> str:
    """A path to records: in a list that is not known yet, only its start can be counted from."""
    if any(isinstance(step, int) and step < 0 for step in steps(path)):
        raise ValueError(f"{path!r} counts from the end of a list, which records cannot")
    return path


def value_path(path: str) -> str:
    """A path to a single value."""
    if None in steps(path):
        raise ValueError(f"{path!r} leads to many values, where one is expected")
    return path


def _step(match: re.Match[str]) -> Step:
    if match["position"]:
        return int(match["position"])
    return match["key"] or match["single"] or match["double"]
