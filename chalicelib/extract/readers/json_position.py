"""Line and column of a byte."""

from __future__ import annotations

from typing import BinaryIO

CHUNK = 1 << 16


def position(stream: BinaryIO, byte: int) -> tuple[int, int]:
    """Line and column, from 1, of the byte at this offset from where the stream is."""
    line, last_newline, done = 1, -1, 0
    while done < byte and (chunk := stream.read(min(CHUNK, byte - done))):
        line += chunk.count(b"\n")
        if (newline := chunk.rfind(b"\n")) >= 0:
            last_newline = done + newline
        done += len(chunk)
    return line, byte - last_newline
