"""Delimited files: blocks of records parsed by Arrow, every column as text.

What Arrow reads whole stays as it is. A record that has not as many fields as the header is looked
at by itself; a block in which more is wrong is read record by record.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from chalicelib.batch import Batch
from chalicelib.errors import SourceError
from chalicelib.extract.readers.alike import learn
from chalicelib.extract.readers.blocks import blocks
from chalicelib.extract.readers.dialect import Dialect
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.layout import Layout
from chalicelib.extract.readers.rows import Rows
from chalicelib.extract.readers.sniff import find_dialect, plain_dialect, unknown_delimiter
from chalicelib.extract.readers.table import find_table
from chalicelib.extract.readers.tail import without_empty_end


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.csv` file, written as was configured or found."""
    text, whole = file.sample()
    if text.lstrip()[:1] in ("{", "["):
        raise SourceError("the file holds JSON", where=file.name, fix="Rename it to .json.")
    dialect = find_dialect(text, file.options, file.wanted, doubtful=True)
    if dialect is None:
        dialect = plain_dialect(text, file.options)
        _warn_of_delimiter(file, text)
    return read_delimited(file, text, dialect, whole=whole)


def _warn_of_delimiter(file: InputFile, text: str) -> None:
    if sign := unknown_delimiter(text, file.options):
        file.warn(
            f"was read as a single column, but each line has {sign!r} as often as the first: "
            f"if that is the delimiter, set the source's csv.delimiter: {json.dumps(sign)}"
        )


def read_delimited(file: InputFile, text: str, dialect: Dialect, *, whole: bool) -> Iterator[Batch]:
    """Batches of a file that starts with `text`, or is that text as a `whole`."""
    table = find_table(text, dialect, file, final=whole)
    if table is None:
        return
    _refuse_unreadable(table.names, file)
    record_end = _record_end(text, dialect)
    file.detected.update(dialect.described(), **{"record end": record_end[0]})
    layout = Layout(table.names, dialect, file.options.null_values)
    rows = Rows(file, layout, table, record_end[1])
    width = len(table.names)
    with file.utf8() as stream:
        found = blocks(stream, file.name, dialect, width=width, start=table.start, line=table.line)
        for block in without_empty_end(found, file):
            file.detected["encoding"] = stream.encoding
            yield from rows.batches(block)
    rows.end()
    learn(file, text, table, layout)


def _refuse_unreadable(names: Iterable[str], file: InputFile) -> None:
    for name in names:
        shown = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        if shown != name:
            raise SourceError(
                f"the header has bytes that the file's encoding does not know: {shown[:80]}",
                where=file.name,
                fix="Set the source's csv.encoding, or the names of the columns as csv.header.",
            )


def _record_end(text: str, dialect: Dialect) -> tuple[str, str]:
    """What ends records in the first text, as it is called and as it is."""
    if dialect.newline == "\r":
        return "CR", "\r"
    plain = dialect.unquoted(text)
    pairs = plain.count(b"\r\n")
    if not pairs:
        return "LF", "\n"
    return "CRLF" if pairs == plain.count(b"\n") else "LF and CRLF", "\r\n"
