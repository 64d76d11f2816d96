"""What a column type is, and the steps that all of them share.

A type turns the text of a column into its standard text: what PostgreSQL reads without doubt.
A value that has none becomes null. Where a whole column is standard already it is returned as it
is, the same object: that is the fast path, and it formats nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.config import Column


class ColumnType(Protocol):
    """One of the types a column can have."""

    def sql(self, column: Column) -> str:
        """The PostgreSQL type, as `format_type` spells it."""

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        """Standard texts as values of the Arrow type that holds them all."""

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        """The standard text of each value; null where there is none. `values` itself if all is."""

    def expected(self, column: Column) -> str:
        """What a value should have been, as in 'is not …'."""


FIRST = 50
"""Values that tell of most columns whether they resist a cast."""

MANY = 20 * FIRST


def casts(values: pa.StringArray, to: pa.DataType) -> pa.Array | None:
    """The whole column cast, or None when any value resists: Arrow makes a message of each."""
    try:
        if len(values) > MANY:
            pc.cast(values.slice(0, FIRST), to)
        return pc.cast(values, to)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def matching(values: pa.StringArray, pattern: str) -> pa.BooleanArray:
    """Which values match; null counts as not."""
    return pc.fill_null(pc.match_substring_regex(values, pattern), False)


def keep(values: pa.StringArray, wanted: pa.BooleanArray) -> pa.StringArray:
    """The wanted values; null instead of the others."""
    return pc.if_else(pc.fill_null(wanted, False), values, pa.scalar(None, pa.string()))


def where_odd(
    values: pa.StringArray,
    plain: pa.BooleanArray,
    tidy: Callable[[pa.StringArray], pa.StringArray],
) -> pa.StringArray:
    """Apply `tidy` to just the values that are not plain: they are few, and it is slow."""
    odd = pc.and_(pc.invert(plain), pc.is_valid(values))
    return pc.replace_with_mask(values, odd, tidy(values.filter(odd)))


def where_unread(
    text: pa.StringArray, found: pa.Array, read: Callable[[pa.StringArray], pa.Array]
) -> pa.Array:
    """Apply `read` to just the texts that nothing was found in."""
    unread = pc.and_(pc.is_null(found), pc.is_valid(text))
    if not pc.any(unread).as_py():
        return found
    return pc.replace_with_mask(found, unread, read(text.filter(unread)))


def trimmed(values: pa.StringArray) -> pa.StringArray:
    """Without white space around."""
    return pc.utf8_trim_whitespace(values)


def blank(values: pa.StringArray) -> pa.BooleanArray:
    """Null, empty or white space: no value at all."""
    return pc.fill_null(pc.equal(pc.binary_length(trimmed(values)), 0), True)
