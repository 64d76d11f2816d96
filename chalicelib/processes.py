"""The parts of a run in processes of this machine, several at once."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from chalicelib import several
from chalicelib.config import Config
from chalicelib.errors import EltError
from chalicelib.parts import Plan
from chalicelib.progress import Progress
from chalicelib.start import Start


class Counted(Progress):
    """What is done, to be told at the end to whoever started the process."""

    def __init__(self) -> None:
        super().__init__()
        self.done: dict[str, int] = {}
        self.files = 0

    def advance(self, step: str, by: int) -> None:
        """Count it."""
        self.done[step] = self.done.get(step, 0) + by

    def next_file(self) -> None:
        """Count it."""
        self.files += 1


class InProcesses:
    """`count` at a time. What a part that failed leaves undone, others still do."""

    def __init__(self, count: int) -> None:
        self._count = count

    def do(self, start: Start, plan: Plan, progress: Progress) -> None:
        """All parts. Raises the EltError of the first that failed; no other is begun then."""
        # a fork would share the threads' locks, and the connections
        context = multiprocessing.get_context("spawn")
        of_run = start.config, start.base, start.part.run_id
        with ProcessPoolExecutor(self._count, context, initializer=_serve_the_parent) as pool:
            doing = [pool.submit(_put_aside, *of_run, number) for number in plan.numbers]
            try:
                for done in as_completed(doing):
                    _tell(progress, done)
            except KeyboardInterrupt:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _tell(progress: Progress, done: Future[Counted]) -> None:
    try:
        counted = done.result()
    except BrokenProcessPool:
        raise EltError(
            "a process of the run was ended from outside; nothing was published",
            fix="Run again; with fewer --parts if there was not enough memory.",
        ) from None
    for _ in range(counted.files):
        progress.next_file()
    for step, by in counted.done.items():
        progress.advance(step, by)


def _serve_the_parent() -> None:
    """Ctrl-C is the parent's to hear, and without it there is nobody to work for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _put_aside(config: Config, base: Path, run_id: str, number: int) -> Counted:
    progress = Counted()
    several.run_part(config, base, run_id, number, progress)
    return progress
