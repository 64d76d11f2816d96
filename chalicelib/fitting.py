"""The columns of a run beside those of the table: what is adapted, limited, or refused."""

from __future__ import annotations

from collections.abc import Mapping, Set

from chalicelib.config import LINEAGE, Column
from chalicelib.errors import SourceError
from chalicelib.load import Part, declaration, scale
from chalicelib.schema import TableSchema
from chalicelib.schema.constraints import Stored


def fitted(
    schema: TableSchema, existing: Mapping[str, str], valueless: Set[str] = frozenset()
) -> TableSchema:
    """The schema for a table with these columns and PostgreSQL types.

    A column that no row has a value for is of the table's type, since its own is a mere guess.
    Numbers must be such as the table keeps, which would round the others.
    """
    columns = dict(schema.columns)
    for name in valueless & existing.keys():
        columns[name] = columns[name].model_copy(update=declaration(existing[name]))
    return TableSchema(
        {name: _within(column, existing.get(name, "")) for name, column in columns.items()}
    )


def refuse_names(schema: TableSchema, part: Part, rows: int, *, lineage: bool) -> None:
    """SourceError when `rows` were read and the key is not among their columns, or ours are."""
    lost = [name for name in part.key if name not in schema.columns]
    if lost and (schema.columns or rows):
        raise SourceError(
            f"the data has no {', '.join(lost)}, by which mode merge tells rows apart",
            where=part.table,
            fix="Correct target.primary_key, or name the column by schema.columns.….from.",
        )
    if lineage and (taken := sorted(LINEAGE.keys() & schema.columns.keys())):
        raise SourceError(
            f"the data has a column {taken[0]}, which target.lineage fills itself",
            where=part.table,
            fix="Give it another name by schema.columns.….from.",
        )


def _within(column: Column, existing: str) -> Column:
    if column.type in ("integer", "decimal") and existing in ("real", "double precision"):
        return Stored(**column.model_dump(by_alias=True), stored_as=existing)
    scales = [limit for limit in (column.scale, scale(existing)) if limit is not None]
    if column.type != "decimal" or not scales:
        return column
    return column.model_copy(update={"scale": min(scales)})
