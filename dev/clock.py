"""Fires the schedule's rule where nothing else does: emulated EventBridge keeps rules, and waits.

A loop and not a scheduler of a library: the rule is EventBridge's and must be looked at anyway,
and what is left to decide is one subtraction.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from chalicelib import log, schedule
from chalicelib.errors import EltError
from chalicelib.schedule import Schedule

LOOK = 2.0
"""Seconds between two looks at the rule: so soon a change of it takes effect."""


class Clock:
    """As EventBridge counts: a period from when the rule was turned on or changed, and so on."""

    def __init__(self) -> None:
        self._rule = Schedule()
        self._last = datetime.min.replace(tzinfo=UTC)
        self._period: timedelta | None = None

    def is_due(self, rule: Schedule, now: datetime) -> bool:
        """Whether the rule fires now. Raises InvalidRate once for a rule whose rate is none."""
        if rule != self._rule:
            self._rule, self._last, self._period = rule, now, None
            self._period = schedule.period(rule.rate or "") if rule.enabled else None
        if self._period is None or now - self._last < self._period:
            return False
        self._last = now
        return True


def keep_time(
    stop: threading.Event,
    tick: Callable[[str, datetime], object],
    look: float = LOOK,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Call `tick` with the id and the time of an event whenever the rule fires, until `stop`."""
    clock = Clock()
    while not stop.wait(look):
        try:
            moment = now()
            if clock.is_due(schedule.state(), moment):
                tick(str(uuid.uuid4()), moment)
        except EltError as error:
            log.LOGGER.warning("the schedule could not fire: %s", error)
