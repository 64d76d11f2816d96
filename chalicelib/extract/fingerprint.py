"""What a file holds, and whether it is still the same file when it has been read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Event

from chalicelib.errors import SourceError

State = tuple[int, int, int]

CHUNK = 1 << 20
"""Bytes hashed at a time, at most."""

LARGE = 8 << 20
"""Bytes from which on it is felt that a file is read once more."""


@dataclass(frozen=True)
class Fingerprint:
    """Hash and size of a content, and the state of the file that held it.

    Of a file that was not read yet the hash is a stand-in, which equals no other.
    """

    sha256: str
    size: int
    _state: State
    is_read: bool = True

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


def fingerprint(path: Path, name: str, stop: Event | None = None) -> Fingerprint:
    """Read the whole file once. Raises SourceError under `name` when that is not allowed.

    `stop` is set when nobody needs the hash any more: then it is of no use.
    """
    with _opened(path, name) as (content, state):
        return Fingerprint(_sha256(content, state, stop), state[1], state)


def glance(path: Path, name: str) -> Fingerprint:
    """The same, but a large file is only opened."""
    with _opened(path, name) as (content, state):
        if state[1] >= LARGE:
            return Fingerprint(f"unread {name}", state[1], state, is_read=False)
        return Fingerprint(_sha256(content, state), state[1], state)


def _sha256(content: FileIO, state: State, stop: Event | None = None) -> str:
    """Of all bytes; a buffer larger than the file would cost more than its hash."""
    digest = hashlib.sha256()
    while chunk := content.read(min(CHUNK, state[1] + 1)):
        digest.update(chunk)
        if stop and stop.is_set():
            break
    return digest.hexdigest()


@contextmanager
def _opened(path: Path, name: str) -> Iterator[tuple[FileIO, State]]:
    with _translated(name), path.open("rb", buffering=0) as content:
        yield content, _state(os.fstat(content.fileno()))


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


def _state(found: os.stat_result) -> State:
    return found.st_ino, found.st_size, found.st_mtime_ns
