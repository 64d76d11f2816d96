"""What is made ahead comes as if it were made when it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from chalicelib.ahead import ahead


def test_the_items_come_in_their_order_and_each_is_made_while_the_one_before_it_is_used() -> None:
    made = [threading.Event() for _ in range(4)]

    def make() -> Iterator[int]:
        for number, event in enumerate(made):
            event.set()
            yield number

    for number in (items := ahead(make())):
        assert made[min(number + 1, 3)].wait(10)
        assert number > 1 or not made[number + 2].is_set()
    assert list(items) == []


def test_what_goes_wrong_is_raised_after_the_items_before_it() -> None:
    def make() -> Iterator[int]:
        yield 1
        raise ValueError("canary")

    items = ahead(make())
    assert next(items) == 1
    with pytest.raises(ValueError, match="canary"):
        next(items)


def test_whoever_stops_early_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    items = ahead(iter(range(1_000_000)))
    assert next(items) == 0
    items.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
