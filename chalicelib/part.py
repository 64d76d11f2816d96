"""One part of a run: extract → validate → combine → load, in one transaction of the target."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from chalicelib import load
from chalicelib.batch import Batch
from chalicelib.combine import CombinedCsv
from chalicelib.config import Config
from chalicelib.errors import EltError, InvalidRows
from chalicelib.extract.base import Source
from chalicelib.gather import Gatherer, extracted, infer
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import RunResult
from chalicelib.schema import TableSchema
from chalicelib.spool import Spool


@dataclass
class PartRun:
    """A part on its way from its sources into the target.

    `result` is filled as it goes; `replayed` is the run whose rejects the sources hold, if any.
    """

    config: Config
    part: load.Part
    engine: Engine
    fence: load.Fence
    sources: list[Source]
    folder: Path
    progress: Progress
    result: RunResult
    replayed: str | None

    def run(self) -> None:
        """Extract, validate, combine and load. Raises an EltError; then nothing was loaded."""
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
        """Gather in this thread and COPY in a second one, at once where that may be."""
        gatherer = Gatherer(
            schema, self.config.on_invalid, self.result.sources, quarantine, self.progress
        )
        for step, unit in (("validate", "rows"), ("combine", "bytes"), ("load", "bytes")):
            self.progress.begin(step, None, unit)
        with ThreadPoolExecutor(1, "load") as pool:

            def copy() -> Future[load.LoadResult]:
                return pool.submit(self._copy, schema, combined, quarantine)

            loading = copy() if self._may_overlap() else None
            try:
                gatherer.gather(batches, combined, stop=loading.done if loading else _never)
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
                self.replayed,
            )

        with self.progress.timed("load"):
            return load.load(self.engine, self.fence, self.part, schema.names, rows, harvest)


def _never() -> bool:
    return False
