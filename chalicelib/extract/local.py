"""Files of a folder, optionally synced from S3, each loaded once by its content."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import NoReturn

from chalicelib import settings
from chalicelib.batch import Batch
from chalicelib.config import Column, LocalSource, Target
from chalicelib.errors import SourceError
from chalicelib.extract.fingerprint import Fingerprint, fingerprint
from chalicelib.extract.known_files import KnownFiles
from chalicelib.extract.reach import is_out_of_reach
from chalicelib.extract.readers import reader_for
from chalicelib.extract.readers.input_file import InputFile
from chalicelib.extract.s3_folder import RemoteObject, sync
from chalicelib.reports import FileReport, LoadedFile, SourceReport, SourceState


@dataclass(frozen=True)
class _Candidate:
    """A file of the folder and, when it came from S3, its object."""

    name: str
    path: Path
    remote: RemoteObject | None = None


class LocalFiles:
    """Reads the files of one `type: local` source, in the order of their names."""

    def __init__(
        self,
        config: LocalSource,
        state: SourceState,
        base: Path,
        columns: Mapping[str, Column],
        target: Target,
        first_files: int | None = None,
    ) -> None:
        self.report = SourceReport(config.name, config.type)
        self.pending = False
        self._config = config
        self._folder = base / config.path
        self._columns = columns
        self._first_files = first_files
        self._lineage = target.lineage
        self._known = KnownFiles(
            state.files if config.incremental else (),
            "merge" if target.mode == "merge" else config.on_change,
        )
        self._left_behind = state.left_behind if config.incremental else {}
        self._hidden = settings.work_folder(base).resolve()
        self._fingerprints: dict[str, Fingerprint] = {}
        self._to_read: list[LoadedFile] = []

    def plan(self) -> int:
        """Sync, list and decide what is new. Returns the bytes to read."""
        files = [self._described(candidate) for candidate in self._candidates()]
        for file in self._known.in_order(files):
            if twin := self._known.twin(file):
                self._skip_twin(file, twin)
            elif same := self._same_to_read(file):
                self._skip(file.name, f"the same content as {same.name}")
            else:
                self._take(file)
        if not self.report.files and not self._to_read:
            self.report.warnings.append(
                f"source {self._config.name}: no file matches {self._config.pattern} "
                f"in {self._config.path}"
            )
        self.pending = bool(self._to_read)
        return sum(file.size for file in self._to_read)

    def batches(self) -> Iterator[Batch]:
        """The rows of every new file."""
        for file in self._to_read:
            if self._config.on_file_error == "skip" and not self._is_readable(file):
                continue
            yield from self._read(file)

    # what there is

    def _candidates(self) -> list[_Candidate]:
        self._refuse_out_of_reach()
        remotes = self._sync() if self._config.s3 else {}
        if not self._folder.is_dir():
            raise SourceError(
                f"{self._config.path} is not a folder",
                where=f"source {self._config.name}",
                fix="Create it, or correct the source's path (it is relative to the "
                "configuration file).",
            )
        names = sorted(
            path.relative_to(self._folder).as_posix()
            for path in self._walk()
            if not self._is_hidden(path)
        )
        found = [_Candidate(name, self._folder / name, remotes.get(name)) for name in names]
        return [file for file in found if self._is_ours(file.name)][: self._first_files]

    def _refuse_out_of_reach(self) -> None:
        if is_out_of_reach(self._folder):
            raise SourceError(
                f"{self._config.path} leads to where secrets are kept, or to the system's folders",
                where=f"source {self._config.name}",
                fix="No source may read there; name a folder of data.",
            )

    def _walk(self) -> Iterator[Path]:
        """All files, links among them; a folder that may not be read is no empty one."""

        def refuse(error: OSError) -> NoReturn:
            raise SourceError(
                f"the folder cannot be read: {error.strerror}",
                where=str(error.filename),
                fix="Check its permissions.",
            )

        for folder, below, names in os.walk(self._folder, onerror=refuse, followlinks=True):
            below[:] = [name for name in below if not is_out_of_reach(Path(folder) / name)]
            yield from (Path(folder) / name for name in names)

    def _is_hidden(self, path: Path) -> bool:
        """Hidden by its name or a folder's, or our own output of earlier runs."""
        inside = path.relative_to(self._folder).parts
        ours = self._hidden in path.resolve().parents
        return ours or any(part.startswith(".") for part in inside)

    def _sync(self) -> dict[str, RemoteObject]:
        """Bring the folder up to date; objects loaded before are not downloaded again."""
        loaded = {(file.uri, file.etag, file.size) for file in self._known.standing}
        wanted: set[str] = set()

        def is_loaded(remote: RemoteObject) -> bool:
            return (remote.uri, remote.etag, remote.size) in loaded

        def unwanted(remote: RemoteObject) -> bool:
            if is_loaded(remote) or not self._matches(remote.name):
                return True
            if self._first_files is not None and len(wanted | {remote.name}) > self._first_files:
                return True
            wanted.add(remote.name)
            return False

        result = sync(str(self._config.s3), self._folder, skip=unwanted)
        for remote in filter(is_loaded, result.skipped):
            if self._is_ours(remote.name) and not (self._folder / remote.name).exists():
                self._skip(remote.name, "loaded before, not downloaded again")
        return {remote.name: remote for remote in result.objects}

    def _is_ours(self, name: str) -> bool:
        if not self._matches(name):
            return False
        if reader_for(name) is None:
            self._skip(name, "not a .csv, .json or .txt file")
            return False
        path = self._folder / name
        if path.is_symlink() and is_out_of_reach(path):
            self._skip(name, "a link to where no source may read")
            return False
        if path.exists() and not path.is_file():
            self._skip(name, "a pipe or a device, not a file")  # reading it might never end
            return False
        return True

    def _matches(self, name: str) -> bool:
        return PurePosixPath(name).match(self._config.pattern)

    # what is new

    def _described(self, candidate: _Candidate) -> LoadedFile:
        found = fingerprint(candidate.path, candidate.name)
        self._fingerprints[candidate.name] = found
        remote = candidate.remote
        return LoadedFile(
            candidate.name,
            found.sha256,
            found.size,
            uri=remote.uri if remote else None,
            etag=remote.etag if remote else None,
            lineage=self._lineage,
        )

    def _same_to_read(self, file: LoadedFile) -> LoadedFile | None:
        if not self._config.incremental or self._known.is_superseding(file):
            return None
        return next((other for other in self._to_read if other.sha256 == file.sha256), None)

    def _take(self, file: LoadedFile) -> None:
        self._known.take_change(file, self._config.name)
        self._refuse_lost_name(file)
        if name := self._known.losing(file):
            self.report.warnings.append(
                f"{file.name} holds what {name} held before; its rows are loaded as its own"
            )
        self._to_read.append(file)

    def _refuse_lost_name(self, file: LoadedFile) -> None:
        if source := self._left_behind.get(file.sha256):
            raise SourceError(
                f"was loaded before under the source name {source!r}, "
                "which is in the configuration no more",
                where=file.name,
                fix=f"Call source {self._config.name!r} {source!r} again; what was loaded is "
                "remembered under that name.",
            )

    def _skip_twin(self, file: LoadedFile, twin: LoadedFile) -> None:
        alias = f" as {twin.name}" if twin.name != file.name else ""
        self._skip(file.name, f"loaded before{alias}")
        if self._known.is_new_copy(file):
            self.report.loaded.append(file)

    def _skip(self, name: str, reason: str) -> None:
        self.report.files[name] = FileReport(name, "skipped", detail=reason)

    # reading

    def _is_readable(self, file: LoadedFile) -> bool:
        """Read the file once for nothing: rows that reached the target cannot be taken back."""
        if twin := self._known.twin(file):  # which was to lose its rows, and failed
            self._skip_twin(file, twin)
            return False
        try:
            for _ in self._rows(file, self._input(file)):
                pass
        except SourceError as error:
            self.report.files[file.name] = FileReport(file.name, "failed", detail=str(error))
            self.report.warnings.append(f"{error} It is tried again in the next run.")
            self._known.replaced.discard(file.name)
            return False
        return True

    def _read(self, file: LoadedFile) -> Iterator[Batch]:
        entry = self.report.file(file.name)
        source = self._input(file)
        entry.detected, entry.repaired = source.detected, source.repaired
        unread = file.size
        for batch in self._rows(file, source):
            entry.rows += batch.rows
            size = min(batch.size, unread)
            unread -= size
            yield replace(batch, size=size)
        if not entry.rows:
            self.report.warnings.append(f"{file.name}: no rows")
        self.report.warnings += [f"{file.name}: {warning}" for warning in source.warnings]
        self.report.loaded.append(file)
        if file.name in self._known.replaced:
            self.report.replaced.append(file.name)

    def _rows(self, file: LoadedFile, source: InputFile) -> Iterator[Batch]:
        reader = reader_for(file.name)
        assert reader is not None, file.name  # noqa: S101 - _is_ours let it in
        yield from reader(source)
        self._fingerprints[file.name].check(source.path, file.name)

    def _input(self, file: LoadedFile) -> InputFile:
        return InputFile(
            self.report.name,
            file.name,
            self._folder / file.name,
            self._config.csv,
            self._config.json_,
            self._config.records,
            self._columns,
        )
