"""What a value must satisfy beyond its type: allowed, min, max and pattern."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.config import Column
from chalicelib.schema import TYPES
from chalicelib.schema.clock import MICROSECONDS, UTC
from chalicelib.schema.columns import keep, matching
from chalicelib.schema.times import moments


@dataclass(frozen=True)
class Comparison:
    """The same comparison for Arrow columns and for single Python values."""

    of_columns: Callable[[Any, Any], pa.BooleanArray]
    of_values: Callable[[Any, Any], bool]


class Stored(Column):
    """A column whose numbers must come out of a binary column of the table as they went in."""

    stored_as: Literal["real", "double precision"]


SURE_DIGITS = {"real": 6, "double precision": 15}
"""So many significant digits always survive."""

LESS = Comparison(pc.less, operator.lt)
GREATER = Comparison(pc.greater, operator.gt)


def violations(text: pa.StringArray, spec: Column) -> Iterator[tuple[pa.BooleanArray, str]]:
    """For each constraint that some standard text violates: which rows, and the reason."""
    for mask, reason in _checks(text, spec):
        violated = pc.fill_null(mask, False)
        if pc.any(violated).as_py():
            yield violated, reason


def _checks(text: pa.StringArray, spec: Column) -> Iterator[tuple[pa.BooleanArray, str]]:
    if spec.allowed:
        words = [in_yaml(value) for value in spec.allowed]
        outside = pc.invert(_among(text, spec, [in_source(value, spec) for value in spec.allowed]))
        yield pc.and_(outside, pc.is_valid(text)), f"is not one of {', '.join(words)}"
    if spec.pattern:
        misses = pc.invert(matching(text, f"^(?:{spec.pattern})$"))
        yield pc.and_(misses, pc.is_valid(text)), f"does not match {spec.pattern}"
    if spec.scale is not None:
        yield _finer(text, spec.scale), f"has more than {spec.scale} digits after the point"
    if isinstance(spec, Stored):
        yield _changed(text, spec.stored_as), f"would be rounded in a column of {spec.stored_as}"
    if spec.min is not None:
        yield _beyond(text, spec, spec.min, LESS), f"is less than {spec.min}"
    if spec.max is not None:
        yield _beyond(text, spec, spec.max, GREATER), f"is greater than {spec.max}"


def _finer(text: pa.StringArray, scale: int) -> pa.BooleanArray:
    """Which numbers would have to be rounded to this many digits after the point."""
    fine = matching(text, rf"\.[0-9]{{{scale}}}[0-9]*[1-9]")
    scientific = keep(text, matching(text, "[eE]")).drop_null().unique().to_pylist()
    rounded = [number for number in scientific if (Fraction(number) * 10**scale).denominator > 1]
    return pc.or_(fine, pc.is_in(text, value_set=pa.array(rounded, pa.string())))


def _changed(text: pa.StringArray, stored_as: str) -> pa.BooleanArray:
    """Which numbers another one stands for in this type, as PostgreSQL shows it."""
    import numpy as np

    binary = np.float32 if stored_as == "real" else np.float64
    long = pc.greater(pc.binary_length(text), SURE_DIGITS[stored_as])
    doubtful = keep(text, long).drop_null().unique().to_pylist()
    with np.errstate(over="ignore"):  # too large is for the server to say
        wrong = [n for n in doubtful if Decimal(str(binary(n))) != Decimal(n)]
    return pc.is_in(text, value_set=pa.array(wrong, pa.string()))


def in_yaml(value: object) -> str:
    """A value of the configuration as it is written there."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def in_source(value: object, spec: Column) -> str:
    """A value of the configuration as the column's sources write it."""
    text = in_yaml(value)
    return text.replace(".", ",") if spec.decimal_separator == "," else text


def _among(text: pa.StringArray, spec: Column, words: list[str]) -> pa.BooleanArray:
    """Which values are among the words: 1.50 is 1.5, and 2026-01-01T00:00Z is 00:00+00."""
    kind = TYPES[spec.type]
    allowed = kind.standardise(pa.array(words), spec)
    if spec.type in ("decimal", "float"):
        numbers = {Decimal(word) for word in allowed.to_pylist()}
        equal = [t for t in text.drop_null().unique().to_pylist() if Decimal(t) in numbers]
        return pc.is_in(text, value_set=pa.array(equal, pa.string()))
    typed, values = (kind.typed(pa.chunked_array([part]), spec) for part in (text, allowed))
    return pc.is_in(typed, value_set=values.combine_chunks()).combine_chunks()


def _beyond(text: pa.StringArray, spec: Column, limit: Any, than: Comparison) -> pa.BooleanArray:
    match spec.type:
        case "integer":
            return than.of_columns(pc.cast(text, pa.int64()), int(limit))
        case "date":
            return than.of_columns(pc.cast(text, pa.date32()), date.fromisoformat(str(limit)))
        case "timestamp":
            return than.of_columns(*_moments(text, str(limit), spec.timezone))
        case _:
            return _number_beyond(text, Decimal(str(limit)), than)


def _number_beyond(text: pa.StringArray, limit: Decimal, than: Comparison) -> pa.BooleanArray:
    """Rounding to a float keeps the order, so only values that round to the limit are in doubt."""
    floats = pc.cast(text, pa.float64())
    level = pc.fill_null(pc.equal(floats, float(limit)), False)
    doubtful = keep(text, level).drop_null().unique().to_pylist()
    wrong = [number for number in doubtful if than.of_values(Decimal(number), limit)]
    exact = pc.is_in(text, value_set=pa.array(wrong, pa.string()))
    return pc.or_(than.of_columns(floats, float(limit)), exact)


def _moments(text: pa.StringArray, limit: str, timezone: str) -> tuple[pa.Array, pa.Scalar]:
    """The times of a column and its limit, as moments; without a zone, as the clock shows them."""
    bound = datetime.fromisoformat(limit)
    if timezone == "none":
        return pc.cast(text, MICROSECONDS), pa.scalar(bound, MICROSECONDS)
    if bound.tzinfo is None:
        bound = bound.replace(tzinfo=ZoneInfo(timezone))
    return moments(text), pa.scalar(bound, UTC)
