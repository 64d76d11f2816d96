"""Times whose texts have a digit in each of the same places: read by arithmetic, all at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.schema.clock import MICROSECONDS

DIGITS = {"%Y": 4, "%y": 2, "%m": 2, "%d": 2, "%H": 2, "%M": 2, "%S": 2}
DAY = ({"%Y", "%m", "%d"}, {"%y", "%m", "%d"})
DAY_SECONDS = 86_400
CLOCK = {"%H": 3_600, "%M": 60, "%S": 1}
ISO = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d")
FIRST_SHORT_YEAR = 69
"""Of two digits, of the last century; what is less is of this one."""

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Fixed:
    """A format of digits and signs: the place of each directive's first digit, and each sign's."""

    width: int
    fields: dict[str, int]
    signs: dict[int, str]

    @property
    def parting(self) -> str:
        """The signs in their order, but for spaces, of which there may be more or none."""
        return "".join(self.signs.values()).replace(" ", "")


def read_fixed(text: pa.StringArray, forms: Sequence[str]) -> pa.Array:
    """Times in full width, in one of the formats or in ISO; null for all others."""
    times = pa.nulls(len(text), MICROSECONDS)
    lengths = pc.binary_length(text)
    for fixed in _undoubted(tuple(forms)):
        fits = pc.fill_null(pc.and_(pc.is_null(times), pc.equal(lengths, fixed.width)), False)
        if pc.any(fits).as_py():
            signed = _signed(_characters(text.filter(fits), fixed.width), fixed)
            fits = pc.replace_with_mask(fits, fits, signed)
            found = _times(_characters(text.filter(fits), fixed.width), fixed)
            times = pc.replace_with_mask(times, fits, found)
    return times


@cache
def _undoubted(forms: tuple[str, ...]) -> tuple[Fixed, ...]:
    """Formats whose texts none before them can read: they are of digits, parted by other signs."""
    found: dict[str, Fixed] = {}
    for form in (*forms, *ISO):
        if (fixed := _fixed(form)) is None:
            break
        found.setdefault(fixed.parting, fixed)
    return tuple(found.values())


def _fixed(form: str) -> Fixed | None:
    """None for a format that has something else than digits and signs, or no whole day."""
    fields: dict[str, int] = {}
    signs: dict[int, str] = {}
    width = 0
    for part in re.findall("%.|.", form):
        if part in DIGITS and part not in fields:
            fields[part] = width
        elif re.fullmatch(r"[ -/:T_]", part):
            signs[width] = part
        else:
            return None
        width += DIGITS.get(part, 1)
    return Fixed(width, fields, signs) if fields.keys() - CLOCK.keys() in DAY else None


def _characters(text: pa.StringArray, width: int) -> Bytes:
    """Texts of one width as a matrix, each a row of it."""
    _, offsets, data = text.buffers()
    start = np.frombuffer(offsets, np.int32)[text.offset] if len(text) else 0
    return np.frombuffer(data or b"", np.uint8, len(text) * width, start).reshape(-1, width)


def _signed(characters: Bytes, fixed: Fixed) -> pa.BooleanArray:
    """Which texts have the signs at their places."""
    signed = np.ones(len(characters), np.bool_)
    for place, sign in fixed.signs.items():
        signed &= characters[:, place] == ord(sign)
    return pa.array(signed)


def _times(characters: Bytes, fixed: Fixed) -> pa.Array:
    """Null where there is no digit, or no calendar or clock shows such numbers."""
    digits = np.ascontiguousarray(characters.T) - ord("0")  # what is less becomes more than 9
    numbers, wrong = {}, np.zeros(len(characters), np.bool_)
    for name, place in fixed.fields.items():
        its_digits = digits[place : place + DIGITS[name]]
        wrong |= (its_digits > 9).any(axis=0)  # noqa: PLR2004
        numbers[name] = _number(its_digits)
    days, no_day = _days(_years(numbers), numbers["%m"], numbers["%d"])
    seconds, no_clock = _seconds(numbers)
    times = (days * DAY_SECONDS + seconds).astype("datetime64[s]")
    return pa.array(times, mask=wrong | no_day | no_clock).cast(MICROSECONDS)


def _number(digits: Bytes) -> Numbers:
    number: Numbers = digits[0].astype(np.int64)
    for digit in digits[1:]:
        number = number * 10 + digit
    return number


def _years(numbers: dict[str, Numbers]) -> Numbers:
    if "%Y" in numbers:
        return numbers["%Y"]
    short = numbers["%y"]
    return np.where(short < FIRST_SHORT_YEAR, short + 2000, short + 1900)


def _days(year: Numbers, month: Numbers, day: Numbers) -> tuple[Numbers, Flags]:
    """Days since 1970, and which of them are in no calendar."""
    at = year * 12 + month - 1
    first, following = (_firsts().take(months, mode="clip") for months in (at, at + 1))
    no_month = (year < 1) | (month < 1) | (month > 12)  # noqa: PLR2004
    return first + day - 1, no_month | (day < 1) | (first + day > following)


@cache
def _firsts() -> Numbers:
    """The first day of each month from the year 0 on."""
    months = np.arange("0000-01", "10000-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64)


def _seconds(numbers: dict[str, Numbers]) -> tuple[Numbers, Flags]:
    """Seconds of the day, and which of them no clock shows."""
    seconds = np.zeros_like(numbers["%d"])
    wrong = np.zeros(len(seconds), np.bool_)
    for name in CLOCK.keys() & numbers.keys():
        wrong |= numbers[name] >= (24 if name == "%H" else 60)
        seconds += numbers[name] * CLOCK[name]
    return seconds, wrong
