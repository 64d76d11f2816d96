"""The end of an invocation: Lambda ends it without a word, so the run stops a little earlier."""

from __future__ import annotations

import math
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from chalicelib.history.records import Failure, Outcome

MARGIN = 30.0
"""Seconds left to end the COPY, ask the ledger and record how the run ended."""

INVOCATIONS = 10
"""How many, one after the other, may work on the parts of one run; Lambda itself stops 16."""


class OutOfTime(BaseException):
    """Raised in the main thread, wherever it is; no failure of a source or of the target.

    `parts`: how many this invocation has put aside.
    """

    def __init__(self, parts: int = 0) -> None:
        super().__init__()
        self.parts = parts


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


def left() -> float:
    """Seconds until the time is over; without a limit there is no end of them."""
    return signal.getitimer(signal.ITIMER_REAL)[0] or math.inf


def goes_on(over: OutOfTime, invocation: int) -> bool:
    """Whether the next invocation goes on: parts that are aside stay, what is not would be lost."""
    return over.parts > 0 and invocation < INVOCATIONS


def out_of_time(step: str | None) -> Outcome:
    """How a run ends whose time was over in this step, and that does not go on."""
    failure = Failure(
        "out_of_time",
        f"the time of the function was over in the step {step}; nothing was loaded",
        fix="One file, API or transform takes longer than one invocation may, or all of them "
        f"longer than {INVOCATIONS}: raise the function's timeout and memory, cut large files, "
        "load less at a time (`pattern`, a longer prefix), or run it from a terminal.",
    )
    return Outcome("failed", error=failure)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime
