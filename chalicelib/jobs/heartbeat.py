"""What a run tells the service while it works, and hears from it: progress, and a wish to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine

from chalicelib import log
from chalicelib.errors import Cancelled, EltError, LeaseLost
from chalicelib.history import leases, parts
from chalicelib.progress import STEPS, Progress, snapshot

INTERVAL = 1.0
"""Seconds between two: the lease is renewed, the progress stored, a wish to cancel heard."""


class StoredProgress(Progress):
    """Counts what is done, for the heartbeat to store; stops the run when that has a reason."""

    def __init__(self, beat: Callable[[StoredProgress], bool]) -> None:
        super().__init__()
        self._beat = beat
        self._started = time.monotonic()
        self.step = STEPS[0]
        self.totals: dict[str, int | None] = {}
        self.done: dict[str, int] = {}
        self.files = 0
        self.over = False
        self.stop: EltError | None = None

    def begin(self, step: str, total: int | None, unit: str) -> None:  # noqa: ARG002
        """A step starts: ask now, so that nothing is loaded after a wish to cancel."""
        self.totals[step] = total
        self.beat()
        self.advance(step, 0)

    def beat(self) -> None:
        """Store what is done, and hear whether to stop."""
        try:
            if self._beat(self):
                self.stop = Cancelled("the run was cancelled")
        except LeaseLost as lost:
            self.stop = lost
        except EltError as error:
            log.LOGGER.warning("no heartbeat: %s", error)

    def advance(self, step: str, by: int) -> None:
        """Count, and stop where it is safe to."""
        self.done[step] = self.done.get(step, 0) + by
        if by and STEPS.index(step) > STEPS.index(self.step):
            self.step = step
        if self.stop:
            raise self.stop

    def next_file(self) -> None:
        """Count it."""
        self.files += 1

    def end(self, step: str) -> None:
        """What follows reading and sending is part of the load's transaction."""
        self.over = self.over or step == "load"

    def snapshot(self) -> dict[str, Any]:
        """What is done so far, how fast, and the seconds that the rest may take.

        What only the end of the sources can tell is None: an API does not say how much it has.
        """
        return snapshot(
            files=self.files,
            rows=self.done.get("validate", 0),
            size=self.done.get("extract", 0),
            total=self.totals.get("extract"),
            share=self._part_done(),
            seconds=time.monotonic() - self._started,
        )

    def _part_done(self) -> float | None:
        """From 0 to 1: half of it is to read the sources, half to send to the target what was read.

        Both go on at once where the columns are known before the first row.
        """
        total = self.totals.get("extract")
        if self.over:
            return 1.0
        if not total:
            return None
        read = min(1.0, self.done.get("extract", 0) / total)
        written, sent = self.done.get("combine", 0), self.done.get("load", 0)
        return read * (1 + (min(1.0, sent / written) if written else 0)) / 2


@contextmanager
def heartbeat(engine: Engine, run_id: str, owner: str) -> Iterator[StoredProgress]:
    """Progress that a second thread stores while the run works."""

    def beat(now: StoredProgress) -> bool:
        return leases.heartbeat(engine, run_id, owner, now.step, now.snapshot())

    with _beating(run_id, beat) as progress:
        yield progress


@contextmanager
def heartbeat_of_part(
    engine: Engine, run_id: str, execution: str, part: int
) -> Iterator[StoredProgress]:
    """The same for one of many parts that are worked on at once."""

    def beat(now: StoredProgress) -> bool:
        return parts.heartbeat(engine, run_id, execution, part, now.snapshot())

    with _beating(f"{run_id}/{part}", beat) as progress:
        yield progress


@contextmanager
def heartbeat_of_all(engine: Engine, run_id: str, execution: str) -> Iterator[StoredProgress]:
    """The same when all parts are there: what is done of the run is what was done of them."""
    done = parts.whole(engine, run_id)

    def beat(now: StoredProgress) -> bool:
        return leases.heartbeat(engine, run_id, execution, now.step, done, parts.LEASE)

    with _beating(run_id, beat) as progress:
        progress.step = "load"
        yield progress


@contextmanager
def _beating(name: str, beat: Callable[[StoredProgress], bool]) -> Iterator[StoredProgress]:
    progress, over = StoredProgress(beat), threading.Event()

    def keep_beating() -> None:
        while not over.wait(INTERVAL):
            progress.beat()

    thread = threading.Thread(target=keep_beating, name=f"heartbeat {name}", daemon=True)
    thread.start()
    try:
        yield progress
    finally:
        over.set()
        thread.join()
        progress.beat()
