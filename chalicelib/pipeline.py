"""One run: take the table over, see what is new, load it; or load what a run left in quarantine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from chalicelib import database, load, log, settings
from chalicelib.config import Config
from chalicelib.errors import TargetError
from chalicelib.extract import open_sources
from chalicelib.extract.base import Source
from chalicelib.gather import plan
from chalicelib.part import PartRun
from chalicelib.progress import Progress
from chalicelib.replay import Corrections, rejected
from chalicelib.reports import RunResult, SourceState
from chalicelib.run_id import new_run_id

KEPT_RUNS = 3
"""Runs whose folders stay on the disk, the present one among them."""


def run(
    config: Config,
    base: Path,
    progress: Progress | None = None,
    run_id: str | None = None,
    *,
    full: bool = False,
) -> RunResult:
    """Load what is new in the sources into the target, exactly once.

    `full` rebuilds the table: everything is read and takes the place of the old rows, in mode
    merge by their keys. Paths in the configuration are relative to `base`. Raises an EltError
    that says what is wrong; then nothing was loaded.
    """
    mode = "replace" if full and config.target.mode == "append" else config.target.mode
    if mode == "replace":
        config = config.rebuilding()
    start = _start(config, base, mode, run_id)
    known = {} if full or mode == "replace" else _states(config, start)
    return start.carry_out(open_sources(config, base, known), progress or Progress())


def replay(
    config: Config,
    base: Path,
    parent: str,
    corrections: Corrections,
    progress: Progress | None = None,
    run_id: str | None = None,
) -> RunResult:
    """Load the rows that the run `parent` left in quarantine, as the schema is now.

    Rows are added. In mode merge those are left out whose keys somebody wrote since; without
    lineage nobody can tell, so all whose keys are in the table. Raises TargetError for a run that
    loaded another table, and for one whose rows are in the table no more, since a later replace
    took their place.
    """
    mode = "merge" if config.target.mode == "merge" else "append"
    start = _start(config, base, mode, run_id, replayed=parent)
    _refuse_misplaced(start, parent)
    sources: list[Source] = [*rejected(start.engine, parent, corrections)]
    return start.carry_out(sources, progress or Progress())


def _refuse_misplaced(start: _Start, parent: str) -> None:
    """The rejects of a run belong to the rows that it loaded."""
    table = start.part.table
    if (other := load.loaded_into(start.engine, parent)) not in (None, table):
        raise TargetError(
            f"run {parent} loaded {other}, and its rejects belong there",
            where=table,
            fix=f"Replay it under a configuration whose target.table is {other}.",
        )
    if load.replaced_since(start.engine, parent):
        raise TargetError(
            f"the rows of run {parent} were replaced since",
            where=table,
            fix="Only the rejects of the run that replaced them, or of later ones, can be loaded.",
        )


@dataclass(frozen=True)
class _Start:
    """What a run has before it looks at its sources: the right to commit to its table."""

    config: Config
    base: Path
    part: load.Part
    engine: Engine
    fence: load.Fence

    def carry_out(self, sources: list[Source], progress: Progress) -> RunResult:
        """Load what the sources have, if they have anything."""
        reports = [source.report for source in sources]
        result = RunResult(self.part.run_id, self.part.table, self.part.mode, reports)
        empties = self.part.mode == "replace" and self.config.target.allow_empty
        if plan(sources, progress) or empties:
            folder = _emptied(run_folder(self.base, self.part.run_id))
            PartRun(
                self.config, self.part, self.engine, self.fence,
                sources, folder, progress, result,
            ).run()  # fmt: skip
        elif self.part.mode == "replace":
            result.warnings.append("no rows to load: replace keeps the old ones")
        result.seconds = progress.seconds
        result.warnings += [text for report in reports for text in report.warnings]
        result.warnings += self.config.warnings if not self.part.replayed else []
        _log_end(result)
        return result


def _start(
    config: Config, base: Path, mode: str, run_id: str | None, replayed: str | None = None
) -> _Start:
    target = config.target
    part = load.Part(
        run_id or new_run_id(), 0, target.qualified_table, mode, target.primary_key,
        target.lineage, replayed,
    )  # fmt: skip
    log.event("run started", run_id=part.run_id, table=part.table, mode=part.mode)
    engine = database.connect(config.target)
    load.migrate(engine)
    return _Start(config, base, part, engine, load.take(engine, part.table, part.run_id))


def run_folder(base: Path, run_id: str) -> Path:
    """Where a run leaves its files."""
    return settings.work_folder(base) / "runs" / run_id


def _emptied(folder: Path) -> Path:
    """The folder, empty; those of runs of long ago make room."""
    runs = folder.parent
    earlier = sorted(runs.iterdir()) if runs.is_dir() else []
    for old in earlier[: -KEPT_RUNS + 1]:
        shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was resumed
    folder.mkdir(parents=True)
    return folder


def _states(config: Config, start: _Start) -> dict[str, SourceState]:
    """What earlier runs loaded of each source."""
    table, names = start.part.table, [source.name for source in config.sources]
    left_behind = load.left_behind(start.engine, table, names)
    states = {name: load.state(start.engine, table, name) for name in names}
    return {name: replace(state, left_behind=left_behind) for name, state in states.items()}


def _log_end(result: RunResult) -> None:
    for source in result.sources:
        log.event("source read", run_id=result.run_id, source=source.name, rows=source.rows)
    for step, seconds in result.seconds.items():
        log.event("step done", run_id=result.run_id, step=step, milliseconds=round(seconds * 1000))
    log.event("run succeeded", run_id=result.run_id, rows=result.inserted + result.updated)
