"""One part of a run: extract → validate → combine → load, in one transaction of the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Engine

from chalicelib import database, load
from chalicelib.batch import Batch
from chalicelib.combine import CombinedCsv
from chalicelib.config import Config
from chalicelib.destination import Destination, note
from chalicelib.errors import EltError, InvalidRows
from chalicelib.extract.base import Source
from chalicelib.gather import Gatherer, Groups, Mark, extracted, infer
from chalicelib.lineage import Lineage, with_ids
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import RunResult
from chalicelib.schema import TableSchema
from chalicelib.schema.infer import Evidence
from chalicelib.schema.together import grouped
from chalicelib.schema.validate import Validated
from chalicelib.spool import Spool


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
        groups = extracted(self.sources, self.progress)
        if self.config.strict:
            self._fill_and_load(self._fitted(TableSchema(self.config.declared)), groups)
            return
        with Spool(self.folder / "spool.arrow") as spool:
            evidence = infer(groups, self.config, spool)
            self._fill_and_load(self._inferred(evidence), grouped(spool.batches()))

    def _inferred(self, evidence: Evidence) -> TableSchema:
        return self._fitted(evidence.schema(), evidence.without_value())

    def _fitted(self, schema: TableSchema, valueless: Set[str] = frozenset()) -> TableSchema:
        return self._destination.fitted(schema, self.result.read, valueless)

    @cached_property
    def _destination(self) -> Destination:
        return Destination(self.config, self.part, self.engine, self.progress)

    def _prepare(self, schema: TableSchema) -> list[load.TableColumn]:
        columns = self._destination.columns(schema)
        self.result.changes += self._destination.prepare(columns)
        return columns

    def _fill_and_load(self, schema: TableSchema, groups: Groups) -> None:
        self._columns = self._prepare(schema)
        names = tuple(column.name for column in self._columns)
        written = (*names, "reject") if self._brings_ids else names
        combined = CombinedCsv(self.folder / "combined.csv", written)
        self.result.output = combined.path
        quarantine = Quarantine(self.folder / "rejects.csv", self.part)
        self.result.rejects = quarantine.first
        try:
            loaded = self._overlapped(schema, groups, combined, quarantine)
        except InvalidRows:
            load.store_not_loaded(self.engine, self.part, quarantine.path)
            raise
        note(self.result, loaded, self.part.key)

    def _overlapped(
        self,
        schema: TableSchema,
        groups: Groups,
        combined: CombinedCsv,
        quarantine: Quarantine,
    ) -> load.LoadResult:
        """Gather in this thread and COPY in a second one, at once where that may be."""
        self._gatherer = Gatherer(
            schema, self.config.on_invalid, self.result.sources, quarantine, self.progress
        )
        for step, unit in (("validate", "rows"), ("combine", "bytes"), ("load", "bytes")):
            self.progress.begin(step, None, unit)
        with ThreadPoolExecutor(1, "load") as pool:

            def copy() -> Future[load.LoadResult]:
                return pool.submit(self._copy, combined, quarantine)

            loading = copy() if self._may_overlap() else None
            if loading:
                combined.keep_near(loading)
            try:
                stop = loading.done if loading else _never
                self._gatherer.gather(groups, combined, stop, self._mark())
                combined.close()
                loaded = (loading or copy()).result()
            except BaseException as error:
                combined.abort(error)
                if not isinstance(error, EltError):
                    self.fence.end_holder()  # or leaving the pool would wait for the COPY
                raise
        for step in ("extract", "validate", "combine", "load"):
            self.progress.end(step)
        self.result.nulled = self._gatherer.nulled
        return loaded

    def _may_overlap(self) -> bool:
        """A transaction must not await an API; where columns were inferred all is there already."""
        pending = [source.report.kind for source in self.sources if source.pending]
        return not self.config.strict or set(pending) <= {"local", "replay"}

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

        with self.progress.timed("load"):
            return self._load(rows, harvest)

    def _load(
        self, rows: Callable[[], Iterator[bytes]], harvest: Callable[[], load.Harvest]
    ) -> load.LoadResult:
        return load.load(
            self.engine,
            self.fence,
            self.part,
            [column.name for column in self._columns],
            rows,
            harvest,
            then=self._destination.transform_and_check,
        )


def _never() -> bool:
    return False
