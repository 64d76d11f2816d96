"""Small files that begin as one before them did: read without looking for what is known.

A folder of small files is mostly one table in pieces. Where a file's first line is the header of an
earlier file, and nothing below it might mean another dialect or another table, looking at its
records would find the same again. What may be in doubt is looked for anew, as in any other file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.encoding import BOM
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.kinds import kind_of
from chalicelib.extract.readers.layout import Layout
from chalicelib.extract.readers.marks import Marks
from chalicelib.extract.readers.sniff import DELIMITERS, hinted
from chalicelib.extract.readers.table import RULE, TYPE, UNIT, Table

OTHER_QUOTING = (b"'", b"\\")
QUOTING = (b'"', *OTHER_QUOTING)
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

    @cached_property
    def start(self) -> bytes:
        """What a file must start with to be read by this one."""
        return self.mark + self.header


def body_of(data: bytes, precedent: Precedent, file: InputFile) -> bytes | None:
    """What stands below the header in such a file, its last record ended.

    None where its first line might be something else than a row, its last one or its quoting.
    """
    body = data.removeprefix(precedent.start)
    if not body.endswith(b"\n"):
        body += precedent.record_end
    sure = (
        _begins_with_a_row(body, precedent)
        and _ends_with_a_row(body, precedent)
        and _is_quoting_sure(body, file, precedent)
    )
    return body if sure else None


def leave_no_doubt(bodies: bytes, precedent: Precedent) -> bool:
    """Whether looking for dialect and table would find those of the precedent in each of these."""
    return (
        b"\0" not in bodies
        and _end_records_alike(bodies, precedent)
        and precedent.header not in bodies
        and _is_dialect_sure(bodies, precedent)
        and _leads_nowhere_astray(Marks(bodies, precedent.dialect))
    )


def _end_records_alike(bodies: bytes, precedent: Precedent) -> bool:
    returns = bodies.count(b"\r")
    if precedent.record_end == b"\n":
        return not returns
    return returns == bodies.count(b"\n") == bodies.count(b"\r\n")


def _leads_nowhere_astray(marks: Marks) -> bool:
    """Whether newlines end records but for those in quotes, each of which is closed."""
    return marks.trouble is None and not len(marks.quotes) % 2


def _is_dialect_sure(bodies: bytes, precedent: Precedent) -> bool:
    """Whether no other dialect could rank as high.

    With a schema the names in the header decide, if no record below could hold as many. Without
    one this dialect has no flaw where signs of others are nowhere; a space ranks last.
    """
    if not precedent.known:
        own = precedent.dialect.delimiter
        others = (sign.encode() for sign in DELIMITERS if sign not in (own, " "))
        return not any(sign in bodies for sign in (*QUOTING, *others))
    absent = (name for name in precedent.names if name not in bodies)
    enough = len(precedent.names) - precedent.known + 1
    return len(list(islice(absent, enough))) == enough


def _is_quoting_sure(body: bytes, file: InputFile, precedent: Precedent) -> bool:
    """Whether nothing hints at another quoting."""
    if not any(sign in body for sign in OTHER_QUOTING):
        return True
    text = (precedent.header + body).decode("utf-8", "surrogateescape")
    return hinted(text, file.options, precedent.dialect.delimiter) == [precedent.dialect]


def _begins_with_a_row(body: bytes, precedent: Precedent) -> bool:
    """Whether the line below the header is neither a rule nor units or types."""
    raw = body[: body.find(b"\n")].decode("utf-8", "surrogateescape").removesuffix("\r")
    if '"' in raw:
        cells = [field.text for field in precedent.layout.grammar.split(raw)]
    else:
        cells = raw.split(precedent.dialect.delimiter)
    units = all(not cell.strip() or UNIT.fullmatch(cell.strip()) for cell in cells)
    return not units and not RULE.fullmatch(raw) and not all(map(TYPE.fullmatch, cells))


def _ends_with_a_row(body: bytes, precedent: Precedent) -> bool:
    """Whether the last line holds more than delimiters."""
    last = body[body.rfind(b"\n", 0, -1) + 1 :]
    return bool(last.strip(precedent.dialect.delimiter.encode() + b" \r\n"))


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
