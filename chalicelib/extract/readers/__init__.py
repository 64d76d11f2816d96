"""Readers by suffix: each turns one file into batches of text columns."""

from __future__ import annotations

from chalicelib.extract.readers import csv, json, txt
from chalicelib.extract.readers.input_file import Reader

READERS: dict[str, Reader] = {".csv": csv.read, ".json": json.read, ".txt": txt.read}

DELIMITED = (csv.read, txt.read)
"""Readers of files that one before them may be a precedent of."""


def reader_for(name: str) -> Reader | None:
    """The reader of a file by its suffix, `.gz` aside; None when it is of no kind we read."""
    bare = name.lower().removesuffix(".gz")
    return next((read for suffix, read in READERS.items() if bare.endswith(suffix)), None)
