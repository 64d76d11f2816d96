"""Small files that begin as one before them did: read without looking for what is known.

A folder of small files is mostly one table in pieces. Where a file's first line is the header of an
earlier file, and nothing below it might mean another dialect or another table, looking at its
records would find the same again. What may be in doubt is looked for anew, as in any other file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from itertools import islice

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.extract.readers.blocks import Block, blocks
from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.encoding import BOM
from chalicelib.extract.readers.input_file import SAMPLE_BYTES, InputFile
from chalicelib.extract.readers.kinds import kind_of
from chalicelib.extract.readers.layout import Layout
from chalicelib.extract.readers.rows import without_nameless
from chalicelib.extract.readers.sniff import DELIMITERS, hinted
from chalicelib.extract.readers.table import RULE, TYPE, UNIT, Table
from chalicelib.extract.readers.tail import cut_empty_end

QUOTING = (b'"', b"'", b"\\")
MARKS = {"UTF-8": b"", "UTF-8 with BOM": BOM}
RECORD_ENDS = {"LF": b"\n", "CRLF": b"\r\n"}


@dataclass(frozen=True)
class Precedent:
    """What a file was found to be whose first line is its header, and names its columns alone.

    `mark` stands before the `header`, which ends in `record_end`. `names` are those of the schema,
    in UTF-8, of which the header holds `known`: none, where there is no schema, or two and more.
    """

    mark: bytes
    header: bytes
    record_end: bytes
    layout: Layout
    detected: Mapping[str, str]
    names: Sequence[bytes]
    known: int

    @property
    def dialect(self) -> Dialect:
        """How the file is written."""
        return self.layout.dialect


def read_alike(file: InputFile) -> Batch | None:
    """All rows of a small file that is clean and written as one before it; None in any doubt."""
    with file.open() as stream:
        data = stream.read(SAMPLE_BYTES + 1)
    for precedent in file.precedents if len(data) <= SAMPLE_BYTES else ():
        above = precedent.mark + precedent.header
        if data.startswith(above):
            return _read_below(file, data.removeprefix(above), precedent)
    return None


def _read_below(file: InputFile, body: bytes, precedent: Precedent) -> Batch | None:
    if not _leaves_no_doubt(body, file, precedent):
        return None
    block = _single_block(body, file, precedent)
    parsed = precedent.layout.parsed(block) if block else None
    if not block or not parsed or parsed[1]:
        return None
    table: pa.Table = parsed[0]
    lines = block.record_lines(table.num_rows)
    if not isinstance(lines, range):  # blank lines, or quoted newlines
        return None
    file.detected.update(precedent.detected)
    return Batch(file.source, file.name, without_nameless(table), lines, len(body), [])


def _leaves_no_doubt(body: bytes, file: InputFile, precedent: Precedent) -> bool:
    """Whether looking for dialect and table would find those of the precedent."""
    return (
        b"\0" not in body
        and _ends_records_alike(body, precedent)
        and precedent.header not in body
        and _is_dialect_sure(body, file, precedent)
        and _begins_with_a_row(body, precedent)
    )


def _ends_records_alike(body: bytes, precedent: Precedent) -> bool:
    returns = body.count(b"\r")
    if precedent.record_end == b"\n":
        return not returns
    return returns == body.count(b"\n") == body.count(b"\r\n")


def _is_dialect_sure(body: bytes, file: InputFile, precedent: Precedent) -> bool:
    """Whether no other dialect could rank as high.

    With a schema the names in the header decide, if no record below could hold as many. Without
    one this dialect has no flaw where signs of others are nowhere; a space ranks last.
    """
    own = precedent.dialect.delimiter
    quoting = any(sign in body for sign in QUOTING)
    if not precedent.known:
        others = (sign.encode() for sign in DELIMITERS if sign not in (own, " "))
        return not quoting and not any(sign in body for sign in others)
    absent = (name for name in precedent.names if name not in body)
    enough = len(precedent.names) - precedent.known + 1
    if len(list(islice(absent, enough))) < enough:
        return False
    if not quoting:
        return True
    text = (precedent.header + body).decode("utf-8", "surrogateescape")
    return hinted(text, file.options, own) == [precedent.dialect]


def _begins_with_a_row(body: bytes, precedent: Precedent) -> bool:
    """Whether the line below the header is neither a rule nor units or types."""
    line = body[: body.find(b"\n")] if b"\n" in body else body
    raw = line.decode("utf-8", "surrogateescape").removesuffix("\r")
    cells = [field.text for field in precedent.layout.grammar.split(raw)]
    units = all(not cell.strip() or UNIT.fullmatch(cell.strip()) for cell in cells)
    return not units and not RULE.fullmatch(raw) and not all(map(TYPE.fullmatch, cells))


def _single_block(body: bytes, file: InputFile, precedent: Precedent) -> Block | None:
    """All records, where counting leads nowhere astray and the last one is no empty row."""
    width = len(precedent.layout.names)
    found = list(blocks(BytesIO(body), file.name, precedent.dialect, width=width, line=2))
    whole = len(found) == 1 and found[0].records is None and not cut_empty_end(found[0])[1]
    return found[0] if whole else None


def learn(file: InputFile, text: str, table: Table, layout: Layout) -> None:
    """Keep what was found in a file that starts with `text`, if others may be read by it."""
    header = text[: text.find("\n") + 1]
    if not (_is_usual(file, table, layout, header) and _is_of_words(header, table, layout)):
        return
    wanted, others = file.wanted, set(DELIMITERS) - {layout.dialect.delimiter}
    known = len(wanted.intersection(table.names))
    most = max(len(wanted.intersection(_cells(header, sign))) for sign in others)
    if known > max(most, 1) or not wanted:
        precedent = Precedent(
            MARKS[file.detected["encoding"]],
            header.encode(),
            RECORD_ENDS[file.detected["record end"]],
            layout,
            dict(file.detected),
            [name.encode() for name in sorted(wanted)],
            known,
        )
        if precedent not in file.precedents:
            file.precedents.append(precedent)


def _is_usual(file: InputFile, table: Table, layout: Layout, header: str) -> bool:
    """Whether the file was clean, its first line the whole header, and little configured."""
    options, delimiter = file.options, layout.dialect.delimiter
    return (
        options.header == "auto"
        and not options.skip_lines
        and delimiter in DELIMITERS.strip(" ")
        and layout.dialect == Dialect(delimiter)
        and file.detected["encoding"] in MARKS
        and file.detected["record end"] in RECORD_ENDS
        and not (file.repaired or file.warnings or {"footer", "second table"} & {*file.detected})
        and table.start == len(header.encode())
    )


def _is_of_words(header: str, table: Table, layout: Layout) -> bool:
    """Whether the header is no row whatever stands below, and shows no sign of another dialect."""
    delimiter = layout.dialect.delimiter
    cells = _cells(header, delimiter)
    return (
        len(cells) > 1
        and tuple(cells) == table.names
        and all(kind_of(cell) == "text" for cell in cells)
        and not header.lstrip().startswith(("#", "{", "["))
        and not any(sign.decode() in header for sign in QUOTING)
        and header.count(delimiter) > header.count(f"{delimiter} ")
    )


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in line.split(delimiter)]
