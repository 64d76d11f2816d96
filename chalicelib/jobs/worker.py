"""Do what was launched: carry a run out under its lease, or make a preview."""

from __future__ import annotations

import os
import socket
import time
from pathlib import Path

from sqlalchemy import Engine

from chalicelib import log, pipeline, settings
from chalicelib.causes import sqlstate
from chalicelib.config import Config
from chalicelib.errors import InvalidRows, TargetError
from chalicelib.history import leases
from chalicelib.history.records import Outcome, Run
from chalicelib.jobs import outputs, previews
from chalicelib.jobs.common import configuration, make_room, service, settle
from chalicelib.jobs.deadline import OutOfTime, goes_on, out_of_time
from chalicelib.jobs.ending import conclude
from chalicelib.jobs.handover import Large, UnlessLarge, hand_over
from chalicelib.jobs.heartbeat import heartbeat
from chalicelib.jobs.launch import Event, launch
from chalicelib.jobs.parts import WithinTime
from chalicelib.progress import Progress
from chalicelib.reports import RunResult
from chalicelib.several import Cut
from chalicelib.start import OUTPUT, run_folder

PASSWORD_REFUSED = "28P01"  # noqa: S105 - an SQLSTATE


def handle(event: Event, seconds: float | None = None) -> None:
    """The work that the event names; it stops before these seconds are over."""
    if preview_id := event.get("preview_id"):
        previews.make(service(), preview_id)
    else:
        work(event["run_id"], seconds, int(event.get("invocation", "1")))


def work(run_id: str, seconds: float | None = None, invocation: int = 1) -> None:
    """Carry the run out, unless somebody else has it. However it ends, the history says so.

    A process that died with the run is recorded first: the same event, delivered again, goes on.
    """
    engine = service()
    settle(engine)
    owner = f"{socket.gethostname()}:{os.getpid()}:{run_id}:{time.monotonic_ns()}"
    if not leases.begin(engine, run_id, owner):
        return

    def carry_out(run: Run) -> RunResult | None:
        try:
            with heartbeat(engine, run_id, owner) as progress:
                return _carry_out(engine, run, progress)
        except Large as large:
            hand_over(engine, run, owner, large)
            return None

    def over(run: Run, end: OutOfTime) -> Outcome | None:
        if not goes_on(end, invocation):
            return out_of_time(run.step)
        if not leases.pass_on(engine, run_id, owner):
            return Outcome("cancelled")
        launch({"run_id": run_id, "invocation": str(invocation + 1)})
        return None

    conclude(engine, run_id, owner, carry_out, seconds, over)


def _carry_out(engine: Engine, run: Run, progress: Progress) -> RunResult:
    """As the configuration is, or once more if the password was changed after it was read."""
    try:
        return _load_and_keep(configuration(engine, run), run, progress)
    except TargetError as refused:
        if sqlstate(refused) != PASSWORD_REFUSED:
            raise
        log.LOGGER.warning("the target refused the password; it is read once more")
    return _load_and_keep(configuration(engine, run), run, progress)


def _load_and_keep(config: Config, run: Run, progress: Progress) -> RunResult:
    """Load, and keep the files that the run wrote."""
    base = settings.data_folder()
    folder = run_folder(base, run.id)
    try:
        result = _load(config, base, run, progress)
    except InvalidRows:
        outputs.keep(run.id, folder, [outputs.REJECTS])
        raise
    if result.output:
        result.warnings += outputs.keep(run.id, folder, [outputs.COMBINED, outputs.REJECTS, OUTPUT])
    make_room(config, base, folder)
    return result


def _load(config: Config, base: Path, run: Run, progress: Progress) -> RunResult:
    if run.parent is None:
        return _run(config, base, run, progress)
    corrections = {int(reject): row for reject, row in (run.corrections or {}).items()}
    return pipeline.replay(config, base, run.parent, corrections, progress, run.id)


def _run(config: Config, base: Path, run: Run, progress: Progress) -> RunResult:
    share, alone = settings.part_bytes(), WithinTime()
    cut = Cut(share, files=settings.part_files()) if share else None
    work = UnlessLarge(alone)
    try:
        return pipeline.run(config, base, progress, run.id, full=run.full, cut=cut, work=work)
    except OutOfTime:
        raise OutOfTime(alone.done) from None
