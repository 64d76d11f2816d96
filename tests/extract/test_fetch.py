"""What one source may take: time, requests a second, bytes; and how a busy server is treated."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from chalicelib.errors import SourceError
from tests.extract.server import TOKEN, always, failure, numbers, ok, reader, rows


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_may_say_when_by_a_date(serve, status):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    answers = [(status, {"Retry-After": date}, b""), ok(numbers(1))]
    url, _ = serve(lambda _: answers.pop(0))
    waits = []
    assert len(rows(reader(url, waits=waits))) == 1
    assert 30 < waits[0] <= 40


def test_a_server_that_wants_to_be_left_alone_for_long_is_not_asked_again(serve):
    url, seen = serve(always(429, b"", Retry_After="3600"))
    assert "the API answers 429, try again in 3,600 s. Set requests_per_second" in failure(url)
    assert len(seen) == 1


def test_requests_keep_their_pace(serve):
    url, seen = serve(
        lambda request: ok([] if request.query["page"] == "4" else [{"id": len(seen)}])
    )
    waits = []
    rows(reader(url, waits=waits, requests_per_second=0.05, pagination={"type": "page"}))
    assert len(waits) == 3
    assert all(before < after for before, after in zip([0, *waits], waits, strict=False))
    assert 50 < waits[-1] <= 60


def test_all_pages_together_have_a_deadline(serve):
    url, _ = serve(lambda request: ok([{"id": int(request.query["page"])}]))
    source = reader(url, deadline=0.5, pagination={"type": "page"})
    with pytest.raises(SourceError, match=r"not all could be read within 0\.5 seconds"):
        rows(source)
    assert source.report.cursor is None


def test_nobody_waits_beyond_the_deadline(serve):
    url, seen = serve(always(503, b"", Retry_After="100"))
    waits = []
    with pytest.raises(SourceError, match="not all could be read within 60 seconds"):
        rows(reader(url, waits=waits, deadline=60))
    assert (waits, len(seen)) == ([], 1)


def dripping(stop, every=0.05):
    """One byte after the other, each in time for any timeout."""
    while not stop.is_set():
        yield b" "
        time.sleep(every)


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "100000"}])
def test_a_server_that_drips_is_cut_off_at_the_deadline(serve, headers):
    stop = threading.Event()
    url, seen = serve(lambda _: (200, headers, dripping(stop)))
    message = failure(url, deadline=1, timeout=10, auth={"type": "bearer", "token": TOKEN})
    stop.set()
    assert "not all could be read within 1 seconds. Raise the source's deadline" in message
    assert len(seen) == 1


def test_headers_that_drip_are_cut_off_too():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip():
            connection, _ = listener.accept()
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            with suppress(OSError), connection:
                while True:
                    connection.sendall(b"x")
                    time.sleep(0.05)

        thread = threading.Thread(target=drip)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        assert "not all could be read within" in failure(url, deadline=1, timeout=10)
        thread.join(10)
        assert not thread.is_alive()


def test_all_pages_together_have_a_size(serve):
    url, seen = serve(lambda request: ok([{"id": request.query["page"], "pad": "x" * 1000}]))
    message = failure(url, max_bytes=3_000, pagination={"type": "page"})
    assert f"{url}?page=3: all pages together are longer than 3,000 bytes" in message
    assert len(seen) == 3


def test_nested_objects_flatten_as_configured(serve):
    record = {"id": 1, "by": {"name": {"first": "Ada"}}}
    url, _ = serve(always(body=json.dumps([record]).encode()))
    assert rows(reader(url, json={"separator": ".", "depth": 1})) == [
        {"id": "1", "by.name": '{"first": "Ada"}'}
    ]


def test_numbers_that_json_does_not_have_are_read_as_their_words(serve):
    url, _ = serve(always(body=b'[{"a": NaN, "b": [-Infinity]}]'))
    assert rows(reader(url)) == [{"a": "NaN", "b": '["-Infinity"]'}]


def test_long_integers_are_exact(serve):
    url, _ = serve(always(body=b'[{"n": ' + b"9" * 5000 + b"}]"))
    assert rows(reader(url)) == [{"n": "9" * 5000}]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$[*]", [1, 2, 3]),
        ("$[1].items", [3]),
        ("$[*].items", [1, 2, 3]),
        ("$[*].items[*]", [1, 2, 3]),
        ("$[*]['items'][0]", None),
        ("$[*].more", [4]),
        ("$[7].items", []),
    ],
)
def test_records_lie_where_the_path_says(serve, path, found):
    groups = [{"items": numbers(2)}, {"items": [{"id": 3}], "more": [{"id": 4}]}]
    body = [*numbers(3)] if path == "$[*]" else groups
    url, _ = serve(always(body=json.dumps(body).encode()))
    if found is None:
        assert "is an object, not a list of records" in failure(url, records=path)
    else:
        assert [int(row["id"]) for row in rows(reader(url, records=path))] == found


def test_the_body_of_a_redirect_is_not_read(serve):
    stop = threading.Event()

    def answer(request):
        return (
            ok(numbers(1)) if request.path == "/moved" else (302, {"Location": "/moved"}, endless)
        )

    endless = dripping(stop)
    url, _ = serve(answer)
    assert rows(reader(url, deadline=20)) == [{"id": "1"}]
    stop.set()


@pytest.mark.parametrize("injected", ["1\r\nX-Evil: 2", "1\nX-Evil: 2"])
def test_a_header_cannot_bring_another_one_with_it(serve, injected):
    url, seen = serve(always())
    assert failure(url, headers={"X-Mine": injected})
    assert seen == []
