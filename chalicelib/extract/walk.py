"""The files below a folder, by their names: what is hidden, or out of reach, is not looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from chalicelib.errors import SourceError
from chalicelib.extract.reach import is_out_of_reach


class Found(NamedTuple):
    """A file, a link, a pipe or a device; `name` is its path below the folder, with slashes."""

    name: str
    entry: os.DirEntry[str]

    @property
    def is_file(self) -> bool:
        """Whether there is a file to read, or something whose reading says what is wrong."""
        try:
            return self.entry.is_file() or not Path(self.entry.path).exists()
        except OSError:  # a link to itself
            return True


def files_below(folder: Path, own: Path | None) -> Iterator[Found]:
    """All files, in no order. Hidden are those that a dot begins the name of, or a folder's.

    `own`: nothing in this folder, without links, is found by any way. Raises SourceError: a folder
    that may not be read is no empty one.
    """
    return _below(str(folder), "", str(own) if own else None)


def _below(folder: str, inside: str, own: str | None) -> Iterator[Found]:
    if _is_in(folder, own):
        return
    for entry in _entries(folder):
        name = inside + entry.name
        if entry.name.startswith("."):
            continue
        if _is_folder(entry):
            if not is_out_of_reach(Path(entry.path)):
                yield from _below(entry.path, f"{name}/", own)
        elif not (entry.is_symlink() and _is_in(entry.path, own)):
            yield Found(name, entry)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise SourceError(
            f"the folder cannot be read: {error.strerror}",
            where=folder,
            fix="Check its permissions.",
        ) from error


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself, or to where nobody may look
        return False


def _is_in(path: str, own: str | None) -> bool:
    return own is not None and f"{os.path.realpath(path)}/".startswith(f"{own}/")
