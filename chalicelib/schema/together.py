"""Small batches of the same columns, checked as one: what a column costs does not show in each."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence

import pyarrow as pa

from chalicelib import groups
from chalicelib.batch import Batch
from chalicelib.config.model.schema import OnInvalid
from chalicelib.schema import TableSchema
from chalicelib.schema.validate import Validated, validate
from chalicelib.settings import BATCH_BYTES

ENOUGH = BATCH_BYTES // 2
"""Bytes of text from which on a column's fixed costs are small beside those of its values."""


def grouped(batches: Iterable[Batch]) -> Generator[list[Batch], None, None]:
    """All batches in their order: those of the same columns together until they are enough.

    None waits for others that has rejects: nobody knows of what size.
    """
    return groups.grouped(
        batches, _bytes, ENOUGH, may_join=_have_the_same_columns, ends=lambda one: bool(one.rejects)
    )


def _bytes(batch: Batch) -> int:
    return int(batch.table.nbytes)


def _have_the_same_columns(batch: Batch, first: Batch) -> bool:
    return bool(batch.table.schema.equals(first.table.schema))


def joined(batches: Sequence[Batch]) -> Batch:
    """The rows of batches of the same columns as if all were of the first one's file."""
    if len(batches) == 1:
        return batches[0]
    table = pa.concat_tables([batch.table for batch in batches]).combine_chunks()
    return Batch(batches[0].source, batches[0].origin, table, range(table.num_rows))


def validate_together(
    batches: Sequence[Batch], schema: TableSchema, on_invalid: OnInvalid
) -> list[Validated]:
    """What `validate` says of each of these batches of the same columns.

    Those in which something is amiss are checked once more by themselves.
    """
    whole = validate(joined(batches), schema, on_invalid)
    if len(batches) == 1:
        return [whole]
    if whole.nulled:
        return [validate(batch, schema, on_invalid) for batch in batches]
    found, start = [], 0
    for batch, fitting in zip(batches, _fitting(whole, batches), strict=True):
        if fitting == batch.table.num_rows:
            found.append(Validated(whole.table.slice(start, fitting), list(batch.rejects)))
        else:
            found.append(validate(batch, schema, on_invalid))
        start += fitting
    return found


def _fitting(whole: Validated, batches: Sequence[Batch]) -> Iterator[int]:
    """How many rows of each batch are in the table."""
    at = 0
    for batch in batches:
        rows = batch.table.num_rows
        yield rows if whole.kept is None else whole.kept.slice(at, rows).true_count
        at += rows
