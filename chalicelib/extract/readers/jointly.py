"""Small files of one kind, parsed in one go: a call of Arrow has its price, however few its rows.

Consecutive files that begin as one before them did are put together, header by header taken off,
and what Arrow makes of them is cut up again. How many rows each has is known from its newlines,
which must be as many as there are rows in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.errors import SourceError
from chalicelib.extract.readers.alike import Precedent, body_of, leave_no_doubt
from chalicelib.extract.readers.blocks import Block
from chalicelib.extract.readers.input_file import SAMPLE_BYTES, InputFile
from chalicelib.groups import grouped
from chalicelib.settings import BATCH_BYTES

BELOW_HEADER = 2
"""The line of the first row."""


class _Piece(NamedTuple):
    """A file, and its rows: `body` has no header, and its last record is ended.

    Without a precedent it is a file that must be read by itself.
    """

    file: InputFile
    precedent: Precedent | None = None
    body: bytes = b""


def read_jointly(
    files: Iterable[InputFile], is_unchanged: Callable[[InputFile], bool]
) -> Iterator[tuple[InputFile, Batch | None]]:
    """Each file in its order, with all its rows if it is small, clean and as one before it.

    One that comes without rows must be read by itself before the next is asked for: it may be a
    precedent. `is_unchanged` is asked of each file when it has been read.
    """
    for pieces in _grouped(_piece(file, is_unchanged) for file in files):
        yield from _read(pieces)


def _piece(file: InputFile, is_unchanged: Callable[[InputFile], bool]) -> _Piece:
    """What cannot be read has no precedent: whoever reads it by itself says why."""
    try:
        data = file.start(SAMPLE_BYTES + 1) if file.precedents else b""
    except SourceError:
        return _Piece(file)
    precedent = next((known for known in file.precedents if data.startswith(known.start)), None)
    if not precedent or len(data) > SAMPLE_BYTES or not is_unchanged(file):
        return _Piece(file)
    body = body_of(data, precedent, file)
    return _Piece(file, precedent, body) if body else _Piece(file)


def _grouped(pieces: Iterable[_Piece]) -> Iterator[list[_Piece]]:
    """Those of one precedent together until they are enough; those of none by themselves."""
    return grouped(
        pieces,
        lambda piece: len(piece.body),
        BATCH_BYTES,
        may_join=lambda piece, first: piece.precedent is first.precedent,
        ends=lambda piece: piece.precedent is None,
    )


def _read(pieces: Sequence[_Piece]) -> Iterator[tuple[InputFile, Batch | None]]:
    """All at once; by halves where something is amiss, down to the file that it is amiss in."""
    precedent = pieces[0].precedent
    if precedent and (batches := _batches(pieces, precedent)):
        for piece, batch in zip(pieces, batches, strict=True):
            if batch:
                piece.file.detected.update(precedent.detected)
            yield piece.file, batch
    elif len(pieces) == 1:
        yield pieces[0].file, None
    else:
        half = len(pieces) // 2
        yield from _read(pieces[:half])
        yield from _read(pieces[half:])


def _batches(pieces: Sequence[_Piece], precedent: Precedent) -> list[Batch | None]:
    """One of each file, None of one that has a row of another width.

    Empty where Arrow and the newlines do not tell which rows are whose.
    """
    bodies = b"".join(piece.body for piece in pieces)
    if not leave_no_doubt(bodies, precedent):
        return []
    parsed = precedent.layout.parsed(Block(bodies, BELOW_HEADER, precedent.dialect))
    ends = _line_ends(bodies, [len(piece.body) for piece in pieces])
    if not parsed or parsed[0].num_rows + len(parsed[1]) != ends[-1]:
        return []  # a blank line, or a newline in quotes
    table, ragged = parsed
    owners = np.searchsorted(ends, [at for at, _ in ragged], side="right")
    lost = np.bincount(owners, minlength=len(pieces))
    shares = _cut(table, (np.diff(ends, prepend=0) - lost).tolist())
    return [
        None if lacks else _batch(piece, share, precedent)
        for piece, share, lacks in zip(pieces, shares, lost, strict=True)
    ]


def _line_ends(bodies: bytes, sizes: Iterable[int]) -> npt.NDArray[np.intp]:
    """How many lines have ended at the end of each of the bodies, which are so many bytes long."""
    newlines = np.flatnonzero(np.frombuffer(bodies, np.uint8) == ord("\n"))
    return np.searchsorted(newlines, list(accumulate(sizes)))


def _cut(table: pa.Table, counts: Sequence[int]) -> list[pa.Table]:
    """So many rows of it each, without a copy."""
    starts = accumulate(counts, initial=0)
    return [table.slice(start, rows) for start, rows in zip(starts, counts, strict=False)]


def _batch(piece: _Piece, table: pa.Table, precedent: Precedent) -> Batch:
    lines = range(BELOW_HEADER, BELOW_HEADER + table.num_rows)
    named = precedent.layout.without_nameless(table)
    return Batch(piece.file.source, piece.file.name, named, lines, len(piece.body))
