"""Dialects: found where a person could tell, obeyed where they are given, read back identically."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.config import CsvOptions
from chalicelib.extract.readers import blocks
from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.rows import Rows
from tests.extract.readers.support import Read, ReadFile, columns
from tests.extract.readers.written import Cell, Writing

NAMES = ["id", "customer", "amount", "ordered on", "note"]
ROWS: list[list[Cell]] = [
    ["1", "Ada Lovelace", "12.50", "2026-01-31", "5\" pipe, 3' long"],
    ["2", "Zoë; Lefèvre", "0.99", "2026-02-01", None],
    ["3", "Grace|Hopper", "7.00", "2026-02-02", "two\nlines"],
    ["4", "O'Brien, Pat", "120.00", "2026-02-03", ""],
]
COMMA = Writing(Dialect())
WITHOUT_QUOTES = Writing(replace(COMMA.dialect, quote="", escape="\\"))

DIALECTS = {
    "comma": COMMA,
    "semicolon": Writing(Dialect(";")),
    "tab": Writing(Dialect("\t")),
    "space": Writing(Dialect(" ")),
    "pipe": Writing(Dialect("|")),
    "comma and space": Writing(Dialect(padded=True)),
    "single quotes": Writing(Dialect(quote="'"), all_quoted=True),
    "all quoted": replace(COMMA, all_quoted=True),
    "no quotes": WITHOUT_QUOTES,
    "backslash": Writing(Dialect(escape="\\")),
    "backslash and single quotes": Writing(Dialect(";", "'", "\\")),
    "crlf": replace(COMMA, end="\r\n"),
    "cr": Writing(Dialect(newline="\r"), end="\r"),
    "no end of the last record": replace(COMMA, last_end=False),
    "utf-8 with a mark": replace(COMMA, encoding="utf-8-sig"),
    "utf-16 with a mark": replace(COMMA, encoding="utf-16"),
    "utf-16 little endian": replace(COMMA, encoding="utf-16-le"),
    "utf-16 big endian": replace(COMMA, encoding="utf-16-be"),
    "utf-32": replace(COMMA, encoding="utf-32"),
    "windows-1252": Writing(Dialect(";"), end="\r\n", encoding="cp1252"),
    "latin-1": replace(COMMA, encoding="latin-1"),
}


def fitting(rows: list[list[Cell]], writing: Writing) -> list[list[Cell]]:
    """The rows as the dialect can hold them: without quotes there is no empty string."""
    if writing.dialect.quote:
        return rows
    return [[cell or None for cell in row] for row in rows]


@pytest.mark.parametrize("given", [False, True], ids=["found", "given"])
@pytest.mark.parametrize("writing", DIALECTS.values(), ids=DIALECTS)
def test_a_table_is_read_as_it_was_written(read: ReadFile, writing: Writing, given: bool) -> None:
    rows = fitting(ROWS, writing)
    options = CsvOptions(**writing.options) if given else CsvOptions()
    for name in ("a.csv", "a.txt"):
        found = read(name, writing.file([NAMES, *rows]), options=options)
        assert not found.rejects
        assert [list(row.values()) for row in found.rows] == rows
        assert list(found.rows[0]) == NAMES


@pytest.mark.parametrize(
    ("name", "detected"),
    [
        ("comma and space", {"delimiter": "comma and space"}),
        ("tab", {"delimiter": "tab", "quote": '"', "escape": "doubled", "record end": "LF"}),
        ("single quotes", {"quote": "'"}),
        ("no quotes", {"escape": "backslash"}),
        ("cr", {"record end": "CR"}),
        ("windows-1252", {"encoding": "Windows-1252", "record end": "CRLF"}),
        ("utf-8 with a mark", {"encoding": "UTF-8 with BOM"}),
        ("utf-16 with a mark", {"encoding": "UTF-16"}),
        ("utf-16 little endian", {"encoding": "UTF-16 without BOM"}),
        ("comma", {"encoding": "UTF-8", "header": "line 1", "lines skipped": "0"}),
    ],
)
def test_what_was_found_is_reported(read: ReadFile, name: str, detected: dict[str, str]) -> None:
    writing = DIALECTS[name]
    found = read("a.csv", writing.file([NAMES, *fitting(ROWS, writing)])).detected
    assert {key: found[key] for key in detected} == detected


def test_a_delimiter_of_several_signs_is_the_one_that_finds_the_names(
    read: ReadFile,
) -> None:
    text = "1,5;2,5\nid;x,y\n3,5;4,5\n"
    found = read("a.csv", text, columns=columns("id", "x,y"))
    assert found.rows == [{"id": "3,5", "x,y": "4,5"}]


def test_decimal_commas_are_no_delimiters(read: ReadFile) -> None:
    assert read("a.csv", "1,5;2,5;a\n2,5;3,5;b\n").rows[0] == {
        "column_1": "1,5",
        "column_2": "2,5",
        "column_3": "a",
    }


def test_words_are_no_columns(read: ReadFile) -> None:
    """A space makes a table only where the words below it are numbers or dates."""
    assert read("a.csv", "full name\nAda Lovelace\nAlan Turing\n").rows == [
        {"full name": "Ada Lovelace"},
        {"full name": "Alan Turing"},
    ]
    assert list(read("a.txt", "one two\nthree four\nfive six\n").rows[0]) == ["line"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("item no,qty,x\nA 1,1,1\nB 2,2\nC 3,3\n", ["item no", "qty", "x"]),
        (
            "full name,qty,x\nAnn Lee,1,1\nBob Ray,2\nCid Fox,3\nDan Hill,4,4\n",
            ["full name", "qty", "x"],
        ),
        ("a b,c d\nx 1,2,\ny 2,3,\nz 3,4,\n", ["a b", "c d"]),
    ],
)
def test_spaces_in_names_are_no_delimiters_where_commas_are(
    read: ReadFile, text: str, names: list[str]
) -> None:
    found = read("a.csv", text)
    assert found.detected["delimiter"] == "comma"
    assert list(found.rows[0]) == names


def test_grouped_numbers_and_decimal_commas_may_stand_between_spaces(read: ReadFile) -> None:
    found = read("a.csv", "id sum day\n1 1,5 2026-01-31\n2 1,234,567.50 2026-02-01\n")
    assert [row["sum"] for row in found.rows] == ["1,5", "1,234,567.50"]


@pytest.mark.parametrize("sign", ["~", "^", ":", "\x01"])
def test_a_delimiter_that_is_not_looked_for_is_a_warning_that_names_it(
    read: ReadFile, sign: str
) -> None:
    text = "id,name,day\n1,Ada,x\n2,Alan,y\n".replace(",", sign)
    (warning,) = read("a.csv", text).warnings
    key = yaml.safe_load(warning.partition("set the source's csv.")[2])
    found = read("a.csv", text, options=CsvOptions.model_validate(key))
    assert (list(found.rows[0]), found.warnings) == (["id", "name", "day"], [])


@pytest.mark.parametrize("text", ["page\nhttp://a\nhttp://b\n", "time\n10:00\n11:00\n", "a:b\n"])
def test_signs_within_a_single_column_are_no_reason_to_warn(read: ReadFile, text: str) -> None:
    assert read("a.csv", text).warnings == []


def test_a_single_column_can_be_asked_for(read: ReadFile) -> None:
    found = read("a.csv", "note\na, b\nc, d\n", options=CsvOptions(delimiter="none"))
    assert found.rows == [{"note": "a, b"}, {"note": "c, d"}]


def test_quotes_that_only_open_are_text(read: ReadFile) -> None:
    text = 'id\tsize\n1\t"5\n2\t"6\n3\t"7\n'
    found = read("a.txt", text)
    assert [row["size"] for row in found.rows] == ['"5', '"6', '"7']
    assert found.detected["quote"] == "none"


def test_backslashes_mean_what_mysql_and_postgresql_mean_by_them(read: ReadFile) -> None:
    text = "id\tname\tnote\n1\t\\N\ta\\tb\n2\tN\tC:\\\\new\n3\tx\\\ty\t\\N\n"
    found = read("a.txt", text)
    assert found.rows == [
        {"id": "1", "name": None, "note": "a\tb"},
        {"id": "2", "name": "N", "note": "C:\\new"},
        {"id": "3", "name": "x\ty", "note": None},
    ]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("1\t\\N\n" * 99, None),
        ("1\tx\n" * 99 + "2\ta\\\tb\n", "a\tb"),
        ('1\t"x"\n' * 99 + '2\t"say \\"hi\\""\n', 'say "hi"'),
    ],
)
def test_an_escape_is_found_however_rare_it_is(read: ReadFile, text: str, last: str | None) -> None:
    found = read("a.txt", "id\tname\n" + text)
    assert (found.rows[-1]["name"], found.rejects) == (last, [])
    assert found.detected["escape"] == "backslash"


def test_a_single_column_of_mysql_may_hold_null(read: ReadFile) -> None:
    assert read("a.csv", "name\nx\n\\N\n").rows == [{"name": "x"}, {"name": None}]


def test_paths_of_windows_are_no_escapes(read: ReadFile) -> None:
    found = read("a.csv", "id,folder\n" + "1,x\n" * 99 + "2,C:\\new\\\n3,C:\\Nero\n")
    assert [row["folder"] for row in found.rows[-2:]] == ["C:\\new\\", "C:\\Nero"]


# properties

DELIMITERS = st.sampled_from(",;\t| ")
SIGNS = ["a", "é", "1", ",", ";", "\t", "|", '"', "'", " ", "\n", "\r\n", "\r", "\\", "€", r"\N"]
BLOCKS = st.sampled_from([1, 7, 40, 1 << 20])


@st.composite
def writings(draw: st.DrawFn) -> Writing:
    delimiter, quote = draw(DELIMITERS), draw(st.sampled_from(["", "'", '"']))
    escape = draw(st.sampled_from(["", "\\"])) if quote else "\\"
    padded = delimiter != " " and draw(st.booleans())
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    dialect = Dialect(delimiter, quote, escape, True, padded, "\r" if end == "\r" else "\n")
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"]))
    quoted = bool(quote) and (quote == "'" or draw(st.booleans()))
    return Writing(dialect, end, encoding, quoted, draw(st.booleans()))


def read_back(folder: Path, content: bytes, options: CsvOptions) -> list[list[Cell]]:
    path = folder / "a.csv"
    path.write_bytes(content)
    found = Read(InputFile("shop", path.name, path, options))
    assert not found.rejects
    return [list(row.values()) for row in found.rows]


def cells(writing: Writing) -> st.SearchStrategy[Cell]:
    text = st.lists(st.sampled_from(SIGNS), max_size=6).map("".join)
    if not writing.dialect.quote:
        lost = "\r" if writing.end == "\n" else "\r\n"
        text = text.map(lambda cell: cell.translate(dict.fromkeys(map(ord, lost))).strip(" "))
        text = text.filter(bool)
    return st.none() | text


@st.composite
def hostile_tables(draw: st.DrawFn) -> tuple[Writing, list[list[Cell]]]:
    writing = draw(writings())
    width = draw(st.integers(2, 5))
    row = st.lists(cells(writing), min_size=width, max_size=width)
    rows = draw(st.lists(row, min_size=1, max_size=8))
    rows[-1][0] = rows[-1][0] or "x"  # an empty row at the end is none
    return writing, rows


unhurried = settings(
    max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@unhurried
@given(written=hostile_tables(), block=BLOCKS)
def test_any_table_in_any_dialect_that_is_given_is_read_back_identically(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    written: tuple[Writing, list[list[Cell]]],
    block: int,
) -> None:
    monkeypatch.setattr(blocks, "BATCH_BYTES", block)
    writing, rows = written
    names = [f"c{position}" for position in range(len(rows[0]))]
    content = writing.file([names, *rows])
    assert read_back(tmp_path, content, CsvOptions(**writing.options)) == rows


NOTES = ["Ada", "Alan Turing", "Hopper, Grace", '5" pipe', "O'Brien", "Zoë", "x; y", "a|b"]


@st.composite
def plausible_tables(draw: st.DrawFn) -> tuple[Writing, list[list[Cell]]]:
    writing = draw(writings())
    note = st.sampled_from(
        ["two\nlines", "a\there", None, *NOTES] if writing.dialect.quote else NOTES
    )
    row = st.tuples(
        st.integers(0, 999).map(str),
        note,
        st.decimals(0, 999, places=2).map(str),
        st.dates().map(str),
        st.sampled_from(["London", "New York", "Köln"]),
    ).map(list)
    return writing, draw(st.lists(row, min_size=3, max_size=12))


@settings(unhurried, max_examples=500)
@given(written=plausible_tables())
def test_a_table_in_any_dialect_is_read_back_identically_without_being_told(
    tmp_path: Path, written: tuple[Writing, list[list[Cell]]]
) -> None:
    writing, rows = written
    content = writing.file([["id", "name", "amount", "day", "city"], *rows])
    assert read_back(tmp_path, content, CsvOptions()) == rows


tables = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.lists(
            st.text(st.sampled_from('ab,;"\n\r ü'), max_size=6), min_size=width, max_size=width
        ),
        min_size=1,
        max_size=12,
    )
)


@settings(unhurried, max_examples=300)
@given(rows=tables, block=st.integers(1, 40), delimiter=st.sampled_from(",;"))
def test_a_clean_file_is_read_as_pythons_csv_reads_it(
    read: ReadFile,
    monkeypatch: pytest.MonkeyPatch,
    rows: list[list[str]],
    block: int,
    delimiter: str,
) -> None:
    """Whatever the size of the blocks it is cut into."""
    monkeypatch.setattr(blocks, "BATCH_BYTES", block)
    names = [f"c{position}" for position in range(len(rows[0]))]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([names, *rows])
    found = read("a.csv", text.getvalue(), options=CsvOptions(delimiter=delimiter, header=1))
    expected = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter))[1:]
    assert [list(row.values()) for row in found.rows] == expected == rows
    lines = text.getvalue().split("\n")
    assert all(lines[line - 1].startswith('"') for line in found.lines)
    assert len(set(found.lines)) == len(rows)


@settings(unhurried, max_examples=300)
@given(written=hostile_tables())
def test_record_by_record_a_clean_file_reads_the_same(
    tmp_path: Path, written: tuple[Writing, list[list[Cell]]]
) -> None:
    """The slow path, which a dirty block takes, beside the fast one."""
    writing, rows = written
    content = writing.file([[f"c{n}" for n in range(len(rows[0]))], *rows])
    options = CsvOptions(**writing.options)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rows, "_fast", lambda *_: None)
        slow = read_back(tmp_path, content, options)
    assert slow == read_back(tmp_path, content, options) == rows
