"""Plain records of JSON are read at once, and come out as if each were decoded by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config import JsonOptions
from chalicelib.errors import SourceError
from chalicelib.extract import records as json_records
from chalicelib.extract.readers import json, json_batches, json_lines
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.json_plain import PlainRecords
from chalicelib.extract.readers.json_text import JsonText
from tests.extract.readers.support import Read, ReadFile

SPACE = st.sampled_from(["", "", " ", "\n", " \t\r "])
WORDS = st.sampled_from([
    "true", "false", "null", "0", "-0", "-0.0", "1.50", "0.000001", "0.0000001", "0.0000000",
    "1e5", "-2.5E-3", "1E400", "9" * 40, "1e99999999999999999999", '""', '"a"', '"{[,:]}"',
    '"null"', '"1e5"', '" é😀 "', r'"\""', r'"\\"', r'"\\\""', r'"\n\u00e9"', r'"\u0000"',
    r'"\ud83d\ude00"',
])  # fmt: skip
SPOILT = st.sampled_from([
    "NaN", "-Infinity", "01", "1.", "+1", "tru", '"a', "[1,]", "{", "]", "[[[[1]]]]", "\x00",
    '"\udce9"', '"\udced\udca0\udc80"',
    r'"\ud800"', r'"\udc00\ud800"', r'"\x"', '"\x01"', '{"a":1,"a":2}', '[{"a":1,"a":2}]',
    '{"a":{"b":1},"a":{"c":1}}', '{"a":{},"a":1}',
])  # fmt: skip
KEYS = st.sampled_from(["a", "b", "a_b", "c", "", "é", ":", ",", "a\\n", "null"])


def written(open_: str, items: list[str], space: str, close: str) -> str:
    return open_ + space + f"{space},{space}".join(items) + space + close


def objects(values: st.SearchStrategy[str], most: int = 3) -> st.SearchStrategy[str]:
    members = st.builds('"{}"{}:{}{}'.format, KEYS, SPACE, SPACE, values)
    return st.builds(
        written, st.just("{"), st.lists(members, max_size=most, unique_by=_key), SPACE, st.just("}")
    )


def _key(member: str) -> str:
    return member.split('"')[1]


def lists(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(written, st.just("["), st.lists(values, max_size=3), SPACE, st.just("]"))


VALUES = st.recursive(WORDS, lambda inner: objects(inner) | lists(inner), max_leaves=6)
RECORDS = st.lists(objects(VALUES), min_size=1, max_size=12)
SPOILED = st.lists(objects(VALUES) | objects(WORDS | SPOILT) | SPOILT, min_size=1, max_size=12)
EXAMPLES = 200
OPTIONS = st.sampled_from([JsonOptions(separator="."), JsonOptions(), JsonOptions(depth=0)])


def outcome(path: Path, options: JsonOptions) -> object:
    """All that comes of a file, however it was cut into batches."""
    try:
        found = Read(InputFile("s", path.name, path, json=options))
    except SourceError as error:
        return str(error)
    tables = [batch.table for batch in found.batches]
    table = pa.concat_tables(tables, promote_options="default") if tables else pa.table({})
    return table.column_names, table.to_pylist(), found.lines, found.rejects, found.detected


def both_ways(path: Path, options: JsonOptions) -> tuple[object, object]:
    with pytest.MonkeyPatch.context() as patch:
        fast = outcome(path, options)
        patch.setattr(PlainRecords, "lines", lambda *_: None)
        patch.setattr(PlainRecords, "leading", lambda *_: None)
        return fast, outcome(path, options)


@pytest.mark.parametrize("most", [40, 1 << 20])
@settings(max_examples=EXAMPLES, deadline=None)
@given(records=RECORDS | SPOILED, space=SPACE, options=OPTIONS)
def test_a_list_is_read_at_once_as_it_is_read_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    most: int,
    records: list[str],
    space: str,
    options: JsonOptions,
) -> None:
    path = tmp_path_factory.getbasetemp() / "a.json"
    path.write_bytes(written("[", records, space, "]").encode("utf-8", "surrogateescape"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_batches, "BATCH_JSON_BYTES", most)
        patch.setattr("chalicelib.extract.readers.json_text.DOUBTFUL", 30)
        fast, slow = both_ways(path, options)
    assert fast == slow


@pytest.mark.parametrize("most", [40, 1 << 20])
@settings(max_examples=EXAMPLES, deadline=None)
@given(records=RECORDS | SPOILED, end=st.sampled_from(["\n", "\r\n", " \n\n"]), options=OPTIONS)
def test_lines_are_read_at_once_as_they_are_read_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    most: int,
    records: list[str],
    end: str,
    options: JsonOptions,
) -> None:
    path = tmp_path_factory.getbasetemp() / "b.json"
    lines = ['{"c": 0}', *(record.replace("\n", " ") for record in records)]
    path.write_bytes(end.join(lines).encode("utf-8", "surrogateescape"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_batches, "BATCH_JSON_BYTES", most)
        patch.setattr("chalicelib.extract.readers.json_lines.DOUBTFUL", 30)
        fast, slow = both_ways(path, options)
    assert fast == slow


PLAIN = [
    '{"a": 1, "b": "x, {y}"}',
    '{ "b" : null,\t"a":-0.50 }',
    '{"c": {"a": {"b": true}, "d": {}}, "e": [1.50, {"f": "]"}]}',
    r'{"a": "\"\\", "b": "\u00e9\ud83d\ude00", "c": {"a": 1e5}}',
    '{"b": "é", "a": 123456789012345678901234567890}',
]


@pytest.mark.parametrize("name", ["list.json", "lines.json", "object.json"])
def test_no_plain_record_is_decoded_by_itself(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    content = {
        "list.json": f"[{', '.join(PLAIN)}]",
        "lines.json": "\n".join(PLAIN),
        "object.json": f'{{"rows":\n [\n{",".join(PLAIN)} ]}}',
    }
    monkeypatch.delattr(JsonText, "record")
    monkeypatch.delattr(json_lines, "to_table")
    found = read(name, content[name])
    assert [row["a"] for row in found.rows] == [
        "1", "-0.50", None, '"\\', "123456789012345678901234567890",
    ]  # fmt: skip
    assert [row["c_a_b"] for row in found.rows] == [None, None, "true", None, None]
    assert [row["c_a"] for row in found.rows] == [None, None, None, "1E+5", None]
    assert [row["e"] for row in found.rows] == [None, None, '[1.50, {"f": "]"}]', None, None]


def test_one_record_that_is_not_plain_leaves_the_others_at_full_speed(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those near to it are decoded one by one."""
    rows = [f'{{"id": {number}, "pad": "{"x" * 100}"}}' for number in range(20_000)]
    rows[7_000] = '{"id": NaN}'
    tables: list[int] = []
    kept = json_records.to_table

    def to_table(some: Sequence[Any], *given: Any, **named: Any) -> pa.Table:
        tables.append(len(some))
        return kept(some, *given, **named)

    monkeypatch.setattr(json, "to_table", to_table)
    monkeypatch.setattr(json_lines, "to_table", to_table)
    for name, content in (("a.json", f"[{','.join(rows)}]"), ("b.json", "\n".join(rows))):
        found = read(name, content)
        assert found.lines == list(range(1, 20_001))
        assert 0 < tables.pop() < 1_000
        assert not tables
