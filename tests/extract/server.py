"""HTTP servers that answer as a test says, and the source that reads them."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
from pydantic import TypeAdapter

from chalicelib.config.model.api import ApiSource
from chalicelib.errors import SourceError
from chalicelib.extract.api import ApiReader
from chalicelib.reports import SourceState
from dev.background import served

TOKEN = "t0p-s3cret"
BEARER = {"type": "bearer", "token": TOKEN}
PAGES = {"type": "page", "page_param": "page", "size_param": "size", "size": 3}


@contextmanager
def running(answer, tls=None):
    """A server whose `answer(request)` returns (status, headers, body); yields URL and requests.

    A body that is no bytes is sent piece by piece, until the connection closes. `tls` is the
    context of a server that is called localhost.
    """
    seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer, seen))
    if tls:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with served(server) as base:
        at_tls = f"https://localhost:{server.server_port}"
        yield f"{at_tls if tls else base}/v1/orders", seen


def _handler(answer, seen):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            seen.append(self.read_request())
            status, headers, body = answer(seen[-1])
            self.send_response(status)
            for name, value in {**_length(body), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(ConnectionError):  # the client has seen enough
                for piece in [body] if isinstance(body, bytes) else body:
                    self.wfile.write(piece)

        do_POST = do_GET  # noqa: N815

        def read_request(self):
            size = int(self.headers.get("Content-Length", 0))
            return SimpleNamespace(
                path=self.path,
                query=dict(parse_qsl(urlsplit(self.path).query)),
                headers=self.headers,
                form=dict(parse_qsl(self.rfile.read(size).decode())),
            )

        def log_message(self, *_):
            pass

    return Handler


def _length(body):
    return (
        {"Content-Length": str(len(body))} if isinstance(body, bytes) else {"Connection": "close"}
    )


def ok(value, **headers):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return 200, {"Content-Type": "application/json", **headers}, body


def always(status=200, body=b"[]", **headers):
    return lambda _: (status, {k.replace("_", "-"): v for k, v in headers.items()}, body)


def paged(records, cap=1000, past_the_end=None):
    """Answers `page` and `size`, never with more than `cap` records."""

    def answer(request):
        size = min(int(request.query.get("size", cap)), cap)
        start = (int(request.query["page"]) - 1) * size
        if start >= len(records) and past_the_end:
            return past_the_end
        return ok(records[start : start + size])

    return answer


def reader(url, state=SourceState(), waits=None, is_own=False, **config):  # noqa: B008 - frozen
    source = TypeAdapter(ApiSource).validate_python(
        {"type": "api", "name": "web", "url": url, **config}
    )
    return ApiReader(
        source, state, is_own=is_own, sleep=(waits if waits is not None else []).append
    )


def rows(source):
    return [row for batch in source.batches() for row in batch.table.to_pylist()]


def failure(url, **config):
    """The error that reading ends with; the secret is in no error, however deep."""
    with pytest.raises(SourceError) as raised:
        rows(reader(url, **config))
    assert TOKEN not in repr(raised.value)
    assert raised.value.fix
    assert raised.value.__cause__ is None
    return str(raised.value)


def numbers(count):
    return [{"id": number} for number in range(1, count + 1)]
