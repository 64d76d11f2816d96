"""The end of a delimited file, where rows may stand that hold nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from chalicelib.extract.readers.blocks import Block
from chalicelib.extract.readers.dialect import NO_DELIMITER
from chalicelib.extract.readers.input_file import InputFile

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
        body, held = _cut_empty_end(block)
        if body:
            yield body
    if held:
        for number, text in enumerate(held.data.splitlines(), start=held.first_line):
            if text:
                file.note(EMPTY_END, number)
            elif held.dialect.delimiter == NO_DELIMITER:
                file.note(BLANK, number)


def _cut_empty_end(block: Block) -> tuple[Block | None, Block | None]:
    """What comes before the empty rows and blank lines that the block ends with, and those."""
    data, newline = block.data, block.dialect.newline.encode()
    nothing = block.dialect.delimiter.encode() + b" \r\n"
    masked = block.dialect.masked(data)
    last = masked[masked.rfind(newline, 0, -1) + 1 :]
    if block.records is not None or last.strip(nothing):
        return block, None
    filled = len(masked.rstrip(nothing))
    cut = masked.find(newline, filled) + 1 if filled else 0
    if not 0 < cut < len(data):
        return (block, None) if filled else (None, block)
    line = block.first_line + data.count(newline, 0, cut)
    return replace(block, data=data[:cut]), replace(block, data=data[cut:], first_line=line)
