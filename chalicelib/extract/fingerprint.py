"""What a file holds, and whether it is still the same file when it has been read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chalicelib.errors import SourceError

CHUNK = 1 << 16
"""Bytes hashed at a time."""


@dataclass(frozen=True)
class Fingerprint:
    """Hash and size of a content, and the state of the file that held it."""

    sha256: str
    size: int
    _state: tuple[int, int, int]

    def check(self, path: Path, name: str) -> None:
        """SourceError when the file is not the one, or not in the state, that was hashed."""
        if not self.is_of(path):
            raise SourceError(
                "the file changed while it was read",
                where=name,
                fix="Run again when it is complete.",
            )

    def is_of(self, path: Path) -> bool:
        """Whether the file is the one, and in the state, that was hashed."""
        try:
            return _state(path.stat()) == self._state
        except OSError:
            return False


def fingerprint(path: Path, name: str) -> Fingerprint:
    """Read the whole file once. Raises SourceError under `name` when that is not allowed."""
    with _translated(name), path.open("rb", buffering=0) as content:
        state = _state(os.fstat(content.fileno()))
        digest = hashlib.sha256()
        while chunk := content.read(CHUNK):  # file_digest fills a buffer of 256 kB for each file
            digest.update(chunk)
    return Fingerprint(digest.hexdigest(), state[1], state)


def size_of(path: Path, name: str) -> int:
    """Bytes of the file. Raises SourceError under `name` when it cannot be had."""
    with _translated(name):
        return path.stat().st_size


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SourceError(
            f"cannot be read: {error.strerror}", where=name, fix="Check the file's permissions."
        ) from error


def _state(found: os.stat_result) -> tuple[int, int, int]:
    return found.st_ino, found.st_size, found.st_mtime_ns
