"""One run: plan → extract → validate → combine → load."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine

from chalicelib import database, load, log, settings
from chalicelib.batch import Batch, Reject
from chalicelib.combine import CombinedCsv
from chalicelib.config import Config
from chalicelib.errors import InvalidRows
from chalicelib.extract import open_sources
from chalicelib.extract.base import Source
from chalicelib.gather import Gatherer, extracted, infer, plan
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import SourceReport, SourceState
from chalicelib.schema import TableSchema
from chalicelib.spool import Spool

KEPT_RUNS = 10
"""Folders of earlier runs that stay on the disk."""


@dataclass
class RunResult:
    """What a run did. `read = inserted + quarantined`.

    `output` is the combined CSV, None when there was nothing new; `rejects` are the first of the
    quarantined rows with their file, `changes` what was done to the table.
    """

    run_id: str
    table: str
    mode: str
    sources: list[SourceReport]
    inserted: int = 0
    deleted: int = 0
    quarantined: int = 0
    nulled: int = 0
    rejects: list[tuple[str, Reject]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    output: Path | None = None

    @property
    def read(self) -> int:
        """Rows of all sources."""
        return sum(source.rows for source in self.sources)


def run(
    config: Config, base: Path, progress: Progress | None = None, run_id: str | None = None
) -> RunResult:
    """Load what is new in the sources into the target, exactly once.

    Paths in the configuration are relative to `base`. Raises an EltError that says what is wrong;
    then nothing was loaded.
    """
    watch = progress or Progress()
    part = load.Part(run_id or new_run_id(), 0, config.target.qualified_table, config.target.mode)
    log.event("run started", run_id=part.run_id, table=part.table, mode=part.mode)
    engine = database.connect(config.target)
    load.migrate(engine)
    fence = load.take(engine, part.table)
    sources = open_sources(config, base, _states(config, engine, part))
    result = RunResult(part.run_id, part.table, part.mode, [s.report for s in sources])
    if plan(sources, watch) or config.target.allow_empty:
        folder = run_folder(base, part.run_id)
        _PartRun(config, part, engine, fence, sources, folder, watch, result).run()
    result.seconds = watch.seconds
    result.warnings += [text for source in sources for text in source.report.warnings]
    _log_end(result)
    return result


def new_run_id() -> str:
    """Sorts by time, and no two runs share it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def run_folder(base: Path, run_id: str) -> Path:
    """A new folder for the run's files; those of long ago make room."""
    runs = settings.work_folder(base) / "runs"
    earlier = sorted(runs.iterdir()) if runs.is_dir() else []
    for folder in earlier[: -KEPT_RUNS + 1]:
        shutil.rmtree(folder, ignore_errors=True)
    (runs / run_id).mkdir(parents=True)
    return runs / run_id


def _states(config: Config, engine: Engine, part: load.Part) -> dict[str, SourceState]:
    """What earlier runs loaded; nothing for replace, which reads everything."""
    if config.target.mode == "replace":
        return {}
    return {s.name: load.state(engine, part.table, s.name) for s in config.sources}


@dataclass
class _PartRun:
    """A part on its way from its sources into the target."""

    config: Config
    part: load.Part
    engine: Engine
    fence: load.Fence
    sources: list[Source]
    folder: Path
    progress: Progress
    result: RunResult

    def run(self) -> None:
        batches = extracted(self.sources, self.progress)
        if self.config.strict:
            self._fill_and_load(TableSchema(self.config.declared), batches)
            return
        with Spool(self.folder / "spool.arrow") as spool:
            evidence = infer(batches, self.config, spool)
            schema = self._fitted(evidence.schema(), evidence.without_value())
            self._fill_and_load(schema, spool.batches())

    def _fitted(self, schema: TableSchema, valueless: set[str]) -> TableSchema:
        """Without columns that are there already and that no row has a value for."""
        existing = load.existing_columns(self.engine, self.part.table) or {}
        idle = valueless & existing.keys()
        return TableSchema({n: c for n, c in schema.columns.items() if n not in idle})

    def _fill_and_load(self, schema: TableSchema, batches: Iterator[Batch]) -> None:
        columns = [load.TableColumn(name, schema.sql_type(name)) for name in schema.names]
        self.result.changes += load.prepare(
            self.engine, self.part.table, columns, widen=not self.config.strict
        )
        combined = CombinedCsv(self.folder / "combined.csv", schema.names)
        self.result.output = combined.path
        quarantine = Quarantine(self.folder / "rejects.csv", self.part)
        try:
            loaded = self._overlapped(schema, batches, combined, quarantine)
        except InvalidRows:
            load.store_not_loaded(self.engine, self.part, quarantine.path)
            raise
        self.result.inserted, self.result.deleted = loaded.inserted, loaded.deleted
        self.result.quarantined, self.result.rejects = loaded.quarantined, quarantine.first
        if loaded.kept:
            self.result.warnings.append("no rows to load: replace keeps the old ones")

    def _overlapped(
        self,
        schema: TableSchema,
        batches: Iterator[Batch],
        combined: CombinedCsv,
        quarantine: Quarantine,
    ) -> load.LoadResult:
        """COPY in a second thread, from the first batch on or when the file is complete."""
        gatherer = Gatherer(
            schema, self.config.on_invalid, self.result.sources, quarantine, self.progress
        )

        def copy() -> load.LoadResult:
            return self._copy(schema, combined, quarantine)

        for step, unit in (("validate", "rows"), ("combine", "rows"), ("load", "bytes")):
            self.progress.begin(step, None, unit)
        with ThreadPoolExecutor(1, "load") as pool:
            loading = pool.submit(copy) if self._may_overlap() else None
            try:
                if loading:
                    gatherer.gather(batches, combined, stop=loading.done)
                else:
                    gatherer.gather(batches, combined)
            except BaseException as error:
                combined.abort(error)
                raise
            combined.close()
            self.result.nulled = gatherer.nulled
            return (loading or pool.submit(copy)).result()

    def _may_overlap(self) -> bool:
        """Columns must be known before the first row, and a transaction must not await an API."""
        pending = [source.report.kind for source in self.sources if source.pending]
        return self.config.strict and set(pending) <= {"local"}

    def _copy(
        self, schema: TableSchema, combined: CombinedCsv, quarantine: Quarantine
    ) -> load.LoadResult:
        def rows() -> Iterator[bytes]:
            for chunk in combined.chunks():
                yield chunk
                self.progress.advance("load", len(chunk))

        def harvest() -> load.Harvest:
            return load.Harvest(
                combined.rows,
                self.result.sources,
                quarantine.path if quarantine.count else None,
                quarantine.count,
                self.config.target.allow_empty,
            )

        with self.progress.timed("load"):
            return load.load(self.engine, self.fence, self.part, schema.names, rows, harvest)


def _log_end(result: RunResult) -> None:
    for source in result.sources:
        log.event("source read", run_id=result.run_id, source=source.name, rows=source.rows)
    for step, seconds in result.seconds.items():
        log.event("step done", run_id=result.run_id, step=step, milliseconds=round(seconds * 1000))
    log.event("run succeeded", run_id=result.run_id, rows=result.inserted)
