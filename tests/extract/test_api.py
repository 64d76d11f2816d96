"""The API source against real HTTP servers that answer as real APIs do, and worse."""

from __future__ import annotations

import gzip
import hashlib
import json
import socket
import threading

import pytest

from chalicelib.errors import SourceError
from chalicelib.extract import fetch
from chalicelib.reports import Cursor, SourceState
from dev.sample_api import make_records, sample_api
from tests.extract.server import (
    BEARER,
    PAGES,
    TOKEN,
    always,
    failure,
    numbers,
    ok,
    paged,
    reader,
    rows,
)

# records


def test_records_arrive_as_text_with_where_they_came_from(serve):
    url, _ = serve(
        always(body=b'[{"id": 1, "price": 1.10, "by": {"name": "\xc3\xa9"}}, {"id": 2}]')
    )
    source = reader(url)
    assert (source.plan(), source.pending) == (None, True)
    (batch,) = source.batches()
    assert batch.table.to_pylist() == [
        {"id": "1", "price": "1.10", "by_name": "é"},
        {"id": "2", "price": None, "by_name": None},
    ]
    assert (batch.source, batch.origin, list(batch.lines)) == ("web", url, [1, 2])
    assert batch.size == 59
    assert source.report.files[url].rows == 2
    assert source.report.files[url].detected == {
        "records": "$",
        "pages": "1",
        "pagination": "none: one answer, which tells nothing of pages",
    }
    assert source.report.cursor is None


def test_a_big_answer_becomes_several_batches(serve):
    url, _ = serve(always(body=json.dumps(numbers(12_000)).encode()))
    batches = list(reader(url).batches())
    assert [batch.rows for batch in batches] == [5000, 5000, 2000]
    assert [batch.lines[0] for batch in batches] == [1, 5001, 10001]
    assert [batch.size > 0 for batch in batches] == [True, False, False]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"data": [{"id": 1}], "meta": {"total": 1}, "errors": []}, None),
        ({"data": {"items": [{"id": 1}]}}, "$.data.items"),
        ([{"id": 1}], "$"),
    ],
)
def test_records_are_found(serve, body, path):
    url, _ = serve(always(body=json.dumps(body).encode()))
    assert rows(reader(url, records=path)) == [{"id": "1"}]


@pytest.mark.parametrize(
    ("body", "path"),
    [([], None), (None, None), ({"data": []}, None), ({"data": None}, "$.data")],
)
def test_no_records_are_no_rows(serve, body, path):
    url, _ = serve(always(body=json.dumps(body).encode()))
    source = reader(url, records=path)
    assert rows(source) == []
    assert source.report.files[url].rows == 0


def test_an_answer_without_content_has_no_records(serve):
    url, _ = serve(always(204, b""))
    assert rows(reader(url)) == []


@pytest.mark.parametrize(
    ("body", "path", "what"),
    [
        ({"a": [{"id": 1}], "b": [{"id": 2}]}, None, "not a list of records; the keys are: a, b"),
        ({"id": 1, "name": "x"}, None, "an object, not a list of records; the keys are: id, name"),
        ({"data": {"rows": []}}, "$.data.items", "no 'items' on the way to $.data.items; "
         "the keys are: rows"),
        ({"data": {"rows": []}}, "$.data", "$.data is an object, not a list"),
        (42, None, "the answer is a number, not a list"),
        ([1, 2], None, "record 1 is a number, not an object"),
    ],
)  # fmt: skip
def test_answers_without_clear_records_are_refused(serve, body, path, what):
    url, _ = serve(always(body=json.dumps(body).encode()))
    message = failure(url, records=path)
    assert message.startswith(url + ": ")
    assert what in message


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": "rate limit exceeded", "data": None}, "error is rate limit exceeded"),
        ({"error": "rate limit exceeded", "data": []}, "error is rate limit exceeded"),
        ({"error": f"no such key: {TOKEN}", "data": None}, "error is no such key: ***"),
        ({"errors": [{"message": "busy"}], "data": None}, 'errors is [{"message": "busy"}]'),
        ({"status": "error", "message": "busy", "data": []}, '"message": "busy"'),
        ({"ok": False, "reason": "busy", "data": []}, '"reason": "busy"'),
    ],
)
def test_an_error_that_is_answered_with_200_is_no_end_of_the_list(serve, body, said):
    url, _ = serve(
        lambda request: ok({"data": numbers(3)} if request.query["page"] == "1" else body)
    )
    message = failure(url, auth=BEARER, records="$.data", pagination={"type": "page"})
    assert message.startswith(f"{url}?page=2: the API answers with an error: ")
    assert said in message


