"""One part of a run: extract → validate → combine → load, in one transaction of the target."""

from __future__ import annotations

from collections.abc import Iterator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection, Engine

from chalicelib import database, load
from chalicelib.batch import Batch
from chalicelib.checks import check
from chalicelib.combine import CombinedCsv
from chalicelib.config import LINEAGE, Config
from chalicelib.errors import EltError, InvalidRows
from chalicelib.extract.base import Source
from chalicelib.fitting import fitted, refuse_names
from chalicelib.gather import Gatherer, Mark, extracted, infer
from chalicelib.lineage import Lineage, with_ids
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import CheckResult, RunResult
from chalicelib.schema import TableSchema
from chalicelib.schema.validate import Validated
from chalicelib.spool import Spool
from chalicelib.transform import transform


@dataclass
class PartRun:
    """A part on its way from its sources into the target.

    `result` is filled as it goes.
    """

    config: Config
    part: load.Part
    engine: Engine
    fence: load.Fence
    sources: list[Source]
    folder: Path
    progress: Progress
    result: RunResult

    def run(self) -> None:
        """Extract, validate, combine and load. Raises an EltError; then nothing was loaded."""
        batches = extracted(self.sources, self.progress)
        if self.config.strict:
            self._fill_and_load(self._fitted(TableSchema(self.config.declared)), batches)
            return
        with Spool(self.folder / "spool.arrow") as spool:
            evidence = infer(batches, self.config, spool)
            schema = self._fitted(evidence.schema(), evidence.without_value())
            self._fill_and_load(schema, spool.batches())

    def _fitted(self, schema: TableSchema, valueless: Set[str] = frozenset()) -> TableSchema:
        existing = load.existing_columns(self.engine, self.part.table) or {}
        fitting = fitted(schema, existing, valueless)
        refuse_names(fitting, self.part, self.result.read, lineage=self.config.target.lineage)
        return fitting

    def _fill_and_load(self, schema: TableSchema, batches: Iterator[Batch]) -> None:
        columns = [load.TableColumn(name, schema.sql_type(name)) for name in schema.names]
        if self.config.target.lineage:
            columns += [load.TableColumn(*column, lineage=True) for column in LINEAGE.items()]
        self.result.changes += load.prepare(
            self.engine,
            self.part.table,
            columns,
            widen=not self.config.strict,
            key=self.part.key,
            evolve=self.config.target.evolve,
        )
        names = tuple(column.name for column in columns)
        written = (*names, "reject") if self._brings_ids else names
        combined = CombinedCsv(self.folder / "combined.csv", written)
        self.result.output = combined.path
        quarantine = Quarantine(self.folder / "rejects.csv", self.part)
        try:
            loaded = self._overlapped(schema, batches, combined, quarantine)
        except InvalidRows:
            load.store_not_loaded(self.engine, self.part, quarantine.path)
            raise
        self.result.rejects = quarantine.first
        self._report(loaded)

    def _report(self, loaded: load.LoadResult) -> None:
        result = self.result
        result.inserted, result.updated = loaded.inserted, loaded.updated
        result.superseded, result.deleted = loaded.superseded, loaded.deleted
        result.quarantined, result.checks = loaded.quarantined, list(loaded.checks)
        if loaded.kept:
            result.warnings.append("no rows to load: replace keeps the old ones")
        if loaded.stale:
            result.warnings.append(
                "rows whose keys were or may have been written since are stale and left out: "
                f"{', '.join(self.part.key)} {'; '.join(loaded.stale)}"
            )
        failed = [check for check in loaded.checks if not check.passed]
        result.warnings += [f"check {check.name}: {check.detail}" for check in failed]

    def _overlapped(
        self,
        schema: TableSchema,
        batches: Iterator[Batch],
        combined: CombinedCsv,
        quarantine: Quarantine,
    ) -> load.LoadResult:
        """Gather in this thread and COPY in a second one, at once where that may be."""
        gatherer = Gatherer(
            schema, self.config.on_invalid, self.result.sources, quarantine, self.progress
        )
        for step, unit in (("validate", "rows"), ("combine", "bytes"), ("load", "bytes")):
            self.progress.begin(step, None, unit)
        with ThreadPoolExecutor(1, "load") as pool:

            def copy() -> Future[load.LoadResult]:
                return pool.submit(self._copy, combined, quarantine)

            loading = copy() if self._may_overlap() else None
            try:
                stop = loading.done if loading else _never
                gatherer.gather(batches, combined, stop, self._mark())
                combined.close()
                loaded = (loading or copy()).result()
            except BaseException as error:
                combined.abort(error)
                if not isinstance(error, EltError):
                    self.fence.end_holder()  # or leaving the pool would wait for the COPY
                raise
        for step in ("extract", "validate", "combine", "load"):
            self.progress.end(step)
        self.result.nulled = gatherer.nulled
        return loaded

    def _may_overlap(self) -> bool:
        """Columns must be known before the first row, and a transaction must not await an API."""
        pending = [source.report.kind for source in self.sources if source.pending]
        return self.config.strict and set(pending) <= {"local", "replay"}

    @property
    def _brings_ids(self) -> bool:
        """Whether each row must say which reject it was, for it may turn out to be stale."""
        return self.part.replayed is not None and self.part.mode == "merge"

    def _mark(self) -> Mark | None:
        lineage = self._lineage() if self.config.target.lineage else None
        if not lineage and not self._brings_ids:
            return None

        def mark(valid: Validated, batch: Batch) -> pa.Table:
            table = lineage.mark(valid.table, batch) if lineage else valid.table
            return with_ids(table, valid, batch) if self._brings_ids else table

        return mark

    def _lineage(self) -> Lineage:
        apis = {source.name for source in self.config.sources if source.type == "api"}
        return Lineage(self.part.run_id, database.clock(self.engine), apis)

    def _copy(self, combined: CombinedCsv, quarantine: Quarantine) -> load.LoadResult:
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

        columns = combined.columns[:-1] if self._brings_ids else combined.columns
        with self.progress.timed("load"):
            return load.load(
                self.engine,
                self.fence,
                self.part,
                columns,
                rows,
                harvest,
                then=self._transform_and_check,
            )

    def _transform_and_check(self, connection: Connection) -> list[CheckResult]:
        where = self.part.table, self.part.run_id
        transform(connection, self.config.transform, *where, self.progress)
        return check(connection, self.config.checks, *where, self.progress)


def _never() -> bool:
    return False
