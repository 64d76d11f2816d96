"""A part of several: what it reads is put aside, and loaded when all parts are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
        """A strict schema is known in full before the first row, any other when all are there."""
        strict, columns = self.config.strict, self._destination.columns
        return self._destination.as_kept(super()._prepare(schema) if strict else columns(schema))

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
