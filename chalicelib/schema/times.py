"""Dates and timestamps, in ISO or in declared formats."""

from __future__ import annotations

from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.config import Column
from chalicelib.schema.clock import (
    CLOCK,
    DAY,
    MICROSECONDS,
    SECONDS,
    UTC,
    read_formatted,
    read_iso,
    read_iso_moments,
)
from chalicelib.schema.columns import casts, keep, matching, trimmed, where_unread
from chalicelib.schema.fixed import read_fixed

OFFSET = r"(Z|[+-](0[0-9]|1[0-5])(:?[0-5][0-9])?)"
ZONED = f"^{DAY}{CLOCK}{OFFSET}$"
HOUR_ALONE = len("2026-01-31 10")
ENDS_IN_ZONE = f"[ T][0-9:.]+ ?{OFFSET}$"


class Date:
    """A day, written `2026-01-31` or in a declared format."""

    def sql(self, column: Column) -> str:
        return "date"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return pc.cast(text, pa.date32())

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        if not column.format and is_iso_date(values):
            return values
        times = read_fixed(text := trimmed(values), column.format)
        times = where_unread(text, times, partial(_naive, column=column))
        days = pc.cast(times, pa.date32(), safe=False)
        return keep(pc.cast(days, pa.string()), pc.equal(times, pc.cast(days, MICROSECONDS)))

    def expected(self, column: Column) -> str:
        return f"a date such as {_example(column, '2026-01-31')}"


class Timestamp:
    """A moment. One without a zone is read in the column's `timezone`; `none` keeps no zone."""

    def sql(self, column: Column) -> str:
        zoned = "without" if column.timezone == "none" else "with"
        return f"timestamp {zoned} time zone"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        if column.timezone == "none":
            return pc.cast(text, MICROSECONDS)
        return pa.chunked_array([moments(chunk) for chunk in text.chunks], UTC)

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        if not column.format and self._is_standard(values, column.timezone):
            return values
        times = read_fixed(text := trimmed(values), column.format)
        times = _in_zone(times, column.timezone)
        return _written(where_unread(text, times, partial(_moments, column=column)))

    def expected(self, column: Column) -> str:
        example = _example(column, "2026-01-31 14:30:00")
        if column.timezone == "none":
            return f"a time without a zone such as {example}"
        return f"a time such as {example} that there is in {column.timezone}"

    def _is_standard(self, values: pa.StringArray, timezone: str) -> bool:
        """The load's session runs in UTC: a time without a zone means UTC there too."""
        if timezone != "none" and is_iso_zoned(values):
            return True
        return timezone in ("none", "UTC") and is_iso_naive(values)


def moments(text: pa.StringArray) -> pa.Array:
    """Standard texts as moments; those of one batch have all a zone, or all none and mean UTC."""
    zoned = casts(text, UTC)
    return pc.cast(pc.cast(text, MICROSECONDS), UTC) if zoned is None else zoned


def is_iso_date(values: pa.StringArray) -> bool:
    """Whether every value is a day as ISO writes it."""
    return casts(values, pa.date32()) is not None and _no_year_zero(values)


def is_iso_naive(values: pa.StringArray) -> bool:
    """Whether every value is an ISO time without a zone; to Arrow, `2026-01-31 10` is one too."""
    if casts(values, MICROSECONDS) is None:
        return False
    odd = pc.equal(pc.binary_length(values), HOUR_ALONE)
    return pc.any(odd).as_py() is not True and _no_year_zero(values)


def is_iso_zoned(values: pa.StringArray) -> bool:
    """Whether every value is an ISO time with its zone; the first alone tells most columns."""
    for some in (values.slice(0, 1), values):
        if pc.all(pc.match_substring_regex(some, ZONED)).as_py() is False:
            return False
    return casts(values, UTC) is not None and _no_year_zero(values)


def _no_year_zero(values: pa.StringArray) -> bool:
    """PostgreSQL has no year 0; Arrow has."""
    return pc.any(pc.starts_with(values, "0000")).as_py() is not True


def _moments(text: pa.StringArray, column: Column) -> pa.Array:
    """Times with a zone, and those without in the column's; where that is `none`, without."""
    zoned = matching(text, ENDS_IN_ZONE)
    naive = _naive(keep(text, pc.invert(zoned)), column)
    if column.timezone == "none":
        return naive
    return pc.coalesce(
        *(read_formatted(text, form) for form in column.format if "%z" in form),
        read_iso_moments(keep(text, zoned)),
        _in_zone(naive, column.timezone),
    )


def _naive(text: pa.StringArray, column: Column) -> pa.Array:
    """Times without a zone, by the declared formats in their order and then by ISO."""
    times = pa.nulls(len(text), MICROSECONDS)
    for form in column.format:
        if "%z" not in form:
            times = pc.coalesce(times, read_formatted(_unread(text, times), form))
    return pc.coalesce(times, read_iso(_unread(text, times)))


def _unread(text: pa.StringArray, times: pa.Array) -> pa.StringArray:
    return keep(text, pc.is_null(times))


def _in_zone(naive: pa.Array, timezone: str) -> pa.Array:
    """Moments; null for a time that a change of clocks skips or repeats."""
    if timezone == "none":
        return naive
    if timezone == "UTC":
        return pc.cast(naive, UTC)
    local = naive.to_pandas().dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    return pa.array(local.dt.tz_convert("UTC"), UTC)


def _written(times: pa.Array) -> pa.StringArray:
    """As PostgreSQL reads them. Arrow writes a moment in UTC 20 times slower than a naive time."""
    naive = pc.cast(times, MICROSECONDS)
    whole = casts(naive, SECONDS)
    if whole is None:
        text = pc.replace_substring_regex(pc.cast(naive, pa.string()), r"\.0+$", "")
    else:
        text = pc.cast(whole, pa.string())
    return pc.binary_join_element_wise(text, "Z", "") if times.type.tz else text


def _example(column: Column, iso: str) -> str:
    return " or ".join([*column.format, iso])
