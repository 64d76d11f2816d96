"""JSON records become text columns, exactly."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest

from chalicelib.errors import SourceError
from chalicelib.extract.records import MAX_COLUMNS, Fields, json_text, to_table


def only(record):
    return to_table([record]).to_pylist()[0]


def test_every_column_is_text_and_null_where_nothing_was():
    table = to_table([{"a": 1, "b": None}, {"b": "x", "c": True}])
    assert table.schema == pa.schema([(name, pa.string()) for name in "abc"])
    assert table.to_pylist() == [
        {"a": "1", "b": None, "c": None},
        {"a": None, "b": "x", "c": "true"},
    ]


def test_no_records_are_no_rows():
    assert to_table([]).num_rows == 0


def test_a_record_without_members_is_a_row():
    assert to_table([{}, {}]).num_rows == 2


def test_numbers_keep_their_text():
    big = 9_007_199_254_740_993
    assert only({"i": big, "huge": 2**80, "d": Decimal("1.10"), "e": Decimal("-0.0")}) == {
        "i": str(big),
        "huge": str(2**80),
        "d": "1.10",
        "e": "-0.0",
    }


def test_huge_and_small_integers_share_a_column():
    assert to_table([{"n": 2**80}, {"n": 1}, {"n": None}])["n"].to_pylist() == [
        str(2**80),
        "1",
        None,
    ]


def test_a_column_may_mix_kinds_without_numbers_swallowing_booleans():
    values = [1, True, "1", Decimal("1.0"), [1], False, None]
    assert to_table([{"v": value} for value in values])["v"].to_pylist() == [
        "1", "true", "1", "1.0", "[1]", "false", None,
    ]  # fmt: skip


def test_texts_stay_as_they_are():
    texts = ["", " 007 ", "null", "a\x00b", "é\n\u2028"]
    assert to_table([{"t": text} for text in texts])["t"].to_pylist() == texts


def test_objects_flatten_to_any_depth_and_an_empty_one_is_null():
    assert only({"a": {"b": {"c": {"d": 1}}, "e": {}}, "f": {}}) == {
        "a_b_c_d": "1",
        "a_e": None,
        "f": None,
    }


def test_columns_come_in_order_of_first_appearance():
    records = [{"z": 1, "a": {"x": 1}}, {"b": 2, "a": {"y": 2}, "z": 3}]
    assert to_table(records).column_names == ["z", "a_x", "b", "a_y"]


def test_a_list_becomes_json_that_reads_back_exactly():
    value = [1, Decimal("1.10"), {"é": [None, True, 'quo"te\n']}, {}, Decimal("1E+2"), 2**70]
    text = only({"l": value})["l"]
    assert json.loads(text, parse_float=Decimal) == value
    assert "1.10" in text
    assert "é" in text
    assert json_text([]) == "[]"


NESTED, FLAT = {"a": {"b": 1}}, {"a_b": 2}


@pytest.mark.parametrize(
    "records",
    [
        [{"c": {}}, {"a_b": 1, "a": {"b": 2}}],
        [NESTED, FLAT],
        [FLAT, NESTED],
        [{"a": {"b": {}}}, FLAT],
        [{"x": {"a": {"b": 1}}}, {"x_a": {"b": 1}}],
    ],
)
def test_two_fields_that_come_to_one_name_are_refused(records):
    with pytest.raises(SourceError, match=r"^orders\.json: record 8 has a .* '(x_)?a_b', as ano"):
        to_table(records, where="orders.json", numbers=[7, 8])


@pytest.mark.parametrize(("one", "other"), [(NESTED, FLAT), (FLAT, NESTED)])
def test_two_fields_of_one_name_are_refused_over_batches(one, other):
    fields = Fields()
    to_table([one], fields=fields)
    to_table([one, {"a": 1, "c": {"a": 3}}], fields=fields)
    with pytest.raises(SourceError, match=r"record 9 has a field .* column 'a_b'"):
        to_table([{"c": 1}, other], numbers=[8, 9], fields=fields)


def test_objects_whose_names_begin_alike_may_have_different_fields():
    assert to_table([{"a": {"b": {"c": 1}}}, {"a_b": {"d": 2}}]).to_pylist() == [
        {"a_b_c": "1", "a_b_d": None},
        {"a_b_c": None, "a_b_d": "2"},
    ]


@pytest.mark.parametrize(
    ("value", "kind"), [(3, "a number"), ("x", "a text"), ([], "a list"), (None, "null")]
)
def test_what_is_no_object_is_refused_by_its_position(value, kind):
    with pytest.raises(SourceError, match=f"record 3 is {kind}, not an object"):
        to_table([{}, {"a": 1}, value])


def test_half_of_a_surrogate_pair_is_refused_with_its_record():
    with pytest.raises(SourceError, match="record 2: 'a' is no Unicode text"):
        to_table([{"a": "fine"}, {"a": "\ud800"}])
    with pytest.raises(SourceError, match=r"the field .* is no Unicode text"):
        to_table([{"\ud800": 1}])


def test_an_object_keyed_by_ids_is_refused_before_it_fills_the_memory():
    with pytest.raises(SourceError, match="more than the 1,600"):
        to_table([{str(n): 1} for n in range(MAX_COLUMNS + 1)])


def test_nesting_without_end_is_refused():
    record = {}
    for _ in range(5000):
        record = {"a": record}
    with pytest.raises(SourceError, match="nested too deeply"):
        to_table([{"x": record, "y": {"z": 1}}])
