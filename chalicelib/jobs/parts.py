"""The parts of a run in the job function: one after the other, for as long as there is time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from chalicelib import log, settings
from chalicelib.jobs import outputs
from chalicelib.jobs.deadline import OutOfTime, left
from chalicelib.parts import Plan
from chalicelib.progress import Progress
from chalicelib.several import put_aside, undone
from chalicelib.start import Start, run_folder


class WithinTime:
    """Keeps what each part wrote, and makes room for the next. `done` is how many it did."""

    def __init__(self) -> None:
        self.done = 0
        self._longest = 0.0

    def do(self, start: Start, plan: Plan, progress: Progress) -> None:
        """Those that are not aside. Raises OutOfTime before one that would not be done in time."""
        for planned in undone(start, plan):
            if left() < self._longest:
                raise OutOfTime
            begun = time.monotonic()
            folder = put_aside(start, planned, progress)
            self._longest = max(self._longest, time.monotonic() - begun)
            self.done += 1
            keep(start, folder)


def keep(start: Start, folder: Path) -> None:
    """Put what a part wrote into the bucket, and make room on the disk of a function."""
    run_id = start.part.run_id
    names = [f"{folder.name}/{name}" for name in (outputs.COMBINED, outputs.REJECTS)]
    for warning in outputs.keep(run_id, run_folder(start.base, run_id), names):
        log.LOGGER.warning("%s", warning)
    if settings.on_lambda():
        shutil.rmtree(folder, ignore_errors=True)
