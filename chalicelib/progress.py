"""What a run tells while it works, and how long each step took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

STEPS = ("plan", "extract", "validate", "combine", "load", "transform", "check")
"""In the order of the data. From extract to load they overlap."""


class Progress:
    """Hears of each step. This one keeps the seconds only; others draw or store."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def begin(self, step: str, total: int | None, unit: str) -> None:
        """A step starts; `total` in `unit` (bytes or rows), None when nobody knows."""

    def advance(self, step: str, by: int) -> None:
        """A step has done so many more units."""

    def next_file(self) -> None:
        """The rows of another file, or of an API, begin."""

    def end(self, step: str) -> None:
        """A step is complete."""

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the time that the block takes to the step's seconds."""
        started = time.monotonic()
        try:
            yield
        finally:
            took = time.monotonic() - started
            self.seconds[step] = self.seconds.get(step, 0.0) + took

    def pulling(self, step: str, items: Iterator[T]) -> Iterator[T]:
        """The items, with the time spent producing them counted for the step."""
        while True:
            with self.timed(step):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item


def snapshot(
    *, files: int, rows: int, size: int, total: int | None, share: float | None, seconds: float
) -> dict[str, int | None]:
    """What is told of a run while it works: `size` bytes of `total` are read, `share` is done.

    What nobody knows is None.
    """
    return {
        "files": files,
        "rows": rows,
        "bytes": size,
        "total_bytes": total,
        "percent": None if share is None else round(100 * share),
        "rows_per_second": round(rows / seconds) if rows and seconds else None,
        "seconds_left": round(seconds / share - seconds) if share else None,
    }


class PartProgress(Progress):
    """Tells of a part what is done; what begins and ends is the run's to tell."""

    def __init__(self, whole: Progress) -> None:
        self.seconds = whole.seconds
        self._whole = whole

    def advance(self, step: str, by: int) -> None:
        """The run has done so much more."""
        self._whole.advance(step, by)

    def next_file(self) -> None:
        """Of the run."""
        self._whole.next_file()
