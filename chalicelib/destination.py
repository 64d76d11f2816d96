"""The target table of a run: fitted before its rows come, looked at when they are in."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

from chalicelib import load
from chalicelib.checks import check
from chalicelib.config import LINEAGE, Config
from chalicelib.fitting import fitted, refuse_names
from chalicelib.progress import Progress
from chalicelib.reports import CheckResult, RunResult
from chalicelib.schema import TableSchema
from chalicelib.transform import transform


@dataclass(frozen=True)
class Destination:
    """What a part of a run, or all of it at once, does with the table."""

    config: Config
    part: load.Part
    engine: Engine
    progress: Progress

    def fitted(
        self, schema: TableSchema, rows: int, valueless: Set[str] = frozenset()
    ) -> TableSchema:
        """The schema as the table takes it. SourceError when a name cannot be had."""
        fitting = fitted(schema, self.existing(), valueless)
        refuse_names(fitting, self.part, rows, lineage=self.config.target.lineage)
        return fitting

    def existing(self) -> dict[str, str]:
        """The table's columns with their types, none while there is no table."""
        return load.existing_columns(self.engine, self.part.table) or {}

    def columns(self, schema: TableSchema) -> list[load.TableColumn]:
        """Those of the schema and, with lineage, ours."""
        columns = [load.TableColumn(name, schema.sql_type(name)) for name in schema.names]
        if self.config.target.lineage:
            columns += [load.TableColumn(*column, lineage=True) for column in LINEAGE.items()]
        return columns

    def as_kept(self, columns: Sequence[load.TableColumn]) -> list[load.TableColumn]:
        """The columns with the types that the table has, where those take the data.

        Rows that come by way of another table are then taken, or refused, as from COPY.
        """
        there = self.existing()
        kept = [replace(c, sql_type=there.get(c.name, c.sql_type)) for c in columns]
        pairs = zip(columns, kept, strict=True)
        return [new if load.fits(old.sql_type, new.sql_type) else old for old, new in pairs]

    def prepare(self, columns: Sequence[load.TableColumn]) -> list[str]:
        """Make the table ready for the columns and say what was done, in words."""
        return load.prepare(
            self.engine,
            self.part.table,
            columns,
            widen=not self.config.strict,
            key=self.part.key,
            evolve=self.config.target.evolve,
        )

    def transform_and_check(self, connection: Connection) -> list[CheckResult]:
        """The SQL of the user, in the load's transaction."""
        where = self.part.table, self.part.run_id
        transform(connection, self.config.transform, *where, self.progress)
        return check(connection, self.config.checks, *where, self.progress)


def note(result: RunResult, loaded: load.LoadResult, key: Sequence[str]) -> None:
    """Put into the result of a run what the load did."""
    result.inserted, result.updated = loaded.inserted, loaded.updated
    result.superseded, result.deleted = loaded.superseded, loaded.deleted
    result.quarantined, result.checks = loaded.quarantined, list(loaded.checks)
    if loaded.kept:
        result.warnings.append("no rows to load: replace keeps the old ones")
    if loaded.stale:
        result.warnings.append(
            "rows whose keys were or may have been written since are stale and left out: "
            f"{', '.join(key)} {'; '.join(loaded.stale)}"
        )
    failed = [check for check in loaded.checks if not check.passed]
    result.warnings += [f"check {check.name}: {check.detail}" for check in failed]