@pytest.mark.parametrize(
    "more", [{"error": None}, {"errors": []}, {"error": False}, {"status": "ok", "success": True}]
)
def test_an_empty_list_without_an_error_is_the_end(serve, more):
    url, _ = serve(always(body=json.dumps({"data": [], **more}).encode()))
    assert rows(reader(url, records="$.data")) == []


# what is sent


def test_token_headers_and_params_are_sent(serve):
    url, seen = serve(always())
    rows(reader(url + "?fixed=1", auth=BEARER, headers={"X-Key": "k"}, params={"a": True, "n": 5}))
    assert seen[0].query == {"fixed": "1", "a": "true", "n": "5"}
    assert seen[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen[0].headers["X-Key"] == "k"


def test_a_netrc_of_the_user_adds_no_credentials(serve, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    url, seen = serve(always())
    rows(reader(url))
    rows(reader(url, auth=BEARER))
    assert seen[0].headers["Authorization"] is None
    assert seen[1].headers["Authorization"] == f"Bearer {TOKEN}"


def test_a_redirect_to_another_host_takes_no_secret_along(serve):
    other, at_other = serve(always())
    other = other.replace("127.0.0.1", "localhost")
    url, _ = serve(always(302, b"", Location=other))
    rows(reader(url, auth=BEARER, headers={"X-Key": TOKEN}))
    assert TOKEN not in str(at_other[0].headers)


def test_a_redirect_within_the_host_keeps_them(serve):
    def answer(request):
        moved = request.path.startswith("/v2")
        return ok([{"id": 1}]) if moved else (301, {"Location": "/v2/orders"}, b"")

    url, seen = serve(answer)
    assert rows(reader(url, auth=BEARER, headers={"X-Key": "k"})) == [{"id": "1"}]
    assert seen[1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert seen[1].headers["X-Key"] == "k"


def test_what_the_url_carries_is_sent_but_never_shown(serve):
    url, seen = serve(paged(numbers(2)))
    source = reader(url + f"?key={TOKEN}", params={"also": TOKEN}, pagination=PAGES)
    origins = {batch.origin for batch in source.batches()}
    assert origins == {url + "?page=1&size=3"}
    assert list(source.report.files) == [url]
    assert seen[0].query["key"] == TOKEN


# pages


@pytest.mark.parametrize(
    ("count", "asked"), [(0, [1]), (2, [1, 2]), (3, [1, 2]), (7, [1, 2, 3, 4]), (9, [1, 2, 3, 4])]
)
def test_pages_are_read_to_the_end(serve, count, asked):
    url, seen = serve(paged(numbers(count)))
    source = reader(url, pagination=PAGES)
    assert rows(source) == [{"id": str(record["id"])} for record in numbers(count)]
    assert [int(request.query["page"]) for request in seen] == asked
    assert source.report.files[url].detected["pages"] == str(len(asked))


def test_a_server_that_caps_the_page_loses_no_record(serve):
    url, _ = serve(paged(numbers(7), cap=2))
    assert len(rows(reader(url, pagination=PAGES))) == 7


def test_a_server_with_a_page_size_of_its_own_loses_no_record(serve):
    url, seen = serve(paged(numbers(7), cap=2))
    assert len(rows(reader(url, pagination={"type": "page"}))) == 7
    assert seen[0].query == {"page": "1"}


def test_a_404_past_the_last_page_is_the_end_and_a_warning(serve):
    url, _ = serve(paged(numbers(6), past_the_end=(404, {}, b'{"detail": "Invalid page."}')))
    source = reader(url, pagination=PAGES)
    assert len(rows(source)) == 6
    assert source.report.warnings == [f"{url}?page=3&size=3: 404 was taken as the end"]


def test_a_page_that_repeats_the_one_before_is_an_error(serve):
    url, _ = serve(always(body=b'[{"id": 1}]'))
    message = failure(url, pagination=PAGES)
    assert message.startswith(f"{url}?page=2&size=3: page 2 repeats page 1. ")


def test_a_list_without_end_is_an_error(serve):
    url, seen = serve(lambda request: ok([{"id": int(request.query["page"])}]))
    message = failure(url, pagination={"type": "page", "max_pages": 4})
    assert message.startswith(f"{url}?page=5: the list has more than 4 pages")
    assert len(seen) == 4


def test_records_of_the_second_page_are_looked_for_where_the_first_had_them(serve):
    def answer(request):
        first = request.query["page"] == "1"
        return ok({"data": numbers(3) if first else [], "others": [] if first else [{"id": 9}]})

    url, _ = serve(answer)
    assert len(rows(reader(url, pagination=PAGES))) == 3


def test_no_two_fields_of_several_pages_share_a_column_unseen(serve):
    pages = [[{"a": {"b": 1}}], [{"a_b": 2}], []]
    url, _ = serve(lambda request: ok(pages[int(request.query["page"]) - 1]))
    message = failure(url, pagination={"type": "page"})
    assert message.startswith(f"{url}?page=2: record 1 has a field that would be the column 'a_b'")


# failures


def test_a_busy_server_is_asked_again_when_it_says(serve):
    answers = [(429, {"Retry-After": "11"}, b""), (503, {}, b""), ok(numbers(1))]
    url, _ = serve(lambda _: answers.pop(0))
    waits = []
    assert len(rows(reader(url, waits=waits))) == 1
    assert waits[0] == 11
    assert len(waits) == 2


def test_a_server_that_stays_busy_is_an_error_after_three_attempts(serve):
    url, seen = serve(always(503, b"try later"))
    assert "the API answers 503 in 3 attempts (try later)" in failure(url)
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("status", "what"),
    [
        (401, "the API answers 401 (no). Check auth: the API does not accept"),
        (403, "the API answers 403 (no). Check auth: these credentials may lack"),
        (404, "the API answers 404 (no). Correct the source's url"),
        (422, "the API answers 422 (no). Correct the source's url, params"),
        (304, "the API answers 304"),
    ],
)
def test_refusals_are_said_at_once_with_the_page(serve, status, what):
    url, seen = serve(always(status, b"" if status == 304 else b"no."))
    message = failure(url, pagination=PAGES, auth=BEARER)
    assert message.startswith(f"{url}?page=1&size=3: {what}")
    assert len(seen) == 1


def test_a_failure_on_a_later_page_names_that_page(serve):
    def answer(request):
        return ok(numbers(3)) if request.query["page"] == "1" else (400, {}, b"bad")

    url, _ = serve(answer)
    assert failure(url, pagination=PAGES).startswith(f"{url}?page=2&size=3: the API answers 400")


def test_a_long_refusal_is_cut_to_one_line_and_echoes_no_secret(serve):
    url, _ = serve(always(400, (f"bad token {TOKEN}\n  " + "x" * 5000).encode()))
    message = failure(url, auth=BEARER)
    assert "(bad token *** xxx" in message
    assert "\n" not in message
    assert len(message) < 450


def test_a_token_that_no_header_can_carry_is_not_shown(serve):
    url, seen = serve(always())
    for token in (TOKEN + "\nX: y", TOKEN + "€"):
        assert "a header cannot be sent" in failure(url, auth={"type": "bearer", "token": token})
    assert seen == []


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<!DOCTYPE html><title>Log in</title>", {"Content_Type": "text/html; charset=utf-8"}),
        (b"\n <html><title>Log in</title>", {"Content_Type": "application/json"}),
    ],
)
def test_a_web_page_is_not_json(serve, body, headers):
    url, _ = serve(always(200, body, **headers))
    assert f"{url}: the answer is a web page titled 'Log in', not JSON" in failure(url)


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b'[{"id": 1}, {"id"', "broken or cut off at character 18 of 17"),
        (b'[{"id": 1}, {"name": "Ann', "broken or cut off at character 22 of 25"),
        (b"", "broken or cut off at character 1 of 0"),
        (b'{"id": 1}\n{"id": 2}', "Extra data"),
        (b'[{"name": "\xff"}]', "not UTF-8 at byte 12"),
        (b'[{"n": 1e99999999999999999999}]', "the number 1e99999999999999999999 is beyond"),
        (b'[{"n": 1, "n": 2}]', "the key 'n' occurs twice in one object"),
        (b"[" * 100_000, "nested too deeply"),
        (b'[{"n": "\\ud800"}]', "no Unicode text: it holds half of a surrogate pair"),
    ],
)
def test_json_that_is_none_is_refused_with_the_position(serve, body, what):
    url, _ = serve(always(body=body))
    message = failure(url)
    assert message.startswith(url + ": ")
    assert what in message


