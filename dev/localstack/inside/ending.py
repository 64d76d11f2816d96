"""LocalStack ends when it is told to, and when whoever started it is gone, however that happened.

LocalStack runs this script in its own process when it starts. Its standard input is a pipe that
nobody writes to; it ends when the process at its other end does.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from localstack.runtime.server.hypercorn import HypercornRuntimeServer
from localstack.utils.patch import patch


@patch(HypercornRuntimeServer.shutdown)  # type: ignore[untyped-decorator]
def _wake_up_too(shutdown: Callable[..., None], server: HypercornRuntimeServer) -> None:
    """The server is stopped by another thread, and would not notice before the next request."""
    shutdown(server)
    server.loop.call_soon_threadsafe(server.loop.stop)


def _leave_with_parent() -> None:
    os.read(0, 1)  # of the descriptor: a buffer would be locked when Python ends
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=_leave_with_parent, daemon=True).start()
