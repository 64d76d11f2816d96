"""Times of fixed width are read as the others are, whatever the formats and the text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.config import Column
from chalicelib.schema import TYPES, times
from chalicelib.schema.fixed import read_fixed

FORMS = [
    "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%d.%m.%y %H:%M", "%m-%d-%Y", "%Y-%d-%m", "%Y%m%d",
    "%d%m%y%H%M", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y", "%d %b %Y", "%d/%m/%Y %H:%M %z", "%Y/%m",
]  # fmt: skip
NUMBER = st.integers(0, 61).map("{:02}".format)
NUMBERS = st.lists(NUMBER, min_size=3, max_size=7)
SIGNS = st.lists(st.sampled_from(["/", "-", ".", ":", " ", "", "T"]), min_size=7, max_size=7)
ODD = st.tuples(NUMBERS, SIGNS).map(
    lambda found: "".join(number + sign for number, sign in zip(*found, strict=False))
)
"""Digits and signs that are seldom a time."""
WRITTEN = st.tuples(
    st.datetimes(datetime(1900, 1, 1), datetime(2099, 12, 31)), st.sampled_from(FORMS)
).map(lambda found: found[0].strftime(found[1]))
SPOILED = st.tuples(WRITTEN, st.integers(0, 18), st.sampled_from("0369/-: Tx")).map(
    lambda found: found[0][: found[1]] + found[2] + found[0][found[1] + 1 :]
)
"""With one character changed: often a day that is in no calendar."""
TEXTS = st.lists(st.one_of(st.none(), WRITTEN, SPOILED, ODD), min_size=1)


EDGES = [
    ("%d.%m.%y %H:%M", ["31.12.68 23:59", "01.01.69 00:00", "29.02.00 24:00", "01.01.01 10:60"]),
    ("%d/%m/%Y", ["29/02/2024", "29/02/2023", "29/02/1900", "31/04/2026", "32/01/2026"]),
    ("%d/%m/%Y", ["01/00/2026", "01/13/2026", "00/01/2026", "01/12/2026"]),
    ("%d/%m/%Y",["01/01/0000", "01/01/0001", "31/12/9999", "1/2/2026"]),
    ("%H:%M:%S %Y%m%d", ["23:59:59 20260131", "23:59:60 20260131", "10:60:00 20260131", "a"]),
]  # fmt: skip


def read_both_ways(kind: str, texts: list[str | None], **options: Any) -> list[list[str | None]]:
    def unread(text: pa.StringArray, _forms: tuple[str, ...]) -> pa.Array:
        return pa.nulls(len(text), times.MICROSECONDS)

    text, column = pa.array(texts, pa.string()), Column(type=kind, **options)
    fast = TYPES[kind].standardise(text, column)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "read_fixed", unread)
        return [fast.to_pylist(), TYPES[kind].standardise(text, column).to_pylist()]


@pytest.mark.parametrize("kind", ["date", "timestamp"])
@pytest.mark.parametrize("timezone", ["UTC", "none", "Europe/Berlin"])
@given(texts=TEXTS, forms=st.lists(st.sampled_from(FORMS), max_size=3, unique=True))
def test_the_fast_way_reads_what_the_slow_one_does(
    texts: list[str | None], forms: list[str], kind: str, timezone: str
) -> None:
    fast, slow = read_both_ways(kind, texts, format=tuple(forms), timezone=timezone)
    assert fast == slow


@pytest.mark.parametrize("kind", ["date", "timestamp"])
@pytest.mark.parametrize(("form", "texts"), EDGES)
def test_so_it_does_at_the_ends_of_calendars_and_clocks(
    form: str, texts: list[str | None], kind: str
) -> None:
    fast, slow = read_both_ways(kind, texts, format=(form,))
    assert fast == slow
    assert any(fast)


def test_all_forms_are_read_at_once_where_none_can_be_taken_for_another() -> None:
    texts = ["31/01/2026", "2026-01-31", "31.01.26", "2026-01-31T00:00:00", None]
    found = read_fixed(pa.array(texts), ["%d/%m/%Y", "%d.%m.%y"])
    assert found.to_pylist() == [datetime(2026, 1, 31)] * 4 + [None]


def test_a_slice_is_read_by_itself() -> None:
    text = pa.array(["x", "2026-01-31", "2026-02-01"]).slice(1)
    assert read_fixed(text, []).to_pylist() == [datetime(2026, 1, 31), datetime(2026, 2, 1)]


@pytest.mark.parametrize("form", ["%d %b %Y", "%Y-%m", "%d/%m/%Y %z", "day %d/%m/%Y", "%Y%m%d%%"])
def test_other_formats_are_left_to_the_slow_way(form: str) -> None:
    text = pa.array([datetime(2026, 1, 31).strftime(form), "2026-01-31"])
    assert read_fixed(text, [form]).null_count == 2
