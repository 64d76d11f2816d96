"""The fast ways to read and write times agree with the slow ones, whatever the text."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.schema import clock, times
from chalicelib.schema.columns import casts

MOMENTS = st.lists(st.datetimes(datetime(1000, 1, 1)), min_size=1)


def digits(*ranges: tuple[int, int]) -> list[st.SearchStrategy[str]]:
    return [st.integers(*ends).map("{:02}".format) for ends in ranges]


DAYS = st.tuples(*digits((0, 32), (0, 13))).map("/".join)
"""Also those that no month has."""
YEARS = st.sampled_from(["26", "2023", "2024", "1900", "0999", "0000", "1960"])
CLOCKS = st.tuples(*digits((0, 24), (0, 60), (0, 61))).map(":".join)
FORMATTED = st.lists(
    st.tuples(DAYS, YEARS, CLOCKS).map(lambda found: f"{found[0]}/{found[1]} {found[2]}"),
    min_size=1,
)
ISO = st.lists(
    st.tuples(
        st.sampled_from(["2024-02-29", "2023-02-29", "0000-01-01", "20240229", "1066-10-14"]),
        st.sampled_from(
            [
                "",
                " 10",
                "T10",
                " 24:00",
                " 10:11",
                " 1011",
                "T10:11",
                " 10:11:12.5",
                " 10:11:60",
                "Z",
                " x",
            ]
        ),
    ).map("".join),
    min_size=1,
)


@given(FORMATTED)
def test_a_declared_format_is_read_as_pandas_reads_it(texts: list[str]) -> None:
    text, form = pa.array(texts), "%d/%m/%Y %H:%M:%S"
    assert clock.read_formatted(text, form) == clock._read(text, form, aware=False)


@given(ISO)
def test_iso_is_read_as_pandas_reads_it(texts: list[str]) -> None:
    text = pa.array(texts)
    assert clock.read_iso(text) == clock._with_a_year(clock._read_iso(text))


@given(
    (ISO | st.just(["2024-02-29 10:11:12.1234567"])).filter(
        lambda texts: not any(text.startswith("0000") for text in texts)
    )
)
def test_a_time_is_iso_where_the_pattern_says_so(texts: list[str]) -> None:
    text = pa.array(texts)
    matches = pc.all(pc.match_substring_regex(text, clock.NAIVE)).as_py()
    assert times.is_iso_naive(text) == (matches and casts(text, clock.MICROSECONDS) is not None)


@given(MOMENTS, st.sampled_from([clock.MICROSECONDS, clock.UTC]))
def test_standard_text_is_what_arrow_writes(moments: list[datetime], kind: pa.DataType) -> None:
    found = pa.array(moments, kind)
    slow = pc.replace_substring_regex(pc.cast(found, pa.string()), r"\.0+(Z?)$", r"\1")
    assert times._written(found) == slow
