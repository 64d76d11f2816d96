"""Every kind of pages and of credentials, against a server that fails each request once."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.extract.server import failure, numbers, ok, reader, rows

SIZE, COUNT = 3, 8
IDS = [str(number) for number in range(1, COUNT + 1)]

FAMILIES = {
    "none": {"type": "none"},
    "auto": {"type": "auto"},
    "page": {"type": "page"},
    "offset": {"type": "offset", "limit": SIZE},
    "cursor": {"type": "cursor", "cursor_path": "$.cursor"},
    "link_header": {"type": "link_header"},
    "next_url": {"type": "next_url", "next_url_path": "$.paging.next"},
}


def busy(_):
    return 429, {"Retry-After": "2"}, b"slow down"


def unavailable(_):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=5), usegmt=True)
    return 503, {"Retry-After": soon}, b""


def slow(answer):
    time.sleep(0.8)
    return answer


def truncated(answer):
    status, headers, body = answer
    headers = {**headers, "Content-Length": str(len(body)), "Connection": "close"}
    return status, headers, body[:-5]


FAULTS = [busy, unavailable, slow, truncated]


def page_of(family, request):
    """The answer that each kind of pagination expects, from the same records."""
    query = request.query
    start = int(query.get("offset") or query.get("cursor") or query.get("start") or 0)
    if "page" in query:
        start = (int(query["page"]) - 1) * SIZE
    end = COUNT if family == "none" else start + SIZE
    body = {"data": numbers(COUNT)[start:end]}
    more = end < COUNT
    if family == "cursor":
        return ok({**body, "cursor": end if more else None})
    if family in ("auto", "next_url"):
        return ok({**body, "paging": {"next": f"?start={end}" if more else None}})
    if family == "link_header" and more:
        return ok(body, Link=f'<?start={end}>; rel="next"')
    return ok(body)


def failing_once(fault, answer):
    """Each request fails the first time it is made."""
    seen = set()

    def misbehave(request):
        good = answer(request)
        if request.path in seen:
            return good
        seen.add(request.path)
        return fault(good)

    return misbehave


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("family", FAMILIES)
def test_all_records_arrive_once_over_every_kind_of_pages(serve, family, fault):
    url, seen = serve(failing_once(fault, lambda request: page_of(family, request)))
    source = reader(url, pagination=FAMILIES[family], timeout=0.4 if fault is slow else 10)
    assert [row["id"] for row in rows(source)] == IDS
    assert len(seen) >= 2 * len({request.path for request in seen})


@pytest.mark.parametrize("family", sorted(FAMILIES.keys() - {"none"}))
def test_a_page_that_comes_again_is_noticed_in_every_kind_of_pages(serve, family):
    first = []

    def answer(request):
        _, headers, body = page_of(family, request)
        content = json.loads(body)
        first.append(content["data"])
        return ok({**content, "data": first[0]}, **headers)

    url, seen = serve(answer)
    assert "page 2 repeats page 1" in failure(url, pagination=FAMILIES[family])
    assert len(seen) == 2


BASIC = base64.b64encode(b"ada:pw").decode()
CREDENTIALS = {
    "bearer": ({"token": "t"}, lambda request: request.headers["Authorization"] == "Bearer t"),
    "basic": (
        {"username": "ada", "password": "pw"},
        lambda request: request.headers["Authorization"] == f"Basic {BASIC}",
    ),
    "api_key": ({"api_key": "k"}, lambda request: request.headers["X-API-Key"] == "k"),
    "api_key in the query": (
        {"type": "api_key", "api_key": "k", "name": "q", "location": "query"},
        lambda request: request.query.get("q") == "k",
    ),
    "oauth2_client_credentials": (
        {"client_id": "me", "client_secret": "s"},
        lambda request: request.headers["Authorization"] == "Bearer granted",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", CREDENTIALS)
def test_all_records_arrive_once_with_every_kind_of_credentials(serve, kind, fault):
    auth, is_known = CREDENTIALS[kind]

    def answer(request):
        if request.path == "/token":
            return ok({"access_token": "granted"})
        return page_of("page", request) if is_known(request) else (401, {}, b"who are you?")

    url, _ = serve(failing_once(fault, answer))
    auth = {"type": kind, **auth}
    if kind.startswith("oauth2"):
        auth["access_token_url"] = url.replace("/v1/orders", "/token")
    source = reader(
        url, auth=auth, pagination=FAMILIES["page"], timeout=0.4 if fault is slow else 10
    )
    assert [row["id"] for row in rows(source)] == IDS
