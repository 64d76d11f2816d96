"""Integers, exact decimals and floats."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.arrow import may_hold
from chalicelib.config import Column
from chalicelib.schema.columns import casts, keep, matching, trimmed, where_odd

INT64 = (-(2**63), 2**63 - 1)
PLAIN_INTEGER = r"^-?[0-9]{1,18}$"
PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?$"
NUMBER = r"^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?$"
GROUPED = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+(\.[0-9]*)?$"
GROUPED_BY_POINTS = r"^[+-]?[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]*)?$"
ONE_GROUP = r"^[+-]?[0-9]+,[0-9]{3}$"
"""A thousand and more, or one and a fraction."""
WITH_COMMA = r"^[+-]?[0-9.]*[0-9],[0-9]+$"
UNCLEAR = (
    "has a comma, which may part thousands or a fraction: "
    "say which by the column's decimal_separator, '.' or ','"
)
NOT_FINITE = r"(?i)^[+-]?(nan|inf|infinity)$"
MAX_DECIMAL_DIGITS = 76


class Integer:
    """64 bits. `1,234`, ` 42 ` and `42.0` are read as what they are."""

    def sql(self, column: Column) -> str:
        return "bigint"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return pc.cast(text, pa.int64())

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        values = _with_points(values, column)
        if casts(values, pa.int64()) is not None and not _has_hexadecimal(values):
            return values
        return where_odd(values, matching(values, PLAIN_INTEGER), partial(_integers, column=column))

    def expected(self, column: Column) -> str:
        return "a whole number of 64 bits"


class DecimalNumber:
    """Exact, of any size: the text itself goes to PostgreSQL's numeric.

    `1,234.50` is read as what it is; in `1,234` the column says what the comma is.
    """

    def sql(self, column: Column) -> str:
        return "numeric"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return pc.cast(text, decimal_type(text))

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        values = _with_points(values, column)
        floats = casts(values, pa.float64())
        if floats is not None and _all_finite(floats) and not _has_exponent(values):
            return values
        return where_odd(values, matching(values, PLAIN_NUMBER), partial(_numbers, column=column))

    def expected(self, column: Column) -> str:
        return "a decimal number"


class Float:
    """Double precision, with NaN and Infinity."""

    def sql(self, column: Column) -> str:
        return "double precision"

    def typed(self, text: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
        return pc.cast(text, pa.float64())

    def standardise(self, values: pa.StringArray, column: Column) -> pa.StringArray:
        values = _with_points(values, column)
        floats = casts(values, pa.float64())
        if floats is not None and _all_finite(floats) and not _underflows(values, floats):
            return values
        return _in_range(
            where_odd(values, matching(values, PLAIN_NUMBER), partial(_floats, column=column))
        )

    def expected(self, column: Column) -> str:
        return "a number of double precision"


def decimal_type(text: pa.ChunkedArray) -> pa.DataType:
    """A decimal wide enough for each of these texts; text where no Arrow decimal is."""
    exponents = [Decimal(value).as_tuple() for value in text.drop_null().unique().to_pylist()]
    scale = max((-int(number.exponent) for number in exponents), default=0)
    whole = max((len(n.digits) + int(n.exponent) for n in exponents), default=1)
    scale, digits = max(scale, 0), max(whole, 1) + max(scale, 0)
    if digits > MAX_DECIMAL_DIGITS:
        return pa.string()
    return pa.decimal128(38, scale) if digits <= 38 else pa.decimal256(76, scale)  # noqa: PLR2004


def _integers(odd: pa.StringArray, column: Column) -> pa.StringArray:
    text = _ungrouped(odd, column)
    whole = pc.ascii_rtrim(pc.ascii_rtrim(text, "0"), ".")
    text = pc.if_else(matching(text, r"^-?[0-9]+\.0*$"), whole, text)
    if pc.any(pc.match_substring_regex(text, "^-?0")).as_py():
        text = pc.replace_substring_regex(text, r"^(-?)0+([0-9])", r"\1\2")
    text = keep(text, matching(text, r"^-?[0-9]{1,19}$"))
    exact = pc.cast(text, pa.decimal128(19, 0))
    least, most = (pa.scalar(Decimal(limit), pa.decimal128(19, 0)) for limit in INT64)
    return keep(text, pc.and_(pc.greater_equal(exact, least), pc.less_equal(exact, most)))


def _numbers(odd: pa.StringArray, column: Column) -> pa.StringArray:
    text = _ungrouped(odd, column)
    return keep(text, matching(text, NUMBER))


def _floats(odd: pa.StringArray, column: Column) -> pa.StringArray:
    text = _ungrouped(odd, column)
    return keep(text, pc.or_(matching(text, NUMBER), matching(text, NOT_FINITE)))


def _in_range(text: pa.StringArray) -> pa.StringArray:
    """Without what double precision can only hold as infinity or zero: PostgreSQL refuses it."""
    floats = pc.cast(text, pa.float64())
    if _all_finite(floats) and not _underflows(text, floats):
        return text
    overflow = pc.and_(pc.invert(pc.is_finite(floats)), pc.invert(matching(text, NOT_FINITE)))
    lost = pc.or_(overflow, _vanished(text, floats))
    return keep(text, pc.invert(pc.fill_null(lost, True)))


def is_unclear(values: pa.StringArray, column: Column) -> pa.BooleanArray:
    """Which values are numbers that a decimal separator would make clear."""
    asked = column.type in ("decimal", "float") and column.decimal_separator is None
    return pc.and_(matching(trimmed(values), WITH_COMMA), asked)


def _with_points(values: pa.StringArray, column: Column) -> pa.StringArray:
    """Decimal commas as points, without the points between thousands; other points make null."""
    if column.decimal_separator != ",":
        return values
    grouped = matching(trimmed(values), GROUPED_BY_POINTS)
    text = pc.if_else(grouped, pc.replace_substring(values, ".", ""), values)
    text = keep(text, pc.invert(pc.match_substring(text, ".")))
    return pc.replace_substring(text, ",", ".")


def _ungrouped(odd: pa.StringArray, column: Column) -> pa.StringArray:
    """Trimmed, without thousands separators and a leading plus."""
    text = trimmed(odd)
    if may_hold(text, b","):
        grouped = matching(text, GROUPED)
        if column.type != "integer" and column.decimal_separator is None:
            grouped = pc.and_(grouped, pc.invert(matching(text, ONE_GROUP)))
        text = pc.if_else(grouped, pc.replace_substring(text, ",", ""), text)
    if may_hold(text, b"+"):
        text = pc.if_else(pc.starts_with(text, "+"), pc.utf8_slice_codeunits(text, 1), text)
    return text


def _all_finite(floats: pa.FloatingPointArray) -> bool:
    return pc.all(pc.is_finite(floats)).as_py() is not False


def _underflows(values: pa.StringArray, floats: pa.FloatingPointArray) -> bool:
    zeros = pc.equal(floats, 0.0)
    return pc.any(_vanished(values.filter(zeros), floats.filter(zeros))).as_py() is True


def _vanished(values: pa.StringArray, floats: pa.FloatingPointArray) -> pa.BooleanArray:
    zero = pc.equal(floats, 0.0)
    return pc.and_(zero, pc.match_substring_regex(values, r"^[^eE]*[1-9]"))


def _has_exponent(values: pa.StringArray) -> bool:
    """An exponent can be beyond what PostgreSQL's numeric holds, however small the float."""
    if not may_hold(values, b"e", b"E"):
        return False
    return pc.any(pc.match_substring(values, "e", ignore_case=True)).as_py() is True


def _has_hexadecimal(values: pa.StringArray) -> bool:
    """Arrow reads 0x1F as a number, PostgreSQL does not before version 16."""
    if not may_hold(values, b"x", b"X"):
        return False
    return pc.any(pc.match_substring(values, "x", ignore_case=True)).as_py() is True
