"""The sample data is what its documentation says, byte for byte."""

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from dev.sample_data import SPOILED, write_sample


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    write_sample(folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def webshop_rows(path: Path) -> list[list[str]]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=";"))


def test_the_same_seed_gives_the_same_bytes(sample, tmp_path):
    write_sample(tmp_path)
    assert contents(tmp_path) == contents(sample)


def test_another_seed_gives_other_rows_in_the_same_files(sample, tmp_path):
    write_sample(tmp_path, seed=1)
    other, usual = contents(tmp_path), contents(sample)
    assert other.keys() == usual.keys()
    assert all(other[name] != usual[name] for name in usual)


def test_the_files_written_are_returned(tmp_path):
    assert sorted(write_sample(tmp_path)) == sorted(
        path for path in tmp_path.rglob("*") if path.is_file()
    )


def test_csv_has_a_byte_order_mark_and_everything_that_needs_quotes(sample):
    raw = (sample / "webshop/bestellungen-2026-01.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfBestellnummer;Bestelldatum;")
    rows = webshop_rows(sample / "webshop/bestellungen-2026-01.csv")
    notes = [row[9] for row in rows]
    assert any("\n" in note for note in notes)
    assert any('"' in note and ";" in note for note in notes)
    assert any(re.fullmatch(r"\d,\d{3}\.\d\d", row[6]) for row in rows)
    assert any("ö" in row[2] for row in rows)


def test_one_month_is_gzipped_and_holds_only_its_month(sample):
    rows = webshop_rows(sample / "webshop/bestellungen-2026-02.csv.gz")
    assert len(rows) > 200
    assert {row[1][3:10] for row in rows[1:]} == {"02.2026"}


def test_json_comes_nested_and_as_one_record_a_line(sample):
    export = json.loads((sample / "tills/shop-2026-q1.json").read_text())
    lines = (sample / "tills/market-stall-2026-q1.json").read_text().splitlines()
    orders = export["orders"] + [json.loads(line) for line in lines]
    assert len(orders) == 450
    assert all({"name", "country"} == order["customer"].keys() for order in orders)
    assert all(order["items"][0]["sku"] for order in orders)


def test_txt_is_separated_by_tabs(sample):
    lines = (sample / "wholesale/orders-2026-q1.txt").read_text().splitlines()
    assert len(lines) == 261
    assert {line.count("\t") for line in lines} == {7}


def test_order_numbers_are_unique_but_for_the_broken_ones(sample):
    text = b"".join(
        gzip.decompress(raw) if name.endswith(".gz") else raw
        for name, raw in contents(sample).items()
    ).decode()
    numbers = re.findall(r"^\ufeff?([WH]-\d+)|\"id\": \"(P-\d+)\"", text, re.MULTILINE)
    assert len(numbers) == len(set(numbers)) == 840 + 450 + 260 - 2


def test_a_row_is_a_field_short(sample):
    rows = webshop_rows(sample / "webshop/bestellungen-2026-03.csv")
    assert sum(len(row) == 9 for row in rows) == 1
    assert sum(len(row) == 10 for row in rows) == len(rows) - 1


@pytest.mark.parametrize("broken", ["31.02.2026 10:15", "n/a", '"XX"', '"maybe"', "\t-4\t"])
def test_broken_values_are_there_once(sample, broken):
    raws = contents(sample)
    texts = [gzip.decompress(raws[n]) if n.endswith(".gz") else raws[n] for n in raws]
    assert sum(text.decode().count(broken) for text in texts) == 1


def test_every_file_has_a_few_broken_rows_and_all_have_fewer_than_ten(sample):
    assert SPOILED.keys() == contents(sample).keys()
    assert 6 <= sum(len(rows) for rows in SPOILED.values()) < 10