def test_an_answer_without_end_is_stopped_at_the_limit(serve, monkeypatch):
    monkeypatch.setattr(fetch, "MAX_PAGE_BYTES", 100_000)
    bomb = gzip.compress(b" " * 1_000_000)
    url, _ = serve(always(200, bomb, Content_Encoding="gzip"))
    assert "longer than 100,000 bytes" in failure(url)


def test_a_connection_that_breaks_in_mid_answer_is_asked_again(serve):
    def answer(_):
        body = json.dumps(numbers(2)).encode()
        return 200, {"Content-Length": str(len(body) + (5 if len(seen) == 1 else 0)),
                     "Connection": "close"}, body  # fmt: skip

    url, seen = serve(answer)
    assert len(rows(reader(url))) == 2
    assert len(seen) == 2


def test_a_server_that_does_not_answer(serve):
    released = threading.Event()

    def answer(_):
        released.wait(10)
        return ok([])

    url, seen = serve(answer)
    message = failure(url, timeout=0.1)
    released.set()
    assert f"{url}: it does not answer in time in 3 attempts. Raise the source's timeout" in message
    assert len(seen) == 3


def test_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "it refuses the connection in 3 attempts" in failure(f"http://127.0.0.1:{port}/v1")


def test_an_unknown_host():
    assert "its host is unknown" in failure("http://no-such-host.invalid/v1")


