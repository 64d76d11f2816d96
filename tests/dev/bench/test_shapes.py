"""What the benchmark loads is the same each time, as much as it says, and as spoiled as it says."""

import csv
import json

import numpy as np
import pytest

from dev.bench.shapes import SHAPES, USUAL, tables
from dev.bench.shapes.files import SMALL_FILE, write

ROWS = 500


def texts(fields) -> dict[str, list[str]]:
    return {name: column.to_pylist() for name, column in fields.items()}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_the_same_each_time(name):
    first, second = (SHAPES[name].make(np.arange(ROWS)) for _ in range(2))
    assert texts(first.written) == texts(second.written)
    assert texts(first.loaded) == texts(second.loaded)


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_has_the_columns_that_it_declares_and_a_field_for_each_row(name):
    made = SHAPES[name].make(np.arange(ROWS))
    assert list(made.written) == list(made.loaded) == list(SHAPES[name].columns)
    assert {len(column) for column in made.written.values()} == {ROWS}


def test_rows_do_not_depend_on_where_a_chunk_begins():
    whole = texts(tables.messy(np.arange(100)).written)
    halves = [texts(tables.messy(np.arange(*ends)).written) for ends in ((0, 50), (50, 100))]
    assert whole == {name: halves[0][name] + halves[1][name] for name in whole}


def test_a_fifth_of_the_values_of_each_column_with_a_type_needs_standardising():
    made = tables.messy(np.arange(ROWS))
    odd = {
        name: sum(a != b for a, b in zip(written, texts(made.loaded)[name], strict=True))
        for name, written in texts(made.written).items()
    }
    typed = {name for name, kind in tables.ORDERS.items() if kind != "text"}
    assert {name: count for name, count in odd.items() if count} == dict.fromkeys(typed, ROWS / 5)


def test_a_hundredth_of_the_rows_is_spoiled():
    made = tables.spoiled(np.arange(ROWS))
    assert len(made.loaded["order_id"]) == ROWS * 0.99
    assert texts(made.written)["amount"].count("on request") == ROWS / 100


def test_every_row_of_notes_has_newlines_commas_and_quotes_in_quotes(tmp_path):
    written = write(SHAPES["notes"], 50, tmp_path / "shape")
    with written.copy.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == written.rows == 50
    assert all("\n" in row["address"] and {'"', ",", "\n"} <= set(row["note"]) for row in rows)


@pytest.mark.parametrize("name", ["ndjson", "json"])
def test_json_holds_the_same_rows_with_numbers_bare(name, tmp_path):
    text = (write(SHAPES[name], 30, tmp_path / "shape").folder / "rows.json").read_text()
    records = json.loads(text) if name == "json" else [json.loads(t) for t in text.splitlines()]
    assert [record["order_id"] for record in records] == list(range(30))
    assert {type(value) for value in records[0].values()} == {int, str, float, bool}


def test_chunks_of_an_array_are_parted_by_commas(tmp_path, monkeypatch):
    monkeypatch.setattr("dev.bench.shapes.files.CHUNK", 10)
    written = write(SHAPES["json"], 30, tmp_path / "shape")
    assert len(json.loads((written.folder / "rows.json").read_text())) == 30


def test_small_files_have_a_hundred_rows_and_a_header_each(tmp_path):
    written = write(SHAPES["files"], 300, tmp_path / "shape")
    files = sorted(written.folder.iterdir())
    rows = [list(csv.DictReader(file.open())) for file in files]
    assert [len(some) for some in rows] == [SMALL_FILE] * 3
    assert [row["order_id"] for some in rows for row in some] == [str(at) for at in range(300)]


def test_all_shapes_but_the_one_that_takes_long_are_measured_unless_others_are_named():
    assert set(SHAPES) - set(USUAL) == {"huge"}
