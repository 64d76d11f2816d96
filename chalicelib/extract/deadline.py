"""The time a source has: when it is over, whatever it waits for ends."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

from chalicelib.retry import Sleep


class TimeIsUpError(Exception):
    """The source has no time left."""


class Deadline:
    """Counts from the first call of `left`. Only a shut connection ends a server that drips.

    A timeout of a socket begins anew with each byte, so that no timeout bounds an answer.
    """

    def __init__(self, seconds: float, sleep: Sleep = time.sleep) -> None:
        self.seconds = seconds
        self.passed = False
        self._sleep = sleep
        self._until: float | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._watched: dict[tuple[str, int], socket.socket] = {}

    def left(self) -> float:
        """Seconds from now. Raises TimeIsUpError when there are none."""
        if self._until is None:
            self._until = time.monotonic() + self.seconds
            self._timer.start()
        left = self._until - time.monotonic()
        if self.passed or left <= 0:
            raise TimeIsUpError
        return left

    def pause(self, seconds: float) -> None:
        """Sleep. Raises TimeIsUpError at once when there is less time than that."""
        if seconds >= self.left():
            raise TimeIsUpError
        self._sleep(seconds)

    def watch(self, connection: socket.socket, host: str, port: int) -> None:
        """Shut the connection when time is up; one at a time for each host and port.

        A duplicate is kept, because TLS takes the socket itself out of our hands.
        """
        former = self._watched.pop((host, port), None)
        self._watched[host, port] = connection.dup()
        if former:
            former.close()

    def close(self) -> None:
        """Watch no more."""
        self._timer.cancel()
        for connection in self._watched.values():
            connection.close()

    def _end(self) -> None:
        self.passed = True
        for connection in list(self._watched.values()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
