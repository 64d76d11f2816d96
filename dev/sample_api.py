"""A JSON API of a marketplace's orders: it wants a bearer token and answers in pages.

`GET /v1/orders?page=1&per_page=100&since=2026-01-31T12:00:00Z` answers
`{"data": [...], "page": 1, "total": 230}`, sorted by `updated_at`, `since` included.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import parse_qs, urlsplit

from dev.background import served
from dev.sample_data import Order, Row, make_orders

MAX_PER_PAGE = 200


def make_records(seed: int = 2026) -> list[Row]:
    """230 orders as the API has them, sorted by `updated_at`; the last two share theirs."""
    random = Random(seed)
    orders = make_orders(random, "A", 4001, 230)
    records = [_record(order, random.randrange(1, 72 * 60)) for order in orders]
    records.sort(key=lambda record: (record["updated_at"], record["order"]["number"]))
    records[-1]["updated_at"] = records[-2]["updated_at"]
    records[140]["shipping"]["country"] = "Atlantis"
    return records


@contextmanager
def sample_api(token: str, records: Sequence[Row] | None = None, port: int = 0) -> Iterator[str]:
    """Serve `records` (those of `make_records` by default) and yield `http://127.0.0.1:<port>`."""
    records = make_records() if records is None else records
    with served(_Server(port, token, records)) as url:
        yield url


def _record(order: Order, minutes: int) -> Row:
    updated = order.placed_at + timedelta(minutes=minutes)
    return {
        "order": {"number": order.number, "placed_at": _utc(order.placed_at)},
        "buyer": {"name": order.customer, "email": order.email},
        "shipping": {"country": order.country, "note": order.note or None},
        "payment": {"amount": f"{order.total:.2f}", "captured": order.paid},
        "quantity": order.quantity,
        "lines": list(order.items),
        "updated_at": _utc(updated),
    }


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class _Server(ThreadingHTTPServer):
    def __init__(self, port: int, token: str, records: Sequence[Row]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.token = token
        self.records = records


class _HttpError(Exception):
    """An answer other than 200."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes

    server: _Server

    def do_GET(self) -> None:
        """Answer one request; the base class calls it by this name."""
        try:
            self._send(HTTPStatus.OK, self._answer())
        except _HttpError as error:
            self._send(error.status, {"error": error.message})

    def _answer(self) -> Row:
        url = urlsplit(self.path)
        if not self._is_authorized():
            raise _HttpError(HTTPStatus.UNAUTHORIZED, "a valid bearer token is required")
        if url.path != "/v1/orders":
            raise _HttpError(HTTPStatus.NOT_FOUND, f"there is no {url.path}")
        return _page(self.server.records, {k: v[-1] for k, v in parse_qs(url.query).items()})

    def _is_authorized(self) -> bool:
        given = self.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {self.server.token}".encode())

    def _send(self, status: HTTPStatus, answer: Row) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _page(records: Sequence[Row], query: dict[str, str]) -> Row:
    page = _number(query, "page", default=1)
    size = _number(query, "per_page", default=50, most=MAX_PER_PAGE)
    since = _moment(query.get("since", "1970-01-01"))
    found = [record for record in records if _moment(record["updated_at"]) >= since]
    return {"data": found[(page - 1) * size : page * size], "page": page, "total": len(found)}


def _number(query: dict[str, str], name: str, default: int, most: int = 1_000_000) -> int:
    text = query.get(name, str(default))
    if not (text.isdecimal() and 1 <= int(text) <= most):
        raise _HttpError(HTTPStatus.BAD_REQUEST, f"{name} must be a number from 1 to {most}")
    return int(text)


def _moment(text: str) -> datetime:
    """A time in ISO 8601; one without a zone is in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _HttpError(HTTPStatus.BAD_REQUEST, f"{text!r} is not a time in ISO 8601") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
