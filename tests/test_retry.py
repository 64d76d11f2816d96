"""What is tried again, how often, and how long each wait is."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pg8000
import pytest
import requests
from sqlalchemy.exc import DBAPIError

from chalicelib.errors import SourceError
from chalicelib.extract.failures import is_transient as is_transient_request
from chalicelib.retry import (
    AWAITED_SQLSTATES,
    PASSING_SQLSTATES,
    http_retry,
    is_transient,
    load_retry,
    retry_after,
)


def refusal(status, **headers):
    response = requests.Response()
    response.status_code = status
    response.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return requests.HTTPError("the text", response=response)


def server_error(sqlstate):
    return pg8000.DatabaseError({"S": "ERROR", "C": sqlstate, "M": "says the server"})


def raised_from(error, cause):
    error.__cause__ = cause
    return error


def failing(*errors):
    """A function that raises these, one a call, then returns how often it was called."""
    calls = []

    def call():
        calls.append(1)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]
        return len(calls)

    return call


def test_a_request_succeeds_at_the_third_attempt_after_growing_waits():
    waits = []
    call = failing(refusal(503), requests.ConnectionError())
    assert http_retry(is_transient_request, sleep=waits.append)(call) == 3
    assert 1 <= waits[0] <= 2 <= waits[1] <= 3


def test_after_three_attempts_the_last_error_comes_out_as_it_was():
    errors = [refusal(500), refusal(502), refusal(503)]
    with pytest.raises(requests.HTTPError) as raised:
        http_retry(is_transient_request, sleep=lambda _: None)(failing(*errors))
    assert raised.value is errors[2]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 501])
def test_a_refusal_that_stays_one_is_not_repeated(status):
    waits = []
    with pytest.raises(requests.HTTPError):
        http_retry(is_transient_request, sleep=waits.append)(failing(refusal(status)))
    assert waits == []


def test_the_server_says_how_long_to_wait():
    waits = []
    http_retry(is_transient_request, sleep=waits.append)(
        failing(refusal(429, Retry_After="7"), refusal(503))
    )
    assert waits[0] == 7
    assert 2 <= waits[1] <= 3


def test_a_server_that_asks_for_an_hour_is_not_asked_again():
    waits = []
    with pytest.raises(requests.HTTPError):
        http_retry(is_transient_request, sleep=waits.append)(
            failing(refusal(503, Retry_After="3600"))
        )
    assert waits == []


def test_retry_after_is_seconds_or_a_date():
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert 28 < (retry_after(soon) or 0) <= 30
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("2") == 2
    assert retry_after("-5") is None
    assert retry_after("soon") is None
    assert retry_after("nan") is None
    assert retry_after(None) is None


def test_a_certificate_does_not_mend_itself():
    assert not is_transient_request(requests.exceptions.SSLError())
    assert is_transient_request(requests.exceptions.ChunkedEncodingError())


def test_each_retry_is_a_warning_without_the_text_of_the_error(caplog):
    with caplog.at_level(logging.WARNING, logger="elt"):
        http_retry(is_transient_request, sleep=lambda _: None)(
            failing(refusal(503, Retry_After="1"))
        )
        load_retry(sleep=lambda _: None)(failing(server_error("40P01")))
    assert [record.message.partition(";")[0] for record in caplog.records] == [
        "attempt 1 failed (HTTP 503: the service is unavailable)",
        "attempt 1 failed (SQLSTATE 40P01: a deadlock)",
    ]
    assert "the text" not in caplog.text


@pytest.mark.parametrize("sqlstate", PASSING_SQLSTATES)
def test_a_transient_sqlstate_is_retried_also_when_sqlalchemy_wraps_it(sqlstate):
    error = server_error(sqlstate)
    assert is_transient(error)
    assert is_transient(raised_from(DBAPIError("copy", None, error), error))


@pytest.mark.parametrize("sqlstate", ["22P02", "23505", "28P01", "42P01", "53100", "57014"])
def test_other_sqlstates_are_not(sqlstate):
    assert not is_transient(server_error(sqlstate))


def test_a_load_is_attempted_three_times():
    waits = []
    with pytest.raises(ConnectionResetError):
        load_retry(sleep=waits.append)(failing(*[ConnectionResetError()] * 3))
    assert len(waits) == 2


@pytest.mark.parametrize("sqlstate", AWAITED_SQLSTATES)
def test_a_server_without_room_or_not_up_yet_is_waited_for(sqlstate):
    waits = []
    assert load_retry(sleep=waits.append)(failing(*[server_error(sqlstate)] * 6)) == 7
    assert sum(waits) > 10
    with pytest.raises(pg8000.DatabaseError):
        load_retry(sleep=waits.append)(failing(*[server_error(sqlstate)] * 99))
    assert 70 < sum(waits) < 120


@pytest.mark.parametrize("error", [ConnectionRefusedError(), FileNotFoundError(errno.ENOENT, "")])
def test_a_server_that_was_up_is_waited_for_while_it_is_restarted(error):
    assert load_retry(was_up=True, sleep=lambda _: None)(failing(*[error] * 6)) == 7
    with pytest.raises(type(error)):
        load_retry(sleep=lambda _: None)(failing(*[error] * 3))


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError("timed out"),
        ConnectionResetError(),
        BrokenPipeError(),
        socket.gaierror(-3, "Temporary failure in name resolution"),
        OSError(errno.EHOSTUNREACH, "No route to host"),
        OSError("cannot read from timed out object"),
        ssl.SSLEOFError(),
        pg8000.InterfaceError("network error"),
        raised_from(pg8000.InterfaceError("network error"), ConnectionResetError()),
    ],
    ids=repr,
)
def test_a_network_that_fails_is_transient(error):
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "No such file", "combined.csv"),
        OSError(errno.ENOSPC, "No space left on device"),
        ssl.SSLCertVerificationError(),
        pg8000.InterfaceError("Server refuses SSL"),
        raised_from(pg8000.InterfaceError("network error"), ValueError("in the source")),
        raised_from(pg8000.InterfaceError("network error"), server_error("22P02")),
        SourceError("unreadable"),
        ValueError("a bug"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_a_failure_of_our_own_or_of_the_disk_is_not(error):
    assert not is_transient(error)


@pytest.fixture
def connection(postgres_url):
    from sqlalchemy import make_url

    url = make_url(postgres_url)
    opened = pg8000.connect("postgres", unix_sock=f"{url.query['host']}/.s.PGSQL.5432")
    yield opened
    with suppress(pg8000.Error):
        opened.close()


def test_what_the_copied_source_raises_is_not_taken_for_the_network(connection):
    """pg8000 closes the connection on the way out: the real error may be beneath another."""

    def source():
        yield b"1\n"
        raise SourceError("the file changed while it was read")

    cursor = connection.cursor()
    cursor.execute("create temp table numbers (n int)")

    def copy_and_roll_back():
        try:
            cursor.execute("copy numbers from stdin", stream=source())
        finally:
            connection._usock.shutdown(socket.SHUT_RDWR)
            connection.rollback()

    with pytest.raises(pg8000.InterfaceError) as raised:
        copy_and_roll_back()
    assert not is_transient(raised.value)


def test_a_backend_that_is_terminated_is_transient(connection, postgres_url):
    cursor = connection.cursor()
    with pytest.raises(Exception) as raised:  # noqa: PT011 - pg8000 chooses
        cursor.execute("select pg_terminate_backend(pg_backend_pid())")
    assert is_transient(raised.value)


@contextmanager
def silent_server() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_server_that_says_nothing_is_transient():
    with silent_server() as port, pytest.raises(Exception) as raised:  # noqa: PT011
        pg8000.connect("postgres", host="127.0.0.1", port=port, timeout=0.2, ssl_context=False)
    assert is_transient(raised.value)


def test_a_server_that_hangs_up_in_the_middle_is_transient():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            accepted, _ = listener.accept()
            accepted.recv(100)
            accepted.sendall(struct.pack("!cI", b"R", 100))
            accepted.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        port = listener.getsockname()[1]
        with pytest.raises(Exception) as raised:  # noqa: PT011
            pg8000.connect("postgres", host="127.0.0.1", port=port, timeout=5, ssl_context=False)
        thread.join()
    assert is_transient(raised.value)
