"""JSON files: where records are found, exact values, and the place where a document breaks."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config import Column, JsonOptions
from chalicelib.errors import SourceError
from chalicelib.extract.readers import json_batches, json_lines, json_text
from chalicelib.extract.readers.json_records import RecordsAt
from tests.extract.readers.support import ReadFile


@pytest.mark.parametrize(
    ("content", "detected"),
    [
        ('[{"id": 1}, {"id": 2}]', "a list of records"),
        ('{"id": 1}\n{"id": 2}\n', "one record a line"),
        ('{"id": 1}\n\n{"id": 2}', "one record a line"),
        ('\ufeff {\n"orders":\n[{"id": 1},\n{"id": 2}]}', "records under 'orders'"),
    ],
)
def test_records_are_found(read: ReadFile, content: str, detected: str) -> None:
    found = read("a.json", content)
    assert found.rows == [{"id": "1"}, {"id": "2"}]
    assert found.detected == {"format": detected}


def test_an_object_without_a_list_of_objects_is_one_record(read: ReadFile) -> None:
    found = read("a.json", '{"id": 1, "tags": ["a", "b"], "by": {"name": "Ada"}}')
    assert found.rows == [{"id": "1", "tags": '["a", "b"]', "by_name": "Ada"}]


def test_the_path_of_the_records_can_be_given(read: ReadFile) -> None:
    content = '{"meta": [{"x": 1}], "data": {"rows": [{"id": 1}]}}'
    assert read("a.json", content, records="$.data.rows").rows == [{"id": "1"}]
    assert read("a.json", content, records="$").rows[0]["data_rows"] == '[{"id": 1}]'


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("$.a[*].rows", ["1", "2", "3"]),
        ("$.a[*].rows[*]", ["1", "2", "3"]),
        ("$.a[1].rows", ["3"]),
        ("$['odd.key']['x y']", ["4"]),
        ("$.one", ["5"]),
        ("$.nothing", []),
    ],
)
def test_a_path_may_lead_through_lists_and_odd_keys(
    read: ReadFile, path: str, ids: list[str]
) -> None:
    content = """{"skipped": {"a": [1, {"b": []}], "rows": [{"id": 9}]}, "a": [
        {"rows": [{"id": 1}, {"id": 2}]}, {"rows": [{"id": 3}], "more": 0}],
        "odd.key": {"x y": [{"id": 4}]}, "one": {"id": 5}, "nothing": null}"""
    assert [row["id"] for row in read("a.json", content, records=path).rows] == ids


def test_a_path_that_leads_nowhere_is_refused_and_an_empty_list_is_not(read: ReadFile) -> None:
    assert read("a.json", '{"data": []}', records="$.data").rows == []
    with pytest.raises(SourceError, match=r"nothing at \$\.rows"):
        read("a.json", '{"data": []}', records="$.rows")


def test_numbers_keep_their_exact_text(read: ReadFile) -> None:
    numbers = ["9007199254740993", "123456789012345678901234567890", "0.10", "1.0E+3"]
    records = [f'{{"n": {number}}}' for number in numbers]
    for name, content in (("a.json", f"[{','.join(records)}]"), ("b.json", "\n".join(records))):
        assert [row["n"] for row in read(name, content).rows] == numbers


@pytest.mark.parametrize("size", [1, 30, 1 << 20])
def test_records_keep_their_position_over_batches(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(json_batches, "BATCH_RECORDS", 3)
    monkeypatch.setattr(json_batches, "BATCH_JSON_BYTES", size)
    records = [{"id": number} for number in range(8)]
    assert read("a.json", json.dumps(records)).lines == list(range(1, 9))
    lines = "\n\n".join(map(json.dumps, records))
    assert read("b.json", lines).lines == list(range(1, 16, 2))


def test_a_line_that_is_no_record_is_a_reject(read: ReadFile) -> None:
    found = read("a.json", '{"id": 1}\n{"id": \n[2]\n{"id": 4} x\n{"id": 5}')
    assert [row["id"] for row in found.rows] == ["1", "5"]
    assert [(reject.line, reject.row["_raw"]) for reject in found.rejects] == [
        (2, '{"id": '),
        (3, "[2]"),
        (4, '{"id": 4} x'),
    ]
    assert found.rejects[2].describe() == "is not a JSON record: Extra data at character 11"


@pytest.mark.parametrize("odd", ["null", "17", '"x"', "[1]", "true"])
@pytest.mark.parametrize("at", [0, 500, 999])
def test_a_value_that_is_no_record_costs_that_one(read: ReadFile, odd: str, at: int) -> None:
    values = ['{"id": 1}'] * 1000
    values[at] = odd
    for content in (f"[{','.join(values)}]", f'{{"rows": [{{"id": 1}},{",".join(values)}]}}'):
        records = "$.rows" if content[0] == "{" else None
        found = read("a.json", content, records=records)
        (reject,) = found.rejects
        assert len(found.rows) == 999 + (records is not None)
        assert reject.line == at + 1 + (records is not None)
        assert reject.row == {"_raw": odd}
        assert reject.describe() == "not an object of names and values"


@pytest.mark.parametrize("content", ["", "  \n"])
def test_an_empty_file_has_no_batches(read: ReadFile, content: str) -> None:
    assert read("a.json", content).batches == []


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ("42", "a.json line 1", "starts with neither"),
        ('"text"', "a.json line 1", "starts with neither"),
        ('[{"id": 1},\n {"id": 2', "a.json line 2 column 10", "ends too early"),
        ('[{"id": 1},\n {"id": 2} {', "a.json line 2 column 12", "broken"),
        ('[{"id": 1},\n {"id": tru}]', "a.json line 2 column 9", "broken"),
        ('{"orders": [{"id": 1},\n {"id": }]}', "a.json line 2 column 9", "broken"),
        ('[17, {"id": 1}', "a.json line 1 column 15", "ends too early"),
        ("[17, null]", "a.json", "record 1 is a number"),
        ("<html>no</html>", "a.json", "HTML"),
    ],
)
def test_a_broken_document_is_refused_at_its_place(
    read: ReadFile, content: str, where: str, what: str
) -> None:
    with pytest.raises(SourceError) as refused:
        read("a.json", content)
    assert what in str(refused.value)
    assert refused.value.where == where


def test_the_place_is_exact_beyond_the_first_chunk(read: ReadFile) -> None:
    rows = ",\n".join(json.dumps({"id": number, "pad": "x" * 50}) for number in range(5_000))
    with pytest.raises(SourceError, match=r"a\.json line 5001 column 8"):
        read("a.json", f'[{rows},\n{{"id": ?}}]')


DECLARED = {"id": Column(type="integer"), "customer_name": Column(type="text")}


@pytest.mark.parametrize(
    ("content", "columns", "rows"),
    [
        ('{"orders": []}', {}, 0),
        ('{"count": 0, "orders": []}', DECLARED, 0),
        ('{"at": "noon", "orders": [{"id": 1}, {"id": 2}]}', DECLARED, 2),
        ('{"id": 1, "lines": [{"sku": "x"}, {"sku": "y"}]}', DECLARED, 1),
        ('{"customer": {"name": "Ada"}, "lines": [{"sku": "x"}, {"sku": "y"}]}', DECLARED, 1),
        ('{"at": "noon", "n": 1}', {}, 1),
        ('{"at": "noon", "tags": ["a"]}', {}, 1),
    ],
)
def test_the_schema_tells_a_record_with_a_list_from_a_list_of_records(
    read: ReadFile, content: str, columns: dict[str, Column], rows: int
) -> None:
    assert len(read("a.json", content, columns=columns).rows) == rows


@pytest.mark.parametrize(
    "content",
    [
        '{"warnings": [{"x": 1}], "data": [{"id": 1}]}',
        '{"id": 1, "lines": [{"sku": "x"}]}',
        '{"id": 1, "lines": []}',
    ],
)
def test_what_nothing_tells_is_asked_for(read: ReadFile, content: str) -> None:
    with pytest.raises(SourceError, match=r"not clear where the records are.*records: \$\."):
        read("a.json", content)
    assert read("a.json", content, records="$").rows


def test_large_records_make_small_batches(read: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_batches, "BATCH_JSON_BYTES", 100_000)
    records = [{"pad": "x" * 50_000} for _ in range(20)]
    for name, content in (
        ("a.json", json.dumps(records)),
        ("b.json", "\n".join(map(json.dumps, records))),
    ):
        found = read(name, content)
        assert len(found.rows) == 20
        assert max(batch.table.num_rows for batch in found.batches) < 6


def test_a_line_without_end_is_refused(read: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_lines, "MAX_FIELD_BYTES", 100)
    with pytest.raises(SourceError, match=r"a\.json line 2: a record is longer"):
        read("a.json", '{"id": 1}\n{"id": "' + "x" * 200 + '"}\n')


# what JSON can hold


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("123456789012345678901234567890123", "123456789012345678901234567890123"),
        ("-" + "9" * 5000, "-" + "9" * 5000),
        ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ("1E400", "1E+400"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("[NaN, 1]", '["NaN", 1]'),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\u0000"', "\x00"),
        ('"\\\\ud800"', "\\ud800"),
        ('""', ""),
        ("{}", None),
        ("[]", "[]"),
        ("[{}]", "[{}]"),
        ("true", "true"),
    ],
)
def test_values_arrive_exactly(read: ReadFile, value: str, text: str | None) -> None:
    for name, content in (("a.json", f'[{{"v": {value}}}]'), ("b.json", f'{{"v": {value}}}\n' * 2)):
        found = read(name, content)
        assert (found.rows[0]["v"], found.rejects) == (text, [])


def test_what_json_does_not_have_is_told_in_the_report(read: ReadFile) -> None:
    content = '[{"v": NaN}, {"v": Infinity}]'
    assert read("a.json", content).detected["read as text"] == "Infinity, NaN"
    assert read("b.json", '{"v": NaN}\n{"v": 1}').detected["read as text"] == "NaN"


BAD_VALUES = [
    (b'{"v": 1, "v": 1}', "the key 'v' occurs twice in one object"),
    (b'{"v": {"a": [{"b": 1, "c": 2, "b": 3}]}}', "the key 'b' occurs twice in one object"),
    (b'{"v": "\\ud800"}', "no Unicode text: it holds half of a surrogate pair"),
    (b'{"v": "\\udc00\\ud800"}', "no Unicode text: it holds half of a surrogate pair"),
    (b'{"\\uDFFF": 1}', "no Unicode text: it holds half of a surrogate pair"),
    (b'{"v": "caf\xe9"}', "byte 0xe9 is not UTF-8"),
    (b'{"v": "\xc0\xaf"}', "byte 0xc0 is not UTF-8"),
    (b'{"v": "\xed\xa0\x80"}', "byte 0xed is not UTF-8"),
    (b'{"v": 1e99999999999999999999}', "the number 1e99999999999999999999 is beyond"),
]


@pytest.mark.parametrize(("bad", "reason"), BAD_VALUES)
def test_a_record_that_would_lose_something_costs_one_record(
    read: ReadFile, bad: bytes, reason: str
) -> None:
    good = b'{"v": "\xc3\xa9"}'
    contents = {
        "list.json": b"[%b,\n%b,\n%b]" % (good, bad, good),
        "lines.json": b"%b\n%b\n%b\n" % (good, bad, good),
        "object.json": b'{"rows": [%b,\n%b,\n%b]}' % (good, bad, good),
    }
    for name, content in contents.items():
        found = read(name, content)
        assert found.rows == [{"v": "é"}] * 2
        assert found.lines == [1, 3]
        (reject,) = found.rejects
        assert reject.line == 2
        assert reason in reject.describe()
        assert reject.row == {"_raw": bad.decode(errors="replace")}


@pytest.mark.parametrize(
    ("content", "where", "what"),
    [
        ('[{"id": 1}', "line 1 column 11", "ends too early, after byte 10"),
        ('[{"id": "é', "line 1 column 12", "ends too early, after byte 11"),
        ("[", "line 1 column 2", "ends too early, after byte 1"),
        ('{"a": ', "line 1 column 7", "ends too early, after byte 6"),
        ('\ufeff[{"id": 1}', "line 1 column 11", "ends too early, after byte 13"),
        ("[{},]", "line 1 column 5", "broken at byte 5"),
        ("[{},,{}]", "line 1 column 5", "broken at byte 5"),
        ("[{} {}]", "line 1 column 5", "broken at byte 5: expecting ',' or ']'"),
        ("[{}}", "line 1 column 4", "broken at byte 4"),
        ("[{}]]", "line 1 column 5", "more text follows the end of the document"),
        ("[{}]\n[{}]", "line 2 column 1", "more text follows the end of the document"),
        ("[{'id': 1}]", "line 1 column 3", "broken at byte 3"),
        ("[{id: 1}]", "line 1 column 3", "broken at byte 3"),
        ('[{"id": 01}]', "line 1 column 10", "broken at byte 10"),
        ('[{"id": 1.}]', "line 1 column 10", "broken at byte 10"),
        ('[{"id": +1}]', "line 1 column 9", "broken at byte 9"),
        ('[{"id": .5}]', "line 1 column 9", "broken at byte 9"),
        ('[{"id": True}]', "line 1 column 9", "broken at byte 9"),
        ('[{"id": "a\tb"}]', "line 1 column 11", "broken at byte 11: invalid control character"),
        ('[{"id": "\\x41"}]', "line 1 column 10", "broken at byte 10"),
        ('[{"id": "\\u00G0"}]', "line 1 column 11", "broken at byte 11"),
        ('[{"id": 1} // one\n]', "line 1 column 12", "broken at byte 12"),
        ('{"rows": [{"id": 1}], "rows": []}', "line 1 column 29", "'rows' occurs twice"),
        ("[" * 100_000, "line 1 column 2", "nested too deeply"),
        ('[{"a":' * 100_000, "line 1 column 2", "nested too deeply"),
    ],
)
def test_text_that_is_no_json_is_refused_at_its_byte(
    read: ReadFile, content: str, where: str, what: str
) -> None:
    with pytest.raises(SourceError) as refused:
        read("a.json", content)
    assert what in refused.value.what
    assert refused.value.where == f"a.json {where}"


def test_a_document_that_is_cut_anywhere_is_refused(read: ReadFile) -> None:
    content = (
        '{"at": "noon", "rows": [{"id": 1, "v": "\\u00e9 é"}, {"id": -1.5e3}], "n": null}'.encode()
    )
    for end in range(1, len(content)):
        with pytest.raises(SourceError, match=rf"ends too early, after byte {end}\b"):
            read("a.json", content[:end], records="$.rows")


# one pass in constant memory

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"\\é', max_size=3), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.dictionaries(st.sampled_from("abcé"), JSON_VALUES, max_size=4), max_size=6),
    st.integers(1, 40),
    st.sampled_from([None, 1]),
    st.booleans(),
)
def test_records_are_those_of_the_whole_document_however_it_is_cut(
    records: list[dict[str, object]], piece: int, indent: int | None, plain: bool
) -> None:
    document = json.dumps({"x": [], "rows": records}, indent=indent, ensure_ascii=plain).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_text, "BATCH_BYTES", piece)
        text = json_text.JsonText(io.BytesIO(document))
        assert list(RecordsAt(text, ("rows",))) == records


def test_a_list_under_a_key_is_read_once_and_what_follows_decides(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_batches, "BATCH_RECORDS", 2)
    monkeypatch.setattr(json_batches, "BATCH_JSON_BYTES", 30)
    rows = json.dumps([{"sku": n} for n in range(5)])
    assert len(read("a.json", f'{{"lines": {rows}}}').rows) == 5
    assert len(read("b.json", f'{{"lines": {rows}, "at": 1}}', columns=DECLARED).rows) == 5
    for rest in ('"id": 1', '"more": [{"a": 1}]'):
        with pytest.raises(SourceError, match=r"records: \$\.lines for that list"):
            read("c.json", f'{{"lines": {rows}, {rest}}}', columns=DECLARED)


def test_a_value_beyond_all_bounds_is_refused_where_it_begins(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_text, "MAX_FIELD_BYTES", 1000)
    monkeypatch.setattr(json_text, "BATCH_BYTES", 100)
    with pytest.raises(SourceError, match=r"line 2 column 1: .* a record is longer than"):
        read("a.json", '[{"id": 1},\n{"id": "' + "x" * 2000 + '"}]')


MEASURED = """
import resource, sys
from pathlib import Path
from chalicelib.extract.readers import json
from chalicelib.extract.readers.input_file import InputFile

