"""When to try again: only what passes by itself, three times at most, later each time."""

from __future__ import annotations

import errno
import logging
import ssl
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential_jitter,
)

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

TRANSIENT_SQLSTATES = {
    "08000": "the connection failed",
    "08001": "no connection could be made",
    "08003": "the connection is gone",
    "08006": "the connection broke",
    "40001": "a concurrent transaction was in the way",
    "40P01": "a deadlock",
    "53300": "too many connections",
    "55P03": "a lock was not free in time",
    "57P01": "the server or an administrator ended the connection",
    "57P02": "the server crashed",
    "57P03": "the server is starting or stopping",
}

LOCAL_ERRNOS = {errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENOENT,
                errno.ENOSPC, errno.EPERM, errno.EROFS}  # fmt: skip
"""What the disk answers, not the network."""

LOST_CONNECTION = ("network error", "communication error", "connection is closed", "Can't create")
"""How pg8000's own errors about the network begin; its others are about how it was called."""

Sleep = Callable[[float], None]
Transient = Callable[[BaseException], bool]


def http_retry(transient: Transient, *, sleep: Sleep = time.sleep) -> Retrying:
    """For one request: waits as `Retry-After` says, else 1, 2 seconds and a jitter.

    An error for a status carries the `response`; the last error comes out as it was.
    """
    return _policy(transient, _as_the_server_asks, sleep)


def load_retry(*, sleep: Sleep = time.sleep) -> Retrying:
    """For one transaction, begun anew at each attempt; the last error comes out as it was."""
    return _policy(is_transient, wait_exponential_jitter(multiplier=0.5, max=10, jitter=0.5), sleep)


def _policy(
    transient: Transient, wait: Callable[[RetryCallState], float], sleep: Sleep
) -> Retrying:
    return Retrying(
        stop=stop_after_attempt(ATTEMPTS),
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
    errors = list(_chain(error))
    states = [state for one in errors if (state := _sqlstate(one))]
    if states:
        return states[-1] in TRANSIENT_SQLSTATES
    return all(_is_network(one) for one in errors)


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from; SQLAlchemy's wrappers stand for what they wrap."""
    while error is not None:
        if wrapped := getattr(error, "orig", None):
            error = wrapped
            continue
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _sqlstate(error: BaseException) -> str | None:
    fields = error.args[0] if error.args else None
    return fields.get("C") if isinstance(fields, dict) else None


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
        "attempt %d of %d failed (%s); trying again in %.1f s",
        state.attempt_number,
        ATTEMPTS,
        _reason(_error(state)),
        state.next_action.sleep if state.next_action else 0,
    )


def _reason(error: BaseException | None) -> str:
    """Never the error's own text: that of a request may hold a secret."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status is not None:
        return f"HTTP {status}: {TRANSIENT_STATUSES.get(status, 'refused')}"
    states = [state for one in _chain(error) if (state := _sqlstate(one))]
    if states:
        return f"SQLSTATE {states[-1]}: {TRANSIENT_SQLSTATES.get(states[-1], 'refused')}"
    return type(error).__name__
