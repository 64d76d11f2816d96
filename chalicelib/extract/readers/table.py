"""Where the table of a delimited file starts, and what its columns are called.

Lines before it are a preamble. The header is the record with the names of the schema; without one
it is the first record as wide as most, unless that plainly is data: of the same kinds, column by
column, as the records below.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from chalicelib.errors import SourceError
from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.header import UNNAMED, column_names, joined
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.kinds import Kind, kind_of, kinds_of, typed_cells
from chalicelib.extract.readers.lenient import Grammar, Record

SAMPLE = 100
HEADER_WITHIN = 30
"""Records among which the header is looked for."""

REMARK = re.compile(r"#|sep=.$", re.IGNORECASE)
"""Starts a line above the table; in the last one before the rows it may be the header."""

UNIT = re.compile(r"[\[(][^\])]*[\])]")
RULE = re.compile(r"[-+=|:\s]*--[-+=|:\s]*")
"""A line of dashes, as Markdown and psql set a header off with."""

TYPE = re.compile(
    r"""\s*(u?int(eger)?\d*|(big|small)int|float\d*|double(\ precision)?|real|numeric|decimal|number
    |bool(ean)?|str(ing)?|text|(var)?char|date|datetime|time|timestamp|json)(\([\d,\ ]+\))?\s*""",
    re.IGNORECASE | re.VERBOSE,
)

YEARS = range(1900, 2101)


@dataclass(frozen=True)
class Table:
    """The columns of a file, and where its first row starts.

    `start` counts the bytes before it in UTF-8, `line` is its line. `kinds` tell what each
    column's cells look like, `header` is the raw text of the header's last record.
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    start: int
    line: int
    header: str = ""


def find_table(text: str, dialect: Dialect, file: InputFile, *, final: bool) -> Table | None:
    """The table in a text that starts as the file does; None when there is no record.

    `final`: the text is the whole file. Raises SourceError where nobody could tell the header.
    """
    begin = after_lines(text, file.options.skip_lines, dialect.newline)
    first_line = file.options.skip_lines + 1
    found = _first_records(text[begin:], first_line, dialect, final=final)
    if not found:
        return None
    records = [record for record, _ in found]
    first, count = _header(records, file)
    aside = _set_aside(records[first:], count, file)
    below = _first_table(records[first + count + aside :])
    width = _usual_width(below) if below else 0
    kinds = kinds_of([r.texts for r in below if len(r.fields) == width], width)
    names = _names(records[first : first + count], kinds, file, first_line)
    end = found[first + count + aside - 1][1] if first + count else 0
    start = begin + end
    _tell(file, records, first, count)
    return Table(
        names,
        (*kinds, *[None] * len(names))[: len(names)],
        len(text[:start].encode("utf-8", "surrogateescape")),
        first_line + text.count(dialect.newline, begin, start),
        records[first + count - 1].raw if count else "",
    )


def _first_records(
    text: str, line: int, dialect: Dialect, *, final: bool
) -> list[tuple[Record, int]]:
    """Records with the position after each; a quote may be open from the first one on."""
    grammar = Grammar(dialect, any_end=True)
    whole = list(islice(grammar.records(text, line, final=final), SAMPLE))
    return whole or list(islice(grammar.records(text, line), SAMPLE))


def after_lines(text: str, lines: int, newline: str) -> int:
    """The position after so many lines."""
    at = 0
    for _ in range(lines):
        at = text.find(newline, at) + 1 or len(text)
    return at


def _header(records: Sequence[Record], file: InputFile) -> tuple[int, int]:
    """The index of the first header record, or of the first row, and how many of them there are."""
    asked = file.options.header
    if isinstance(asked, int):
        return 0, min(asked, len(records))
    if asked == "none" or not isinstance(asked, str):
        return 0, 0
    known = _with_known_names(records[:HEADER_WITHIN], file)
    if known is not None:
        return known, 1 + _is_units(records, known + 1)
    comments = next((at for at, r in enumerate(records) if not REMARK.match(r.raw)), 0)
    first, count = _guessed(records[comments:], file)
    last = records[comments - 1] if comments else None
    if (
        last
        and last.raw[0] == "#"
        and count == first == 0
        and len(last.fields) == len(records[comments].fields)
    ):
        return comments - 1, 1
    return comments + first, count


