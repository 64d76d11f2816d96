"""Each type: what it standardises, what it refuses, and the fast path that changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import Column
from chalicelib.schema import TYPES
from chalicelib.schema.columns import blank


def standard(kind: str, *values: str | None, **options: object) -> list[str | None]:
    column = Column.model_validate({"type": kind, **options})
    return TYPES[kind].standardise(pa.array(values, pa.string()), column).to_pylist()


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", "42", "42"),
        ("integer", " 42 ", "42"),
        ("integer", "42.0", "42"),
        ("integer", "1,234", "1234"),
        ("integer", "+7", "7"),
        ("integer", "-1,234,567.00", "-1234567"),
        ("integer", "9223372036854775807", "9223372036854775807"),
        ("integer", "9223372036854775808", None),
        ("integer", " 00000000000000000000012", "12"),
        ("integer", "0x1F", None),
        ("integer", "1.5", None),
        ("integer", "12,34", None),
        ("integer", "1_000", None),
        ("integer", "twelve", None),
        ("decimal", "0.10", "0.10"),
        ("integer", "0,125", None),
        ("decimal", "1,234.50", "1234.50"),
        ("decimal", "1,234,567", "1234567"),
        ("decimal", "1,234", None),
        ("decimal", "0,125", None),
        ("float", "2,500", None),
        ("float", "0,125.0", None),
        ("decimal", " +3 ", "3"),
        ("decimal", "12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("decimal", "1e400", "1e400"),
        ("decimal", "NaN", None),
        ("decimal", "1.2.3", None),
        ("float", "1e5", "1e5"),
        ("float", "NaN", "NaN"),
        ("float", "-Infinity", "-Infinity"),
        ("float", "1e400", None),
        ("float", "1e-400", None),
        ("float", "0e-400", "0e-400"),
        ("boolean", "yes", "true"),
        ("boolean", "NO", "false"),
        ("boolean", " 1 ", "true"),
        ("boolean", "F", "false"),
        ("boolean", "maybe", None),
        ("date", "2026-01-31", "2026-01-31"),
        ("date", " 2026-01-31 ", "2026-01-31"),
        ("date", "20260131", "2026-01-31"),
        ("date", "2026-01-31T00:00:00", "2026-01-31"),
        ("date", "2026-01-31 10:00", None),
        ("date", "2026-02-30", None),
        ("date", "2026", None),
        ("date", "0000-01-01", None),
        ("timestamp", "2026-01-31 10:00", "2026-01-31 10:00"),
        ("timestamp", "2026-01-31T10:00:00+02:00", "2026-01-31T10:00:00+02:00"),
        ("timestamp", "2026-01-31T10:00:00 +0200", "2026-01-31 08:00:00Z"),
        ("timestamp", "2026-01-31 10", "2026-01-31 10:00:00Z"),
        ("timestamp", "2026-01-31T24:00:00", None),
        ("timestamp", "yesterday", None),
        ("json", '{"a": [1, 2]}', '{"a": [1, 2]}'),
        ("json", "{a}", None),
        ("json", "NaN", None),
        ("json", '"\\u0000"', None),
        ("text", "  as it is ", "  as it is "),
        ("text", "a\x00b", None),
    ],
)
def test_a_value_becomes_its_standard_text(kind: str, text: str, expected: str | None) -> None:
    assert standard(kind, text) == [expected]


@pytest.mark.parametrize(
    ("kind", "separator", "text", "expected"),
    [
        ("decimal", ".", "1,234", "1234"),
        ("decimal", ".", "1,5", None),
        ("decimal", ",", "1,234", "1.234"),
        ("decimal", ",", "0,125", "0.125"),
        ("decimal", ",", " +1.234,50 ", "1234.50"),
        ("decimal", ",", "1.234", "1234"),
        ("decimal", ",", "1.5", None),
        ("decimal", ",", "1,234.50", None),
        ("decimal", ",", "1,234,567", None),
        ("float", ".", "2,500", "2500"),
        ("float", ",", "2,5e3", "2.5e3"),
        ("integer", ",", "1.234.567", "1234567"),
        ("integer", ",", "42,0", "42"),
        ("integer", ",", "1,234", None),
    ],
)
def test_a_column_may_say_what_a_comma_means(
    kind: str, separator: str, text: str, expected: str | None
) -> None:
    assert standard(kind, text, decimal_separator=separator) == [expected]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("integer", ["1", "-2", None]),
        ("decimal", ["1.50", "3", None]),
        ("float", ["1.5", "2e3"]),
        ("date", ["2026-01-31", None]),
        ("timestamp", ["2026-01-31 10:00:00", None]),
        ("timestamp", ["2026-01-31T10:00:00Z", "2026-01-31 10:00+02"]),
        ("text", ["a", "", None]),
    ],
)
def test_a_column_that_is_standard_already_is_not_touched(kind: str, values: list[str]) -> None:
    column = pa.array(values, pa.string())
    assert TYPES[kind].standardise(column, Column(type=kind)) is column


def test_declared_formats_come_before_iso() -> None:
    dates = standard("date", "01.02.2026", "31.02.2026", "2026-02-01", "1.2.26", format="%d.%m.%Y")
    assert dates == ["2026-02-01", None, "2026-02-01", None]


def test_several_formats_are_tried_in_order() -> None:
    formats = ["%d/%m/%Y", "%m/%d/%Y"]
    assert standard("date", "01/02/2026", "01/31/2026", format=formats) == [
        "2026-02-01",
        "2026-01-31",
    ]


def test_a_zone_makes_a_moment_of_a_clock_time() -> None:
    """Skipped and repeated hours are nobody's to guess."""
    times = standard(
        "timestamp",
        "2026-01-31 10:00",
        "2026-06-30 10:00",
        "2026-03-29 02:30",
        "2026-10-25 02:30",
        "2026-06-30T10:00:00Z",
        timezone="Europe/Berlin",
    )
    assert times == [
        "2026-01-31 09:00:00Z",
        "2026-06-30 08:00:00Z",
        None,
        None,
        "2026-06-30 10:00:00Z",
    ]


