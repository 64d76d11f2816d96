"""When whoever started LocalStack is gone, however that happened, nothing of it is left.

LocalStack runs this script in its own process when it starts. Its standard input is a pipe that
nobody writes to; it ends when the process at its other end does.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading

FOLDER = os.environ["ELT_LOCALSTACK_FOLDER"]


def _leave_with_parent() -> None:
    os.read(0, 1)  # of the descriptor: a buffer would be locked when Python ends
    shutil.rmtree(FOLDER, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=_leave_with_parent, daemon=True).start()
