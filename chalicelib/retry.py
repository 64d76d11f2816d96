"""When to try again: only what passes by itself, later each time.

Three times at most, but for a server that has no room or is not up again: that is waited for.
"""

from __future__ import annotations

import errno
import logging
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

from chalicelib.causes import chain, sqlstate

ATTEMPTS = 3
MAX_RETRY_AFTER = 300.0
"""Seconds; a server that asks for more is not asked again."""

TRANSIENT_STATUSES = {
    429: "too many requests",
    500: "the server failed",
    502: "bad gateway",
    503: "the service is unavailable",
    504: "the gateway timed out",
}

PATIENCE = 60.0
"""Seconds that are waited in all for a server with no room for one more, or not up again."""

TRANSIENT_SQLSTATES = {
    "08000": "the connection failed",
    "08001": "no connection could be made",
    "08003": "the connection is gone",
    "08006": "the connection broke",
    "40001": "a concurrent transaction was in the way",
    "40P01": "a deadlock",
    "55P03": "a lock was not free in time",
    "57P01": "the server or an administrator ended the connection",
    "57P02": "the server crashed",
}
"""What passes at once: the same transaction is begun anew, three times in all."""

AWAITED_SQLSTATES = {
    "53300": "too many connections",
    "57P03": "the server is starting or stopping",
}
"""What passes when others have gone, or the server is up: waited for with PATIENCE."""

PASSING_SQLSTATES = TRANSIENT_SQLSTATES | AWAITED_SQLSTATES
"""All others stay as they are, however often one tries: constraints, rights, a full disk."""

LOCAL_ERRNOS = {errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE,
                errno.ENOSPC, errno.EPERM, errno.EROFS}  # fmt: skip
"""What the disk answers, not the network."""

NOT_UP = (ConnectionRefusedError, FileNotFoundError)
"""How a server's port or socket answers while it is restarted."""

LOST_CONNECTION = ("network error", "communication error", "connection is closed", "Can't create")
"""How pg8000's own errors about the network begin; its others are about how it was called."""

Sleep = Callable[[float], None]
Transient = Callable[[BaseException], bool]


def http_retry(transient: Transient, *, sleep: Sleep = time.sleep) -> Retrying:
    """For one request: waits as `Retry-After` says, else 1, 2 seconds and a jitter.

    An error for a status carries the `response`; the last error comes out as it was.
    """
    return _policy(transient, stop_after_attempt(ATTEMPTS), _as_the_server_asks, sleep)


def load_retry(*, was_up: bool = False, sleep: Sleep = time.sleep) -> Retrying:
    """For one transaction, begun anew at each attempt; the last error comes out as it was.

    `was_up`: the server has answered a moment ago, so one that refuses is being restarted.
    """

    def gives_up(state: RetryCallState) -> bool:
        if _is_awaited(_error(state), was_up=was_up):
            return state.idle_for >= PATIENCE
        return state.attempt_number >= ATTEMPTS

    wait = wait_exponential_jitter(multiplier=0.5, max=10, jitter=0.5)
    return _policy(is_transient, gives_up, wait, sleep)


def _is_awaited(error: BaseException | None, *, was_up: bool) -> bool:
    if state := sqlstate(error):
        return state in AWAITED_SQLSTATES
    return was_up and any(isinstance(one, NOT_UP) for one in chain(error))


def _policy(
    transient: Transient,
    stop: Callable[[RetryCallState], bool],
    wait: Callable[[RetryCallState], float],
    sleep: Sleep,
) -> Retrying:
    return Retrying(
        stop=stop,
        retry=retry_if_exception(transient),
        wait=wait,
        sleep=sleep,
        before_sleep=_log,
        reraise=True,
    )


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed in a moment.

    An SQLSTATE decides, the innermost of several. Without one, the error and all it came from
    must be about the network: pg8000 reports a failure of what it copies from as one, too.
    """
    if state := sqlstate(error):
        return state in PASSING_SQLSTATES
    return all(_is_network(one) for one in chain(error))


def retry_after(header: str | None) -> float | None:
    """Seconds to wait as the header has it, in seconds or as a date; None when it says nothing."""
    if not header:
        return None
    return float(header) if header.isdecimal() else _seconds_until(header)


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((zoned - datetime.now(UTC)).total_seconds(), 0.0)


_backoff = wait_exponential_jitter(multiplier=1, max=30, jitter=1)


def _as_the_server_asks(state: RetryCallState) -> float:
    response = getattr(_error(state), "response", None)
    asked = retry_after(response.headers.get("Retry-After")) if response is not None else None
    return _backoff(state) if asked is None else asked


def _is_network(error: BaseException) -> bool:
    if isinstance(error, OSError):
        local = error.filename is not None or error.errno in LOCAL_ERRNOS
        return not local and not isinstance(error, ssl.SSLCertVerificationError)
    from pg8000.exceptions import InterfaceError

    return isinstance(error, InterfaceError) and str(error).startswith(LOST_CONNECTION)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _log(state: RetryCallState) -> None:
    logging.getLogger("elt").warning(
        "attempt %d failed (%s); trying again in %.1f s",
        state.attempt_number,
        _reason(_error(state)),
        state.next_action.sleep if state.next_action else 0,
    )


def _reason(error: BaseException | None) -> str:
    """Never the error's own text: that of a request may hold a secret."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"HTTP {status}: {TRANSIENT_STATUSES.get(status, 'refused')}"
    if code := sqlstate(error):
        return f"SQLSTATE {code}: {PASSING_SQLSTATES.get(code, 'refused')}"
    return type(error).__name__
