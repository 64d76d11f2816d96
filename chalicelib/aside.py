"""A part of several: what it reads is put aside, and loaded when all parts are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from chalicelib import load
from chalicelib.part import PartRun
from chalicelib.parts import PartReport
from chalicelib.schema import TableSchema
from chalicelib.schema.infer import Evidence


@dataclass
class PartAside(PartRun):
    """As a part that is loaded, but for its end; what nobody declared is text until then."""

    _evidence: Evidence | None = None

    def _inferred(self, evidence: Evidence) -> TableSchema:
        self._evidence = evidence
        return evidence.as_text()

    def _prepare(self, schema: TableSchema) -> list[load.TableColumn]:
        """Of the table's own types, where it has its columns already."""
        if not self.config.strict:
            return self._destination.columns(schema)
        columns = super()._prepare(schema)
        existing = self._destination.existing()
        return [replace(c, sql_type=existing.get(c.name, c.sql_type)) for c in columns]

    def _load(
        self, rows: Callable[[], Iterator[bytes]], harvest: Callable[[], load.Harvest]
    ) -> load.LoadResult:
        names = [column.name for column in self._columns]
        aside = load.Aside(self.part, self._columns, lambda: self._told().to_json())
        return load.load(self.engine, self.fence, self.part, names, rows, harvest, aside=aside)

    def _told(self) -> PartReport:
        result = self.result
        seen = self._evidence.told() if self._evidence else ({}, set[str]())
        return PartReport(result.sources, self._gatherer.nulled, result.rejects, *seen)
