"""What a run has before it looks at its sources: the right to commit to its table."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine

from chalicelib import database, load, log, settings
from chalicelib.config import Config
from chalicelib.reports import RunResult, SourceState
from chalicelib.run_id import new_run_id

KEPT_RUNS = 3
"""Runs whose folders stay on the disk, the present one among them."""

OUTPUT = "combined.json"
"""The list of the parts' combined CSVs."""


@dataclass(frozen=True)
class Start:
    """`part` is number 0, which stands for all of the run.

    `full`: what earlier runs loaded is read again. Paths in the configuration are relative to
    `base`.
    """

    config: Config
    base: Path
    part: load.Part
    engine: Engine
    fence: load.Fence
    full: bool = False

    @property
    def rereads(self) -> bool:
        """Whether it is of no interest what earlier runs loaded."""
        return self.full or self.part.mode == "replace"

    def states(self) -> Mapping[str, SourceState]:
        """What earlier runs loaded of each source, if that is of interest."""
        if self.rereads:
            return {}
        table, names = self.part.table, [source.name for source in self.config.sources]
        left_behind = load.left_behind(self.engine, table, names)
        states = {name: load.state(self.engine, table, name) for name in names}
        return {name: replace(state, left_behind=left_behind) for name, state in states.items()}


def begin(
    config: Config,
    base: Path,
    run_id: str | None = None,
    *,
    full: bool = False,
    replayed: str | None = None,
) -> Start:
    """Take the table over. What an earlier run had put aside for it is given up."""
    if replayed:
        mode = "merge" if config.target.mode == "merge" else "append"
    else:
        mode = "replace" if full and config.target.mode == "append" else config.target.mode
    part = whole(config, run_id or new_run_id(), mode, replayed)
    log.event("run started", run_id=part.run_id, table=part.table, mode=part.mode)
    engine = database.connect(config.target)
    load.migrate(engine)
    fence = load.take(engine, part.table, part.run_id)
    load.give_up(engine, part.table, part.run_id)
    return Start(_for_mode(config, mode), base, part, engine, fence, full)


def join(config: Config, base: Path, run_id: str, mode: str, *, full: bool) -> Start:
    """Work on a run that has taken the table. Raises Superseded when it has lost it."""
    part, engine = whole(config, run_id, mode), database.connect(config.target)
    fence = load.held(engine, part.table, run_id)
    return Start(_for_mode(config, mode), base, part, engine, fence, full)


def whole(config: Config, run_id: str, mode: str, replayed: str | None = None) -> load.Part:
    """All of a run, as the ledger knows it."""
    target = config.target
    return load.Part(
        run_id, 0, target.qualified_table, mode, target.primary_key, target.lineage, replayed
    )


def _for_mode(config: Config, mode: str) -> Config:
    return config.rebuilding() if mode == "replace" else config


def run_folder(base: Path, run_id: str) -> Path:
    """Where a run leaves its files."""
    return settings.work_folder(base) / "runs" / run_id


@contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """Work in the folder of a run, empty; meanwhile those of runs of long ago make room.

    At the end they are gone.
    """
    runs = folder.parent
    earlier = sorted({*runs.iterdir()} - {folder}) if runs.is_dir() else []
    with ThreadPoolExecutor(1, "make room") as pool:  # a file of 1 GB takes 0.3 s
        for old in earlier[: -KEPT_RUNS + 1]:
            pool.submit(shutil.rmtree, old, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)  # of an attempt that was resumed
        folder.mkdir(parents=True)
        yield


def ended(result: RunResult, seconds: Mapping[str, float], warnings: tuple[str, ...]) -> RunResult:
    """The result with all that is to be said of the run, which is logged."""
    result.seconds = dict(seconds)
    result.warnings += [text for report in result.sources for text in report.warnings]
    result.warnings += warnings
    for source in result.sources:
        log.event("source read", run_id=result.run_id, source=source.name, rows=source.rows)
    for step, took in result.seconds.items():
        log.event("step done", run_id=result.run_id, step=step, milliseconds=round(took * 1000))
    log.event("run succeeded", run_id=result.run_id, rows=result.inserted + result.updated)
    return result