def test_redirects_in_a_circle(serve):
    url, _ = serve(always(302, b"", Location="/v1/orders"))
    assert f"{url}: it redirects again and again" in failure(url, auth=BEARER)


def test_a_redirect_to_a_file_is_not_followed(serve):
    url, _ = serve(always(302, b"", Location="file:///etc/passwd"))
    assert "redirects to, no address that can be asked" in failure(url)


def test_a_server_that_speaks_no_tls(serve):
    url, _ = serve(always())
    assert "its TLS certificate is not accepted" in failure(url.replace("http:", "https:"))


# increments

BY_TIME = {"cursor": "at", "param": "since", "start": "2026-01-01"}
BY_ID = {"cursor": "id", "param": "after"}


def run(serve_url, cursor, incremental):
    """One run: its new rows, the cursor it leaves and the report."""
    source = reader(serve_url, SourceState(cursor=cursor), incremental=incremental)
    return rows(source), source.report.cursor, source.report.files[serve_url]


def test_the_first_run_asks_from_the_start_and_remembers_the_greatest(serve):
    records = [{"id": 1, "at": "2026-01-03"}, {"id": 2, "at": "2026-01-02"}]
    url, seen = serve(lambda _: ok(records))
    new, cursor, file = run(url, None, BY_TIME)
    assert seen[0].query == {"since": "2026-01-01"}
    assert len(new) == 2
    assert cursor.value == "2026-01-03"
    assert len(cursor.hashes) == 1
    assert file.detail == ""


def test_the_next_run_brings_only_what_is_new_also_at_the_same_value(serve):
    records = [{"id": 1, "at": "2026-01-02"}, {"id": 2, "at": "2026-01-03"}]
    url, seen = serve(lambda _: ok(records))
    _, cursor, _ = run(url, None, BY_TIME)
    records.append({"id": 3, "at": "2026-01-03"})
    new, second, file = run(url, cursor, BY_TIME)
    assert seen[1].query == {"since": "2026-01-03"}
    assert [row["id"] for row in new] == ["3"]
    assert file.detail == "2 already loaded"
    assert file.rows == 1
    assert second.value == "2026-01-03"
    assert second.hashes > cursor.hashes
    assert run(url, second, BY_TIME)[:2] == ([], second)


