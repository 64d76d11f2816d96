"""Records that are written alike are read at once, and come out as if each were decoded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.config import JsonOptions
from chalicelib.extract.readers import json_batches
from chalicelib.extract.readers.json_plain import PlainRecords
from tests.extract.readers.support import ReadFile
from tests.extract.readers.test_json_plain import (
    EXAMPLES,
    KEYS,
    OPTIONS,
    SPACE,
    SPOILT,
    VALUES,
    WORDS,
    both_ways,
)

BYTES = [bytes([byte]) for byte in b'"\\{}[]:,\n\r 0-\x00\xe9']
CHANGES = st.lists(st.tuples(st.integers(0, 400), st.sampled_from([*BYTES, b""])), max_size=3)
ENDS = ["\n", "\r\n", " \n", "\n\n", "", " ", ","]
BETWEEN = ["[", "[\n"], [",", " ,\n\t", ", "], ["]", "\n]\n", ",", ""]


@st.composite
def alike(draw: st.DrawFn) -> list[str]:
    """Records of the same members; as a rule of the same white space, and with plain values."""
    paths = draw(st.lists(KEYS, min_size=1, max_size=4, unique=True))
    spaces = [(draw(SPACE), draw(SPACE), draw(SPACE)) for _ in paths]
    nested = draw(st.sampled_from(["{}", "{}", '{{"in":{}}}', '{{"x":{{}},"in":{{"a":{}}}}}']))
    values = draw(st.sampled_from([WORDS, WORDS | SPOILT, VALUES]))
    return [
        "{" + ",".join(
            f'{before}"{key}"{within}:{within}{nested.format(draw(values))}{after}'
            for key, (before, within, after) in zip(paths, spaces, strict=True)
        ) + "}"
        for _ in range(draw(st.integers(2, 6)))
    ]  # fmt: skip


def changed(text: str, changes: list[tuple[int, bytes]]) -> bytes:
    """The text with bytes in the place of others, or left out."""
    data = text.encode("utf-8", "surrogateescape")
    for place, byte in changes:
        at = place % (len(data) + 1)
        data = data[:at] + byte + data[at + 1 :]
    return data


LONG = f'{{"first":"{"x" * 400}"}}\n'.encode()
"""The first line tells that each is a record; a piece to itself, it leaves the others alike."""


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    records=alike(), ends=st.tuples(*2 * [st.sampled_from(ENDS)]), changes=CHANGES, options=OPTIONS
)  # fmt: skip
@example(
    records=['{"a":1,"more":2}', '{"a":1,"b":2}'],
    ends=("\n", ""),
    changes=[],
    options=JsonOptions(),
)
@example(records=['{"a": 1 }', '{"a": }'], ends=("\n", ""), changes=[], options=JsonOptions())
@example(records=['{"a":[]}', '{"a":[\n]}'], ends=("\n", ""), changes=[], options=JsonOptions())
@example(records=['{"a":[]}', '{"a":[\n]}'], ends=(" ", ""), changes=[], options=JsonOptions())
def test_lines_that_are_alike_are_read_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    records: list[str],
    ends: tuple[str, str],
    changes: list[tuple[int, bytes]],
    options: JsonOptions,
) -> None:
    path = tmp_path_factory.getbasetemp() / "c.json"
    path.write_bytes(LONG + changed(ends[0].join(records) + ends[1], changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_batches, "BATCH_JSON_BYTES", len(LONG) - 1)
        fast, slow = both_ways(path, options)
    assert fast == slow


@pytest.mark.parametrize("most", [100, 1 << 20])
@settings(max_examples=EXAMPLES, deadline=None)
@given(
    records=alike(), around=st.tuples(*map(st.sampled_from, BETWEEN)),
    changes=CHANGES, options=OPTIONS,
)  # fmt: skip
def test_items_that_are_alike_are_read_as_one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
    most: int,
    records: list[str],
    around: tuple[str, str, str],
    changes: list[tuple[int, bytes]],
    options: JsonOptions,
) -> None:
    path = tmp_path_factory.getbasetemp() / "d.json"
    opening, between, closing = around
    path.write_bytes(opening.encode() + changed(between.join(records) + closing, changes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_batches, "BATCH_JSON_BYTES", most)
        patch.setattr("chalicelib.extract.readers.json_text.DOUBTFUL", 30)
        fast, slow = both_ways(path, options)
    assert fast == slow


RECORD = '{"a":"x", "b":[1],"c":{"d":{},"e":1} }'


@pytest.mark.parametrize(
    "content", [f"{RECORD}\n{RECORD}\n", f"{RECORD}\r\n{RECORD}", f"[{RECORD},\n{RECORD}]"]
)
def test_any_byte_may_be_another_one(tmp_path: Path, content: str) -> None:
    for place in range(len(content)):
        for byte in [*BYTES, b""]:
            path = tmp_path / "e.json"
            path.write_bytes(changed(content, [(place, byte)]))
            fast, slow = both_ways(path, JsonOptions())
            assert fast == slow, path.read_bytes()


ALIKE = [
    '{"a": 1, "b": "x, {y}", "c": {"d": null, "e": {}}, "f": [1]}',
    '{"a": null, "b": false, "c": {"d": "\\u00e9", "e": {}}, "f": [{"g": 2}, "]"]}',
    '{"a": "é", "b": null, "c": {"d": -0.50, "e": {}}, "f": "[1"}',
]


@pytest.mark.parametrize(
    "content", ["\n".join(ALIKE), "\r\n".join(ALIKE) + "\r\n\n", f"[{', '.join(ALIKE)}\n]\n"]
)
def test_records_that_are_alike_need_no_other_look(
    read: ReadFile, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    monkeypatch.delattr(PlainRecords, "_gathered")
    found = read("a.json", content)
    assert found.lines == [1, 2, 3]
    assert [tuple(row.values()) for row in found.rows] == [
        ("1", "x, {y}", None, None, "[1]"),
        (None, "false", "é", None, '[{"g": 2}, "]"]'),
        ("é", None, "-0.50", None, "[1"),
    ]
    assert list(found.rows[0]) == ["a", "b", "c_d", "c_e", "f"]
