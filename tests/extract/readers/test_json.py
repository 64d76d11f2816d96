"""JSON files: where records are found, exact values, and the place where a document breaks."""

from __future__ import annotations

import json

import pytest

from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.extract.readers import json as reader
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


def test_a_path_that_leads_nowhere_is_refused_and_an_empty_list_is_not(read: ReadFile) -> None:
    assert read("a.json", '{"data": []}', records="$.data").rows == []
    with pytest.raises(SourceError, match=r"nothing at \$\.rows"):
        read("a.json", '{"data": []}', records="$.rows")


def test_numbers_keep_their_exact_text(read: ReadFile) -> None:
    numbers = ["9007199254740993", "123456789012345678901234567890", "0.10", "1.0E+3"]
    records = [f'{{"n": {number}}}' for number in numbers]
    for name, content in (("a.json", f"[{','.join(records)}]"), ("b.json", "\n".join(records))):
        assert [row["n"] for row in read(name, content).rows] == numbers


def test_records_keep_their_position_over_batches(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "BATCH_RECORDS", 3)
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
        ('[{"id": 1}, 17]', "a.json", "record 2 is a number"),
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
    monkeypatch.setattr(reader, "BATCH_JSON_BYTES", 100_000)
    records = [{"pad": "x" * 50_000} for _ in range(20)]
    for name, content in (
        ("a.json", json.dumps(records)),
        ("b.json", "\n".join(map(json.dumps, records))),
    ):
        found = read(name, content)
        assert len(found.rows) == 20
        assert max(batch.table.num_rows for batch in found.batches) < 6


def test_a_line_without_end_is_refused(read: ReadFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_FIELD_BYTES", 100)
    with pytest.raises(SourceError, match=r"a\.json line 2: a record is longer"):
        read("a.json", '{"id": 1}\n{"id": "' + "x" * 200 + '"}\n')