def test_the_lines_of_new_rows_are_their_positions_in_the_page(serve):
    url, _ = serve(always(body=json.dumps(numbers(5)).encode()))
    source = reader(url, SourceState(cursor=Cursor("3")), incremental=BY_ID)
    (batch,) = source.batches()
    assert batch.lines == [3, 4, 5]


def test_a_run_that_finds_nothing_leaves_the_cursor(serve):
    url, _ = serve(always())
    assert run(url, Cursor("7", frozenset("h")), BY_ID)[1] == Cursor("7", frozenset("h"))
    assert run(url, None, BY_ID)[1] is None


def test_a_record_is_known_again_whatever_the_order_of_its_keys(serve):
    bodies = [b'[{"id": 1, "n": {"a": 1.10, "b": 2}}]', b'[{"n": {"b": 2, "a": 1.10}, "id": 1}]']
    url, _ = serve(lambda _: ok(bodies.pop(0)))
    _, cursor, _ = run(url, None, BY_ID)
    assert run(url, cursor, BY_ID)[0] == []
    assert {len(value) for value in cursor.hashes} == {len(hashlib.sha256().hexdigest())}


@pytest.mark.parametrize(
    ("values", "greatest"),
    [
        ([9, 10, 2], "10"),
        (["9", 10], "10"),
        ([1.5, 1.25, 1], "1.5"),
        (["2026-01-02T00:30:00+02:00", "2026-01-01T23:00:00Z"], "2026-01-01T23:00:00Z"),
        (["2026-01-01", "2026-01-01T00:00:01"], "2026-01-01T00:00:01"),
        (["b10", "b9"], "b9"),
        (["10", "9", "x"], "x"),
    ],
)
def test_values_are_compared_as_numbers_then_instants_then_text(serve, values, greatest):
    url, _ = serve(always(body=json.dumps([{"id": value} for value in values]).encode()))
    assert run(url, None, BY_ID)[1].value == greatest


def test_the_same_instant_in_another_zone_is_the_same_value(serve):
    records = [{"at": "2026-01-01T12:00:00Z"}, {"at": "2026-01-01T13:00:00+01:00"}]
    url, _ = serve(lambda _: ok(records))
    _, cursor, _ = run(url, None, BY_TIME)
    assert len(cursor.hashes) == 2
    assert run(url, cursor, BY_TIME)[0] == []


def test_a_record_without_the_cursor_is_an_error_with_its_page_and_position(serve):
    def answer(request):
        return ok(numbers(3) if request.query["page"] == "1" else [{"id": 9}, {"id": None}])

    url, _ = serve(answer)
    message = failure(url, pagination=PAGES, incremental=BY_ID)
    assert message.startswith(f"{url}?page=2&size=3: record 2 has no 'id'")
    assert "record 1 has no 'at'" in failure(url, pagination=PAGES, incremental=BY_TIME)


def test_a_value_that_cannot_be_compared_with_those_before_is_an_error(serve):
    url, _ = serve(
        lambda request: ok(numbers(3) if request.query["page"] == "1" else [{"id": "x1"}])
    )
    message = failure(url, pagination=PAGES, incremental=BY_ID)
    assert message.startswith(f"{url}?page=2&size=3: record 1: 'id' is 'x1', which cannot")


def test_the_cursor_waits_until_the_last_page_was_read(serve):
    url, _ = serve(paged(numbers(3), past_the_end=(500, {}, b"")))
    source = reader(url, incremental=BY_ID, pagination=PAGES)
    with pytest.raises(SourceError, match=r"page=2&size=3: the API answers 500"):
        rows(source)
    assert source.report.cursor is None


# the sample API


def test_the_sample_api_is_read_once_and_then_only_what_is_new():
    config = {
        "auth": BEARER,
        "records": "$.data",
        "pagination": {**PAGES, "size_param": "per_page", "size": 100},
        "incremental": {"cursor": "updated_at", "param": "since"},
    }
    records = make_records()
    with sample_api(TOKEN, records) as base:
        first = reader(f"{base}/v1/orders", **config)
        assert len(rows(first)) == 230
        records.append({**records[-1], "quantity": 99})
        state = SourceState(cursor=first.report.cursor)
        second = reader(f"{base}/v1/orders", state, **config)
        assert [row["quantity"] for row in rows(second)] == ["99"]
        assert second.report.file(f"{base}/v1/orders").detail == "2 already loaded"