def _with_known_names(records: Sequence[Record], file: InputFile) -> int | None:
    """The record that holds most of the schema's names, and enough of them."""
    hits = [len({text.strip() for text in record.texts} & file.wanted) for record in records]
    best = max(hits, default=0)
    at = hits.index(best) if best else None
    if at is None:
        return None
    enough = best > 1 or best * 2 >= min(len(file.columns), len(records[at].fields))
    return at if enough else None


def _first_table(records: Sequence[Record]) -> Sequence[Record]:
    """The records without those of a table that follows after a blank line.

    One blank line may part tables; where there are more they are how the file is written. Two
    columns before a wider table are a preamble of names and values.
    """
    gaps = [at for at, record in enumerate(records) if record.after_blank and at]
    if len(gaps) != 1:
        return records
    width, rest = _usual_width(records[: gaps[0]]), _usual_width(records[gaps[0] :])
    rows = sum(len(record.fields) == width for record in records[: gaps[0]])
    is_table = rows > 1 and width > 1 and (width > 2 or rest <= width)  # noqa: PLR2004
    return records[: gaps[0]] if is_table else records


def _guessed(records: Sequence[Record], file: InputFile) -> tuple[int, int]:
    records = _first_table(records)
    width = _usual_width(records)
    top = next(at for at, record in enumerate(records) if len(record.fields) == width)
    below = [record.texts for record in records[top + 1 :] if len(record.fields) == width]
    kinds = kinds_of(below, width)
    typed = typed_cells(records[top].texts, kinds)
    is_data = bool(typed) and all(typed) and not _are_years(records[top].texts, kinds)
    if not below:
        is_data = _has_values(records[top].texts)
    before = records[top - 1] if top and not records[top].after_blank else None
    if before and len(before.fields) == 1 and is_data:
        raise SourceError(
            "nobody can tell whether this line is the header of one column or a title: "
            f"those below have {width} fields",
            where=f"{file.name} line {before.line}",
            fix="Set the source's csv.delimiter: none if it is one column; if it is a title, "
            f"csv.skip_lines: {before.line} and csv.header: none.",
        )
    if before and len(before.fields) > 1:
        extra = kinds_of([records[top].texts, *below], width)[len(before.fields) :]
        if is_data or (extra and set(extra) == {None}):
            return top - 1, 1
        if not typed:
            raise SourceError(
                "nobody can tell which line is the header: this one is not as wide as those below",
                where=f"{file.name} line {before.line}",
                fix="Set the source's csv.header: 1 with csv.skip_lines, or csv.header: none.",
            )
    return (top, 0) if is_data else (top, _header_rows(records, top))


def _has_values(cells: Sequence[str]) -> bool:
    """Whether numbers or dates are in a row that stands alone, and not just years."""
    values = [cell.strip() for cell in cells if kind_of(cell) not in ("text", None)]
    return any(not (value.isdecimal() and int(value) in YEARS) for value in values)


def _usual_width(records: Sequence[Record]) -> int:
    """The width of most records; of a few only when there are none of more than one field."""
    widths = Counter(len(record.fields) for record in records if not record.fault)
    wide = Counter({width: number for width, number in widths.items() if width > 1})
    usual = (wide or widths).most_common(1)
    return usual[0][0] if usual else len(records[0].fields)


def _header_rows(records: Sequence[Record], top: int) -> int:
    """Two when the first cannot name the columns alone and both can, or the second has units."""
    if _is_units(records, top + 1):
        return 2
    first = [text.strip() for text in records[top].texts]
    if top + 2 >= len(records) or ("" not in first and len(set(first)) == len(first)):
        return 1
    second = [text.strip() for text in records[top + 1].texts]
    below = [r.texts for r in records[top + 2 :] if len(r.fields) == len(first)]
    typed = typed_cells(second, kinds_of(below, len(first)))
    return 2 if _names_together(first, second) and typed and not any(typed) else 1


