"""`python -m dev.serve PORT`: the service by `chalice local`, and a clock that fires its schedule.

Chalice's own server, with what API Gateway adds on AWS: its failures in our shape, and no request
that Chalice would misread. In the background `dev.clock` fires the EventBridge rule.
"""

from __future__ import annotations

import functools
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import ChaliceRequestHandler, LocalGatewayException, create_local_server

from chalicelib import jobs, log
from chalicelib.routes.answers import gateway_failure
from dev.background import served
from dev.clock import keep_time


class _Handler(ChaliceRequestHandler):
    disable_nagle_algorithm = True  # headers and body are sent apart, and would wait 40 ms

    def __getattr__(self, name: str) -> Any:
        """Whatever the method: Chalice knows which ones a path takes."""
        if name.startswith("do_"):
            return self._generic_handle
        raise AttributeError(name)

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        length = self.headers.get("content-length", "0")
        if "transfer-encoding" in self.headers or not length.isdecimal():
            # Chalice would take a chunked body for none, and the body for the next request.
            self.send_error(400)
            return False
        return True

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # the caller has gone
            self.close_connection = True
        except Exception:  # of the authorizer; the routes answer for themselves
            log.LOGGER.exception("the authorizer broke")
            self._refuse(500, "")

    def send_error(self, code: int, *_said: str | None) -> None:
        self.close_connection = True
        self._refuse(code, "")

    def _send_error_response(self, error: LocalGatewayException) -> None:
        self._refuse(error.CODE, (error.body or b"").decode())

    def _refuse(self, code: int, said: str) -> None:
        given = {name.lower(): value for name, value in getattr(self, "headers", {}).items()}
        status, headers, body = gateway_failure(code, said, given, str(uuid.uuid4()))
        self._send_http_response(status, headers, "" if self.command == "HEAD" else body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def chalice_local(app: Chalice, port: int = 0) -> Iterator[str]:
    """The base URL of the app while it is served."""
    config = Config.create(chalice_app=app)
    local = create_local_server(app, config, "127.0.0.1", port)
    server = local.server
    server.RequestHandlerClass = functools.partial(_Handler, app_object=app, config=config)
    with served(server) as url:
        yield url


def main(port: int) -> None:
    """Serve until this process is ended."""
    from app import app

    log.configure(verbose=True)
    stop = threading.Event()
    threading.Thread(target=keep_time, args=(stop, jobs.tick), daemon=True).start()
    with chalice_local(app, port) as url:
        print(f"console   {url}/")
        print(f"API       {url}/openapi.json")
        print("schedule  POST /schedule-job turns it on. Ctrl-C stops everything.", flush=True)
        stop.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]))
