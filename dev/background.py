"""A server that another thread serves for as long as it is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from threading import Thread

POLL = 0.02
"""Seconds between two looks whether it is still wanted."""


@contextmanager
def served(server: HTTPServer) -> Iterator[str]:
    """`http://127.0.0.1:<port>` of a server that listens there; afterwards it is closed."""
    thread = Thread(target=server.serve_forever, args=(POLL,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