rows = sum(batch.rows for batch in json.read(InputFile("s", "a.json", Path(sys.argv[1]))))
print(rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"rows": [', "]}")])
def test_memory_does_not_grow_with_the_document(tmp_path: Path, start: str, end: str) -> None:
    """20 MB and 200 MB; one copy of the larger text alone would be seen."""
    record = json.dumps({"id": 1, "by": {"name": "Ada"}, "pad": "x" * 4000})
    path = tmp_path / "a.json"
    peaks = []
    for hundreds in (50, 500):
        with path.open("w") as file:
            file.writelines([start, record, *([f",\n{record}" * 100] * hundreds), end])
        command = [sys.executable, "-c", MEASURED, str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows, megabytes = map(int, done.stdout.split())
        assert rows == 100 * hundreds + 1
        peaks.append(megabytes)
    assert peaks[1] - peaks[0] < 40


# columns


def test_objects_flatten_to_a_depth_with_a_separator(read: ReadFile) -> None:
    content = '[{"a": {"b": {"c": 1}, "d": {}}, "a_b": 2}]'
    assert read("a.json", content, json=JsonOptions(separator=".")).rows == [
        {"a.b.c": "1", "a.d": None, "a_b": "2"}
    ]
    assert read("a.json", content, json=JsonOptions(depth=0)).rows == [
        {"a": '{"b": {"c": 1}, "d": {}}', "a_b": "2"}
    ]
    assert read("a.json", content, json=JsonOptions(depth=1, separator="/")).rows == [
        {"a/b": '{"c": 1}', "a/d": "{}", "a_b": "2"}
    ]


@pytest.mark.parametrize("size", [1, 5000])
def test_no_two_fields_of_a_file_share_a_column_unseen(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(json_batches, "BATCH_RECORDS", size)
    monkeypatch.setattr(json_batches, "BATCH_JSON_BYTES", size)
    for content in ('[{"a":{"b":1}},{"a_b":2}]', '{"rows": [{"a_b":2},{"a":{"b":1}}]}'):
        with pytest.raises(SourceError, match=r"record 2 .* column 'a_b'.*json\.separator"):
            read("a.json", content)
        dotted = read("a.json", content, json=JsonOptions(separator="."))
        assert {name for row in dotted.rows for name in row} == {"a.b", "a_b"}
    with pytest.raises(SourceError, match=r"record 3 .* column 'a_b'"):
        read("a.json", '{"a":{"b":1}}\n\n{"a_b":2}')


def test_a_field_may_hold_another_kind_of_value_in_each_record(read: ReadFile) -> None:
    content = '[{"v": 1}, {"v": "x"}, {"v": {"w": true}}, {"v": [1]}, {"v": null}, {"v": 1.50}]'
    assert [(row["v"], row["v_w"]) for row in read("a.json", content).rows] == [
        ("1", None), ("x", None), (None, "true"), ("[1]", None), (None, None), ("1.50", None),
    ]  # fmt: skip