def _names_together(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether two rows give each column a name of its own; one word again and again does not."""
    if len(second) != len(first) or len(set(filter(None, second))) == 1:
        return False
    names = joined([first, second])
    below_nothing = [f for f, s in zip(first, second, strict=True) if not s and not f]
    return len(set(names)) == len(names) and all(names) and not below_nothing


def _is_units(records: Sequence[Record], at: int) -> bool:
    """Whether all cells of this record are units in brackets, or empty."""
    if at >= len(records) or len(records[at].fields) != len(records[at - 1].fields):
        return False
    cells = [text.strip() for text in records[at].texts]
    return any(cells) and all(not cell or UNIT.fullmatch(cell) for cell in cells)


def _set_aside(records: Sequence[Record], count: int, file: InputFile) -> int:
    """How many lines below a header of `count` are neither header nor row: one or none."""
    if not count or len(records) == count or len(records[count - 1].fields) == 1:
        return 0
    if RULE.fullmatch(records[count].raw):
        file.note("rule below the header, left out", records[count].line)
    elif _are_types(records[count].texts, records[count + 1 :]):
        file.note("types below the header, left out", records[count].line)
    else:
        return 0
    return 1


def _are_types(cells: Sequence[str], below: Sequence[Record]) -> bool:
    """Whether the cells name the columns' types, and numbers or dates stand below."""
    typed = typed_cells(cells, kinds_of([r.texts for r in below], len(cells)))
    return all(map(TYPE.fullmatch, cells)) and bool(typed) and not any(typed)


def _are_years(cells: Sequence[str], kinds: Sequence[Kind]) -> bool:
    """Whether the cells above the numbers are years in a row, as `country,2019,2020` has them."""
    numbers = [cell.strip() for cell, kind in zip(cells, kinds, strict=True) if kind == "number"]
    years = [int(number) for number in numbers if number.isdecimal()]
    if len(years) < 2 or len(years) < len(numbers) or len(years) == len(cells):  # noqa: PLR2004
        return False
    return years == list(range(years[0], years[0] + len(years))) and years[0] in YEARS


def _names(
    header: Sequence[Record], kinds: Sequence[Kind], file: InputFile, line: int
) -> tuple[str, ...]:
    asked = file.options.header
    if not header:
        given = () if isinstance(asked, str | int) else asked
        return column_names(given or _positional(len(kinds), file, line), file, line)
    names = _fitted(joined([record.texts for record in header]), kinds)
    return column_names(names, file, header[-1].line)


def _fitted(names: list[str], kinds: Sequence[Kind]) -> list[str]:
    """As many names as rows have fields, where only empty ones make the difference."""
    more = kinds[len(names) :]
    if more and set(more) == {None}:
        return names + [""] * len(more)
    return names[: len(kinds)] if kinds and not any(names[len(kinds) :]) else names


def _positional(width: int, file: InputFile, line: int) -> Sequence[str]:
    """Names for a file without a header: the schema's in their order, or numbers."""
    if file.columns and width != len(file.columns):
        raise SourceError(
            f"there is no header, and {width} columns where the schema declares "
            f"{len(file.columns)}",
            where=f"{file.name} line {line}",
            fix="Name the file's columns in the source's csv.header: [name, …].",
        )
    return tuple(file.columns) or [UNNAMED.format(position + 1) for position in range(width)]


def _tell(file: InputFile, records: Sequence[Record], first: int, count: int) -> None:
    lines = [record.line for record in records[first : first + count]]
    of = f"lines {lines[0]}-{lines[-1]}" if count > 1 else f"line {lines[0]}" if count else "none"
    file.detected["header"] = of if count or not file.columns else "none, columns as in the schema"
    file.detected["lines skipped"] = str(records[first].line - 1 if first < len(records) else first)
