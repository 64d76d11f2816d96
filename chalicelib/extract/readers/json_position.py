"""Finds the exact place where a JSON document breaks, which a streaming parser does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import ijson

CHUNK = 1 << 16


@dataclass(frozen=True)
class Position:
    """Line and column from 1; `at_end` when the document just stops."""

    line: int
    column: int
    at_end: bool


def breaking_point(stream: BinaryIO) -> Position | None:
    """Where the document stops being JSON; None when it is whole.

    The first pass finds the chunk, the second one feeds that chunk byte by byte.
    """
    start = stream.tell()
    offset = _refused_at(stream, fine_from=None)
    if offset is None:
        return None
    stream.seek(start)
    exact = _refused_at(stream, fine_from=offset)
    stream.seek(start)
    return _position(stream, offset if exact is None else exact)


def _refused_at(stream: BinaryIO, fine_from: int | None) -> int | None:
    """Offset of the first chunk that the parser refuses; single bytes from `fine_from` on."""
    events = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events)
    offset = 0
    try:
        while chunk := stream.read(1 if fine_from is not None and offset >= fine_from else CHUNK):
            parser.send(chunk)
            events.clear()
            offset += len(chunk)
        parser.close()
    except ijson.JSONError:
        return offset
    return None


def _position(stream: BinaryIO, offset: int) -> Position:
    line, last_newline, done = 1, -1, 0
    while done < offset and (chunk := stream.read(min(CHUNK, offset - done))):
        line += chunk.count(b"\n")
        if (newline := chunk.rfind(b"\n")) >= 0:
            last_newline = done + newline
        done += len(chunk)
    return Position(line, offset - last_newline, at_end=not stream.read(1))
