"""Text files: delimited when a delimiter shows, else one column of lines."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.extract.readers.blocks import blocks
from chalicelib.extract.readers.csv import decoded, read_delimited, refuse_lone_returns
from chalicelib.extract.readers.dialect import find_delimiter
from chalicelib.extract.readers.input_file import InputFile

LINE = "line"
"""The single column of a file of plain lines."""


def read(file: InputFile) -> Iterator[Batch]:
    """Batches of a `.txt` file, with the delimiter that was configured or found."""
    asked = file.options.delimiter
    delimiter = find_delimiter(file.head()) if asked == "auto" else asked
    return read_delimited(file, delimiter) if delimiter else _read_lines(file)


def _read_lines(file: InputFile) -> Iterator[Batch]:
    file.detected["format"] = "plain lines"
    with file.open() as stream:
        for block in blocks(stream, file.name, quote=b""):
            refuse_lone_returns(block, file.name)
            lines = decoded(block, file.name).split("\n")
            kept = [(at, text.removesuffix("\r")) for at, text in enumerate(lines) if text.strip()]
            table = pa.table({LINE: pa.array([text for _, text in kept], pa.string())})
            numbers = [block.first_line + at for at, _ in kept]
            yield Batch(file.source, file.name, table, numbers, len(block.data))
