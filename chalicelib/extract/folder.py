"""The folder of a source: what is in it, or in the S3 prefix that it is a copy of."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from chalicelib import settings
from chalicelib.config import LocalSource
from chalicelib.errors import SourceError
from chalicelib.extract.base import Listed
from chalicelib.extract.fingerprint import fingerprint, size_of
from chalicelib.extract.reach import is_out_of_reach
from chalicelib.extract.readers import reader_for
from chalicelib.extract.s3_folder import RemoteObject, listed, sync
from chalicelib.extract.walk import Found, files_below
from chalicelib.reports import SourceReport

IsLoaded = Callable[[RemoteObject], bool]


@dataclass(frozen=True)
class Candidate:
    """A file of the folder and, when it came from S3, its object."""

    name: str
    path: Path
    remote: RemoteObject | None = None


class Folder:
    """What a source may read. `path` is where its files are; those that it skips are reported.

    `only`: no other names are looked at. `first_files`: no more files than these.
    """

    def __init__(
        self,
        config: LocalSource,
        base: Path,
        report: SourceReport,
        *,
        path: Path | None = None,
        only: Collection[str] | None = None,
        first_files: int | None = None,
    ) -> None:
        self.path = path or base / config.path
        self._config = config
        self._report = report
        self._only = None if only is None else frozenset(only)
        self._pattern = PurePosixPath(config.pattern).parts[::-1]
        self._first_files = first_files
        self._own = None if path else settings.work_folder(base).resolve()

    def candidates(self, is_loaded: IsLoaded) -> list[Candidate]:
        """Bring the folder up to date, except for objects that are loaded, and list its files."""
        self._refuse_out_of_reach()
        remotes = self._sync(is_loaded) if self._config.s3 else {}
        return [Candidate(name, self.path / name, remotes.get(name)) for name in self._names()][
            : self._first_files
        ]

    def listing(self, is_loaded: IsLoaded, may_be_twin: Callable[[str], bool]) -> list[Listed]:
        """The same, but nothing is downloaded, and nothing read that its size tells apart.

        A name that may be no twin of another one's content stands for itself.
        """
        self._refuse_out_of_reach()
        if not self._config.s3:
            return self._listed_files(may_be_twin)
        remotes = listed(str(self._config.s3), self.path)
        for remote in filter(is_loaded, remotes):
            self._skip_loaded(remote)
        new = [remote for remote in remotes if not is_loaded(remote)]
        ours = [remote for remote in new if self._is_ours(remote.name)]
        return [Listed(o.name, o.size, o.etag if may_be_twin(o.name) else o.name) for o in ours]

    def _listed_files(self, may_be_twin: Callable[[str], bool]) -> list[Listed]:
        sizes = {name: size_of(self.path / name, name) for name in self._names()}
        files = Counter(sizes.values())
        return [Listed(n, s, self._content(n) if files[s] > 1 and may_be_twin(n) else n)
                for n, s in sizes.items()]  # fmt: skip

    def _content(self, name: str) -> str:
        return fingerprint(self.path / name, name).sha256

    def _names(self) -> list[str]:
        if not self.path.is_dir():
            raise SourceError(
                f"{self._config.path} is not a folder",
                where=f"source {self._config.name}",
                fix="Create it, or correct the source's path (it is relative to the "
                "configuration file).",
            )
        found = sorted(files_below(self.path, self._own), key=lambda file: file.name)
        ours = [file.name for file in found if self._is_ours(file.name) and self._may_read(file)]
        for name in ours:
            self._refuse_unprintable(name)
        return ours

    def _refuse_unprintable(self, name: str) -> None:
        """The ledger could not remember it, nor a report show it."""
        shown = os.fsencode(name).decode(errors="replace")
        if shown != name:
            raise SourceError(
                "the file's name is not UTF-8",
                where=shown,
                fix="Rename it, or leave it out by the source's pattern.",
            )

    def _refuse_out_of_reach(self) -> None:
        if is_out_of_reach(self.path):
            raise SourceError(
                f"{self._config.path} leads to where secrets are kept, or to the system's folders",
                where=f"source {self._config.name}",
                fix="No source may read there; name a folder of data.",
            )

    def _sync(self, is_loaded: IsLoaded) -> dict[str, RemoteObject]:
        """Bring the folder up to date; objects loaded before are not downloaded again."""
        wanted: set[str] = set()

        def unwanted(remote: RemoteObject) -> bool:
            if is_loaded(remote) or not self._matches(remote.name):
                return True
            if self._first_files is not None and len(wanted | {remote.name}) > self._first_files:
                return True
            wanted.add(remote.name)
            return False

        result = sync(str(self._config.s3), self.path, skip=unwanted)
        for remote in filter(is_loaded, result.skipped):
            self._skip_loaded(remote)
        return {remote.name: remote for remote in result.objects}

    def _skip_loaded(self, remote: RemoteObject) -> None:
        if self._is_ours(remote.name) and not (self.path / remote.name).exists():
            self._report.skip(remote.name, "loaded before, not downloaded again")

    def _is_ours(self, name: str) -> bool:
        if not self._matches(name):
            return False
        if reader_for(name) is None:
            self._report.skip(name, "not a .csv, .json or .txt file")
            return False
        return True

    def _may_read(self, file: Found) -> bool:
        if file.entry.is_symlink() and is_out_of_reach(self.path / file.name):
            self._report.skip(file.name, "a link to where no source may read")
            return False
        if not file.is_file:
            self._report.skip(file.name, "a pipe or a device, not a file")  # it might never end
            return False
        return True

    def _matches(self, name: str) -> bool:
        """Whether it is asked for; a pattern is compared from the right, as pathlib does."""
        if self._only is not None and name not in self._only:
            return False
        parts = name.split("/")[::-1]
        enough = len(parts) >= len(self._pattern) > 0
        return enough and all(map(fnmatchcase, parts, self._pattern))
