"""Column types from the whole data, conservatively: what every value is beyond doubt, else text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.batch import Batch
from chalicelib.config import Column
from chalicelib.config.model.common import MAX_IDENTIFIER_BYTES
from chalicelib.errors import SourceError
from chalicelib.schema import TableSchema, unclaimed
from chalicelib.schema.columns import casts, matching
from chalicelib.schema.times import is_iso_date, is_iso_naive, is_iso_zoned

DECIMAL = r"^-?(0|[1-9][0-9]*)(\.[0-9]+([eE][0-9]{1,3})?|(\.[0-9]+)?[eE][+-][0-9]{1,3})?$"
"""12E10 may be an article's number; 1.2E10 and 12E+10 are numbers."""


def _is_boolean(values: pa.StringArray) -> bool:
    return _all(pc.is_in(values, value_set=pa.array(["true", "false"])))


def _is_integer(values: pa.StringArray) -> bool:
    """Leading zeros make text (a postcode, an article number), 65 bits a decimal."""
    numbers = casts(values, pa.int64())
    return numbers is not None and _all(pc.equal(pc.cast(numbers, pa.string()), values))


def _is_decimal(values: pa.StringArray) -> bool:
    return _all(matching(values, DECIMAL))


def _all(fits: pa.BooleanArray) -> bool:
    return pc.all(fits).as_py() is not False


CANDIDATES: dict[str, tuple[Column, Callable[[pa.StringArray], bool]]] = {
    "boolean": (Column(type="boolean"), _is_boolean),
    "integer": (Column(type="integer"), _is_integer),
    "decimal": (Column(type="decimal"), _is_decimal),
    "date": (Column(type="date"), is_iso_date),
    "zoned time": (Column(type="timestamp"), is_iso_zoned),
    "time": (Column(type="timestamp", timezone="none"), is_iso_naive),
}
"""In the order of preference; a column keeps those that all of its values allow."""

IMPLIED = {"integer": "decimal", "date": "time"}
"""Where each value is the one it is the other, too."""


class Evidence:
    """What the data says of columns that nobody declared, gathered batch by batch.

    Those that are `required` must have a value in each row.
    """

    def __init__(self, declared: Mapping[str, Column], required: Collection[str] = ()) -> None:
        self._declared = dict(declared)
        self._required = required
        self._possible: dict[str, set[str]] = {}
        self._valued: set[str] = set()

    def see(self, batch: Batch) -> None:
        """Take a batch into account."""
        for name in unclaimed(batch.table.column_names, self._declared):
            if name not in self._possible:
                _check_length(name, batch)
            possible = self._possible.setdefault(name, set(CANDIDATES))
            if (possible or name not in self._valued) and len(values := _values(batch, name)):
                self._valued.add(name)
                possible &= _fitting(values, possible)

    def told(self) -> tuple[dict[str, set[str]], set[str]]:
        """What is possible for each column, and which have a value: for `take_in`."""
        return self._possible, self._valued

    def take_in(self, possible: Mapping[str, Collection[str]], valued: Collection[str]) -> None:
        """Take into account what another part of the data told."""
        for name, kinds in possible.items():
            self._possible.setdefault(name, set(CANDIDATES)).intersection_update(kinds)
        self._valued.update(valued)

    def as_text(self) -> TableSchema:
        """The declared columns, then the others as they were extracted."""
        text = {name: self._keyed(name, Column(type="text")) for name in self._possible}
        return TableSchema({**self._declared, **text})

    def schema(self) -> TableSchema:
        """The declared columns, then the inferred ones in the order of first appearance."""
        return TableSchema({**self._declared, **{n: self._column(n) for n in self._possible}})

    def without_value(self) -> set[str]:
        """Columns whose type is a mere guess, since no row has a value in them."""
        return set(self._possible) - self._valued

    def _column(self, name: str) -> Column:
        kinds = [kind for kind in CANDIDATES if kind in self._possible[name]]
        known = kinds and name in self._valued
        column = CANDIDATES[kinds[0]][0] if known else Column(type="text")
        return self._keyed(name, column)

    def _keyed(self, name: str, column: Column) -> Column:
        return column.model_copy(update={"required": name in self._required})


def _values(batch: Batch, name: str) -> pa.StringArray:
    """All but null and empty ones."""
    values = batch.table[name].combine_chunks()
    filled = pc.not_equal(values, "")
    return values.filter(filled) if values.null_count or not _all(filled) else values


def _fitting(values: pa.StringArray, possible: Collection[str]) -> set[str]:
    """The kinds that all of the values are; the first alone tells most columns of another kind."""
    fitting: set[str] = set()
    for kind, (_, fits) in CANDIDATES.items():
        implied = kind in map(IMPLIED.get, fitting)
        if kind in possible and (implied or (fits(values.slice(0, 1)) and fits(values))):
            fitting.add(kind)
    return fitting


def _check_length(name: str, batch: Batch) -> None:
    if len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise SourceError(
            f"the column name {name!r} is longer than the {MAX_IDENTIFIER_BYTES} bytes that "
            "PostgreSQL keeps",
            where=batch.origin,
            fix="Give it a shorter name: schema.columns.<short name>.from.",
        )