def test_without_a_zone_none_is_accepted() -> None:
    times = standard("timestamp", "2026-01-31 10:00", "2026-01-31T10:00Z", timezone="none")
    assert times == ["2026-01-31 10:00:00", None]


def test_a_format_with_a_zone_keeps_it() -> None:
    formats = ["%d.%m.%Y %H:%M %z", "%d.%m.%Y %H:%M"]
    times = standard("timestamp", "31.01.2026 10:00 +0100", "31.01.2026 10:00", format=formats)
    assert times == ["2026-01-31 09:00:00Z", "2026-01-31 10:00:00Z"]


@given(st.lists(st.integers(-(2**70), 2**70).map(str) | st.text(max_size=8), max_size=6))
def test_integers_agree_with_python(values: list[str]) -> None:
    """Every text that Python reads as a plain 64-bit number stays that number."""
    for given_text, text in zip(values, standard("integer", *values), strict=True):
        if text is not None:
            assert -(2**63) <= int(text) < 2**63
        if given_text.lstrip("-").isascii() and given_text.lstrip("-").isdigit():
            in_range = -(2**63) <= int(given_text) < 2**63
            assert (text is not None and int(text) == int(given_text)) if in_range else not text


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False).map(str), max_size=6))
def test_decimals_are_exact(values: list[str]) -> None:
    for given_text, text in zip(values, standard("decimal", *values), strict=True):
        try:
            assert text is not None
            assert Decimal(text) == Decimal(given_text)
        except InvalidOperation:  # pragma: no cover - would be a bug
            pytest.fail(f"{given_text} became {text}")


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.sampled_from(["%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p"]),
)
def test_a_formatted_time_reads_back(moment: datetime, form: str) -> None:
    written = moment.strftime(form) if moment.year >= 1000 else ""
    if written:
        (text,) = standard("timestamp", written, format=form)
        assert text is not None
        assert datetime.fromisoformat(text) == moment.replace(microsecond=0)


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind not in ("text", "json")])
@given(values=st.lists(st.none() | st.text(max_size=12), max_size=5))
def test_no_text_breaks_a_type(kind: str, values: list[str | None]) -> None:
    """Each value gets a standard text or null, and standard texts are standard."""
    once = standard(kind, *values)
    assert len(once) == len(values)
    assert standard(kind, *once) == once


def test_blank_is_null_empty_or_white_space() -> None:
    assert blank(pa.array([None, "", " \t", "x"])).to_pylist() == [True, True, True, False]
