"""An API fails in every way while its second page is read: all of its rows are there, or none."""

from __future__ import annotations

import gzip
import time

import pytest

from chalicelib.errors import SourceError
from tests.extract.server import ok, running

PAGE, PAGES = 500, 3
SOURCE = {
    "type": "api",
    "pagination": {"type": "page", "page_param": "page", "size_param": "size", "size": PAGE},
    "deadline": 3,
}
HTML = (200, {"Content-Type": "text/html"}, b"<html>Please sign in</html>")


def records(page):
    return [{"id": n, "name": f"order {n}"} for n in range((page - 1) * PAGE, page * PAGE)]


def good(request):
    page = int(request.query["page"])
    return ok(records(page) if page <= PAGES else [])


def cut_short(request):
    status, headers, body = good(request)
    return status, {**headers, "Content-Length": str(len(body))}, iter([body[: len(body) // 2]])


def cut_and_told_so(request):
    _, _, body = good(request)
    return ok(body[: len(body) // 2])


def dripping(request):
    _, _, body = good(request)
    return 200, {"Content-Type": "application/json"}, (
        time.sleep(0.2) or body[at : at + 1] for at in range(len(body))
    )  # fmt: skip


PASSING = {
    "429, once": lambda _: (429, {"Retry-After": "0"}, b""),
    "500, once": lambda _: (500, {}, b""),
    "503, once": lambda _: (503, {}, b""),
    "truncated body, once": cut_short,
}
"""What the next attempt at the same page gets over."""

STAYING = {
    "401": lambda _: (401, {}, b""),
    "503": lambda _: (503, {}, b""),
    "truncated body of a right length": cut_and_told_so,
    "slow drip": dripping,
    "HTML with status 200": lambda _: HTML,
    "redirects in a circle": lambda r: (302, {"Location": r.path}, b""),
    "redirect into the private network": lambda _: (
        302,
        {"Location": "http://169.254.169.254/"},
        b"",
    ),
    "the first page again": lambda _: ok(records(1)),
    "gzip bomb": lambda _: ok(
        gzip.compress(b"[" + b" " * (120 << 20) + b"]"), **{"Content-Encoding": "gzip"}
    ),
}


@pytest.fixture
def api(shop):
    """A way to make each request for page 2 fail by a fault, so many times."""

    class Api:
        fault, times = None, 0

        def answer(self, request):
            if self.fault and self.times and request.query.get("page") in ("2", None):
                self.times -= 1
                return self.fault(request)
            return good(request)

    api = Api()
    with running(api.answer) as (url, _):
        shop.source = SOURCE | {"url": url}
        shop.read = PAGE * PAGES
        yield api


@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_costs_one_attempt(shop, api, proof, monkeypatch, fault):
    monkeypatch.setattr(type(shop), "quarantined", 0)
    api.fault, api.times = PASSING[fault], 1
    shop.run()
    proof(f"API: {fault}", "succeeded")


@pytest.mark.parametrize("fault", STAYING)
def test_what_stays_fails_the_run_and_moves_nothing(shop, api, proof, monkeypatch, fault):
    monkeypatch.setattr(type(shop), "quarantined", 0)
    api.fault, api.times = STAYING[fault], 1_000
    with pytest.raises(SourceError) as refused:
        shop.run()
    assert "page" in refused.value.where
    proof(f"API: {fault}", "failed", rows=0)
    api.fault = None
    shop.run()
    proof("… and run again", "succeeded", 0)
