"""Text files: delimited when a delimiter shows, else one column of lines."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from chalicelib.batch import RAW, Batch, Problem, Reject
from chalicelib.extract.readers.blocks import Block, blocks
from chalicelib.extract.readers.csv import read_delimited
from chalicelib.extract.readers.dialect import NO_DELIMITER, Dialect
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.mend import is_readable, visible
from chalicelib.extract.readers.sniff import find_dialect, plain_dialect
from chalicelib.extract.readers.table import after_lines

LINE = "line"
"""The single column of a file of plain lines."""


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.txt` file, written as was configured or found."""
    text, whole = file.sample()
    dialect = find_dialect(text, file.options, file.wanted)
    plain = plain_dialect(text, file.options)
    if dialect or file.options.header != "auto" or _is_named(text, file):
        return read_delimited(file, text, dialect or plain, whole=whole)
    start = after_lines(text, file.options.skip_lines, plain.newline)
    return _read_lines(file, plain.newline, len(text[:start].encode("utf-8", "surrogateescape")))


def _is_named(text: str, file: InputFile) -> bool:
    """Whether the first line is the name of a column in the schema."""
    first, *_ = text.strip().splitlines() or [""]
    return first.strip() in file.wanted - {LINE}


def _read_lines(file: InputFile, newline: str, start: int) -> Iterator[Batch]:
    file.detected["format"] = "plain lines"
    dialect = Dialect(NO_DELIMITER, quote="", newline=newline)
    with file.utf8() as stream:
        line = file.options.skip_lines + 1
        for block in blocks(stream, file.name, dialect, width=1, start=start, line=line):
            file.detected["encoding"] = stream.encoding
            found = [(at, text) for at, text in _numbered(block) if text.strip()]
            kept = [(at, text) for at, text in found if is_readable(text)]
            table = pa.table({LINE: pa.array([text for _, text in kept], pa.string())})
            rejects = [_reject(*one, stream.encoding) for one in found if not is_readable(one[1])]
            numbers = [at for at, _ in kept]
            yield Batch(file.source, file.name, table, numbers, len(block.data), rejects)


def _numbered(block: Block) -> Iterator[tuple[int, str]]:
    if block.records is not None:
        yield from ((record.line, record.raw) for record in block.records)
        return
    text = block.data.decode("utf-8", "surrogateescape")
    lines = text.split(block.dialect.newline)
    yield from ((at, line.removesuffix("\r")) for at, line in enumerate(lines, block.first_line))


def _reject(line: int, text: str, encoding: str) -> Reject:
    raw = visible(text)
    problem = Problem(None, raw, f"holds bytes that are not {encoding}")
    return Reject(line, {RAW: raw}, (problem,))
