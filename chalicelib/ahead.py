"""What is needed next is made in a thread of its own while what is there is worked on."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

_END = object()


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items in their order, one of them ahead: memory holds two.

    What goes wrong is raised where the item would be taken. Whoever stops early waits until the
    next one is there: nothing that may take long, as a network, should be asked for it.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        coming = thread.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = thread.submit(next, items, _END)
            yield item  # type: ignore[misc]
