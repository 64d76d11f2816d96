"""The end of an invocation: Lambda ends it without a word, so the run stops a little earlier."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

MARGIN = 30.0
"""Seconds left to end the COPY, ask the ledger and record how the run ended."""


class OutOfTime(BaseException):
    """Raised in the main thread, wherever it is; no failure of a source or of the target."""


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Raise OutOfTime in the block when but MARGIN of the seconds is left; None is no limit.

    For the main thread alone, as it is a signal: it also wakes up who waits for the network.
    """
    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, max(seconds - MARGIN, 0.01))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime
