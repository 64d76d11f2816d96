"""Small things that come one after the other, taken together: each step has its price."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TypeVar

T = TypeVar("T")

MOST = 1_000
"""Things that may wait for others, should they hold next to nothing."""


def grouped(
    items: Iterable[T],
    size: Callable[[T], int],
    enough: int,
    *,
    may_join: Callable[[T, T], bool],
    ends: Callable[[T], bool],
) -> Generator[list[T], None, None]:
    """All items in their order: those that may join the first one, until they are `enough`.

    None waits for others that `ends` its group.
    """
    group: list[T] = []
    held = 0
    for item in items:
        if group and not may_join(item, group[0]):
            yield group
            group, held = [], 0
        group.append(item)
        held += size(item)
        if held >= enough or len(group) == MOST or ends(item):
            yield group
            group, held = [], 0
    if group:
        yield group
