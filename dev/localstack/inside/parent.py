"""LocalStack ends when whoever started it is gone, however that happened.

LocalStack runs this script in its own process when it starts. Its standard input is a pipe that
nobody writes to; it ends when the process at its other end does.
"""

from __future__ import annotations

import os
import signal
import threading


def _leave_with_parent() -> None:
    os.read(0, 1)  # of the descriptor: a buffer would be locked when Python ends
    os.kill(os.getpid(), signal.SIGTERM)


threading.Thread(target=_leave_with_parent, daemon=True).start()
