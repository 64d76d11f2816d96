"""Reads the texts of times; what is no time becomes null."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.schema.columns import casts, keep, matching

SECONDS = pa.timestamp("s")
MICROSECONDS = pa.timestamp("us")
UTC = pa.timestamp("us", "UTC")
DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
NAIVE = f"^{DAY}({CLOCK})?$"
"""What Arrow reads as well as pandas does, a hundred times faster."""
ISO_DAY = r"^[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4})($|[ T])"
FIRST_FULL_YEAR = 1000
ARROW_READS = set("dmYyHMSBbjpI%")
"""Directives that Arrow reads as Python does, 25 times faster than pandas."""


def read_formatted(text: pa.StringArray, form: str) -> pa.Array:
    """Times in a strptime format; with `%z` in UTC, otherwise without a zone."""
    if set(re.findall("%(.)", form)) <= ARROW_READS:
        return _recheck(text, pc.strptime(text, form, unit="us", error_is_null=True), form)
    return _read(text, form, aware="%z" in form)


def read_iso(text: pa.StringArray) -> pa.Array:
    """ISO days and times without a zone."""
    plain = matching(text, NAIVE)
    times = casts(keep(text, plain), MICROSECONDS)
    if times is None:  # some day that is in no calendar
        return _with_a_year(_read_iso(text))
    return _with_a_year(pc.coalesce(times, _read_iso(keep(text, pc.invert(plain)))))


def read_iso_moments(text: pa.StringArray) -> pa.Array:
    """ISO times with a zone, in UTC."""
    return _with_a_year(_read(keep(text, matching(text, ISO_DAY)), "ISO8601", aware=True))


def _read_iso(text: pa.StringArray) -> pa.Array:
    return _read(keep(text, matching(text, ISO_DAY)), "ISO8601", aware=False)


def _read(text: pa.StringArray, form: str, *, aware: bool) -> pa.Array:
    import pandas as pd

    kind = UTC if aware else MICROSECONDS
    if text.null_count == len(text):
        return pa.nulls(len(text), kind)
    series = text.to_pandas(types_mapper=pd.ArrowDtype)
    try:
        times = pd.to_datetime(series, format=form, errors="coerce", utc=aware)
        return pa.array(times.dt.round("us"), kind)
    except (ValueError, pa.ArrowInvalid):
        # zones beside times without one: pandas gives up on all, not on those
        one_by_one = [pd.to_datetime(v, format=form, errors="coerce", utc=aware) for v in series]
        return pa.array(one_by_one, kind, from_pandas=True)


def _recheck(text: pa.StringArray, times: pa.Array, form: str) -> pa.Array:
    """Arrow lets 31 February run over into March, and takes 26 for the year 26: pandas does not.

    Only days 1 to 3 can come from a month that was too short. Nor has a minute a second 60. What
    is written again just as it was is beyond doubt, except in the year 0.
    """
    doubtful = pc.less_equal(pc.day(times), 3)
    if "%M" in form or "%S" in form:
        doubtful = pc.or_(doubtful, pc.match_substring(text, "60"))
    doubtful = pc.fill_null(doubtful, False)
    again = pc.strftime(pc.cast(times.filter(doubtful), SECONDS), form)
    doubtful = pc.replace_with_mask(doubtful, doubtful, pc.not_equal(again, text.filter(doubtful)))
    doubtful = pc.or_(doubtful, pc.fill_null(pc.less(pc.year(times), FIRST_FULL_YEAR), False))
    return pc.replace_with_mask(times, doubtful, _read(text.filter(doubtful), form, aware=False))


def _with_a_year(times: pa.Array) -> pa.Array:
    return pc.if_else(pc.greater_equal(pc.year(times), 1), times, pa.scalar(None, times.type))
