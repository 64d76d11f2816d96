"""Batch → (clean batch, rejects): cast and standardise every column, then check its constraints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.batch import Batch, Problem, Reject
from chalicelib.config import Column
from chalicelib.config.model.schema import OnInvalid
from chalicelib.errors import InvalidRows
from chalicelib.schema import TYPES, TableSchema
from chalicelib.schema.columns import blank
from chalicelib.schema.constraints import in_source, violations
from chalicelib.schema.numbers import UNCLEAR, is_unclear

SHOWN = 10
"""Rejects that an error names; all of them are stored."""


@dataclass(frozen=True)
class Validated:
    """`table` holds the standard text of the rows that fit, with the columns of the target.

    `nulled` counts the values that `on_invalid: null` took out of rows that stayed. `kept` tells
    of each row of the batch whether it is in the table, unless all are.
    """

    table: pa.Table
    rejects: list[Reject]
    nulled: int = 0
    kept: pa.BooleanArray | None = None


@dataclass(frozen=True)
class Fault:
    """Rows whose value in one column does not fit, and why. `mask` has no nulls."""

    column: str
    mask: pa.BooleanArray
    reason: str
    removable: bool = True


def validate(batch: Batch, schema: TableSchema, on_invalid: OnInvalid = "quarantine") -> Validated:
    """Check a batch. Rows with a fault become rejects; with `null`, just the value goes."""
    there = dict(zip(batch.table.column_names, batch.table.columns, strict=True))
    extracted = {
        name: _extracted(there, name, spec, batch.table.num_rows)
        for name, spec in schema.columns.items()
    }
    columns: dict[str, pa.StringArray] = {}
    faults: list[Fault] = []
    nulled = 0
    for name, spec in schema.columns.items():
        columns[name], found = _check(name, extracted[name], spec)
        if on_invalid == "null" and found:
            columns[name], removed = _without(columns[name], found)
            found = [] if not spec.required else list(_missing(name, columns[name], spec))
            nulled += removed
        faults += found
    return _outcome(batch, pa.table(columns), extracted, faults, nulled)


def refusal(rejects: Sequence[tuple[str, Reject]], total: int) -> InvalidRows:
    """The error that names the first rejects with where they stand."""
    what = "1 row does" if total == 1 else f"{total:,} rows do"
    shown = [f"{origin} line {reject.line}: {reject.describe()}" for origin, reject in rejects]
    more = [f"and {total - SHOWN:,} more"] if total > SHOWN else []
    return InvalidRows(
        "\n  ".join([f"{what} not fit the schema", *shown[:SHOWN], *more]),
        fix="Correct them, or set schema.on_invalid: quarantine to load the others.",
    )


def _extracted(
    there: Mapping[str, pa.ChunkedArray], name: str, spec: Column, rows: int
) -> pa.StringArray:
    """The column's values: the first that is there under each of its names in the source."""
    arrays = [_single(there[n]) for n in spec.spellings(name) if n in there]
    values = arrays[0] if len(arrays) == 1 else _first_value(arrays, rows)
    if spec.default is None:
        return values
    return pc.if_else(blank(values), in_source(spec.default, spec), values)


def _first_value(arrays: list[pa.StringArray], rows: int) -> pa.StringArray:
    return pc.coalesce(*arrays) if arrays else pa.nulls(rows, pa.string())


def _single(column: pa.ChunkedArray) -> pa.StringArray:
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _check(name: str, values: pa.StringArray, spec: Column) -> tuple[pa.StringArray, list[Fault]]:
    """The standard text of one column and what is wrong with it."""
    kind = TYPES[spec.type]
    text = kind.standardise(values, spec)
    faults: list[Fault] = []
    if text is not values:
        misfits = pc.and_(pc.and_(pc.is_valid(values), pc.is_null(text)), pc.invert(blank(values)))
        if pc.any(misfits).as_py():
            faults += _misfits(name, values, misfits, spec)
    faults += [Fault(name, mask, reason) for mask, reason in violations(text, spec)]
    faults += _missing(name, text, spec, but_not=faults)
    return text, faults


def _misfits(
    name: str, values: pa.StringArray, misfits: pa.BooleanArray, spec: Column
) -> Iterator[Fault]:
    """Values without a standard text: those that could have one, and the others."""
    unclear = pc.and_(misfits, is_unclear(values, spec))
    others = pc.and_not(misfits, unclear)
    for mask, reason in ((unclear, UNCLEAR), (others, f"is not {TYPES[spec.type].expected(spec)}")):
        if pc.any(mask).as_py():
            yield Fault(name, mask, reason)


def _missing(
    name: str, text: pa.StringArray, spec: Column, but_not: list[Fault] | None = None
) -> Iterator[Fault]:
    """A required value that is not there, unless something else is already wrong with it."""
    if not spec.required or not text.null_count:
        return
    mask = pc.is_null(text)
    for fault in but_not or ():
        mask = pc.and_(mask, pc.invert(fault.mask))
    if pc.any(mask).as_py():
        yield Fault(name, mask, "is required")


def _without(text: pa.StringArray, faults: list[Fault]) -> tuple[pa.StringArray, int]:
    """The column with null in place of every value at fault, and how many that were."""
    wrong = faults[0].mask
    for fault in faults[1:]:
        wrong = pc.or_(wrong, fault.mask)
    return pc.if_else(wrong, pa.scalar(None, pa.string()), text), pc.sum(wrong).as_py()


def _outcome(
    batch: Batch,
    table: pa.Table,
    extracted: dict[str, pa.StringArray],
    faults: list[Fault],
    nulled: int,
) -> Validated:
    if not faults:
        return Validated(table, list(batch.rejects), nulled)
    bad = faults[0].mask
    for fault in faults[1:]:
        bad = pc.or_(bad, fault.mask)
    rejects = [*batch.rejects, *_rejects(batch, extracted, faults, bad)]
    kept = pc.invert(bad)
    return Validated(table.filter(kept), sorted(rejects, key=_line), nulled, kept)


def _rejects(
    batch: Batch, extracted: dict[str, pa.StringArray], faults: list[Fault], bad: pa.BooleanArray
) -> Iterator[Reject]:
    """One reject a bad row, with all that is wrong with it: the slow path, for those rows only."""
    positions = pc.indices_nonzero(bad).to_pylist()
    rows = batch.table.take(positions).to_pylist()
    for position, row in zip(positions, rows, strict=True):
        problems = tuple(
            Problem(fault.column, extracted[fault.column][position].as_py(), fault.reason)
            for fault in faults
            if fault.mask[position].as_py()
        )
        yield Reject(int(batch.lines[position]), row, problems)


def _line(reject: Reject) -> int:
    return reject.line
