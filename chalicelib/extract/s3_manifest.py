"""What a sync put into a folder, remembered in a file there."""

from __future__ import annotations

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from chalicelib.extract.s3_names import reserved, unsafe

NAME = reserved("sync.json")


@dataclass(frozen=True)
class Copy:
    """The object that a file is a copy of, and the file's time of change when it was written."""

    uri: str
    etag: str
    size: int
    mtime_ns: int = 0

    def is_untouched(self, path: Path) -> bool:
        """Whether the file is there as it was written."""
        try:
            found = path.lstat()
        except OSError:
            return False
        return stat.S_ISREG(found.st_mode) and (found.st_size, found.st_mtime_ns) == (
            self.size,
            self.mtime_ns,
        )


class Manifest:
    """`files` by their names in the folder; read when made, written by each change but `files`'."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self.files: dict[str, Copy] = self._load()

    def announce(self, files: Mapping[str, Copy]) -> None:
        """Record names before they are written: a sync that is killed leaves nothing unknown."""
        self.files = {**files, **self.files}
        self.save()

    def forget(self, names: Iterable[str]) -> None:
        """Record that these are gone."""
        for name in set(names):
            self.files.pop(name, None)
        self.save()

    def save(self) -> None:
        """Replace the file as a whole."""
        text = json.dumps({name: asdict(copy) for name, copy in self.files.items()}, indent=0)
        handle, part = tempfile.mkstemp(prefix=reserved(""), suffix=".part", dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(part).replace(self._path)

    def _load(self) -> dict[str, Copy]:
        """Without a readable manifest nothing is known, and all is downloaded again."""
        try:
            entries = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: Copy(**copy) for name, copy in entries.items() if not unsafe(name)}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}
