"""The end of a delimited file, where rows may stand that hold nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from chalicelib.extract.readers.blocks import Block
from chalicelib.extract.readers.dialect import NO_DELIMITER
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.readers.lenient import Record

BLANK = "blank line, left out"
EMPTY_END = "empty row at the end, left out"


def without_empty_end(found: Iterable[Block], file: InputFile) -> Iterator[Block]:
    """The blocks but for the empty rows at the end of the file: nothing but delimiters.

    They are noted as mended, and so are blank lines where a row has a single column.
    """
    held: Block | None = None
    for block in found:
        if held and block.records is None:
            block = replace(block, data=held.data + block.data, first_line=held.first_line)  # noqa: PLW2901
        elif held:
            yield held
        body, held = cut_empty_end(block)
        if body:
            yield body
    if held:
        for number, text in enumerate(held.data.splitlines(), start=held.first_line):
            if text:
                file.note(EMPTY_END, number)
            elif held.dialect.delimiter == NO_DELIMITER:
                file.note(BLANK, number)


def cut_empty_end(block: Block) -> tuple[Block | None, Block | None]:
    """What comes before the empty rows and blank lines that the block ends with, and those."""
    data, newline = block.data, block.dialect.newline.encode()
    nothing = block.dialect.delimiter.encode() + b" \r\n"
    masked = block.dialect.masked(data)
    last = masked[masked.rfind(newline, 0, -1) + 1 :]
    if block.records is not None:
        return _cut_empty_records(block, block.records)
    if last.strip(nothing):
        return block, None
    filled = len(masked.rstrip(nothing))
    cut = masked.find(newline, filled) + 1 if filled else 0
    if not 0 < cut < len(data):
        return (block, None) if filled else (None, block)
    line = block.first_line + data.count(newline, 0, cut)
    return replace(block, data=data[:cut]), replace(block, data=data[cut:], first_line=line)


def _cut_empty_records(
    block: Block, records: Sequence[Record]
) -> tuple[Block | None, Block | None]:
    """The same of a block whose records could not be told by counting."""
    nothing = block.dialect.delimiter + " "
    kept = len(records)
    while kept and not records[kept - 1].raw.strip(nothing):
        kept -= 1
    while 0 < kept < len(records) and records[kept].line == records[kept - 1].line:
        kept += 1  # a line is kept whole: a lone CR may end a record within it
    if kept == len(records):
        return block, None
    line = records[kept].line
    cut = _after_newlines(block.data, line - block.first_line, block.dialect.newline.encode())
    body = replace(block, data=block.data[:cut], records=records[:kept])
    rest = Block(block.data[cut:], line, block.dialect)
    return body if kept else None, rest


def _after_newlines(data: bytes, count: int, newline: bytes) -> int:
    """The position after so many newlines."""
    at = 0
    for _ in range(count):
        at = data.find(newline, at) + 1
    return at
