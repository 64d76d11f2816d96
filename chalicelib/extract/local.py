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
from chalicelib.errors import ChangedFile, SourceError
from chalicelib.extract.fingerprint import Fingerprint, fingerprint
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
        self._on_change = "merge" if target.mode == "merge" else config.on_change
        self._known = state.files if config.incremental else ()
        self._current = {known.name: known for known in self._known}  # the latest of each name
        self._left_behind = state.left_behind if config.incremental else {}
        self._hidden = settings.work_folder(base).resolve()
        self._fingerprints: dict[str, Fingerprint] = {}
        self._to_read: list[LoadedFile] = []
        self._replaced: set[str] = set()

    def plan(self) -> int:
        """Sync, list and decide what is new. Returns the bytes to read."""
        files = [self._described(candidate) for candidate in self._candidates()]
        for file in self._in_order(files):
            if twin := self._loaded_twin(file):
                self._skip(file.name, _loaded_as(twin, file))
                self._remember(file)
            elif same := self._same_to_read(file):
                self._skip(file.name, f"the same content as {same.name}")
            else:
                self._refuse_unwanted_change(file)
                self._refuse_lost_name(file)
                self._warn_of_rows_that_go(file)
                self._to_read.append(file)
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
        """Hidden by its name or a folder's, out of reach, or our own output of earlier runs."""
        inside = path.relative_to(self._folder).parts
        ours = self._hidden in path.resolve().parents
        if ours or any(part.startswith(".") for part in inside):
            return True
        return path.is_symlink() and is_out_of_reach(path)

    def _sync(self) -> dict[str, RemoteObject]:
        """Bring the folder up to date; objects loaded before are not downloaded again."""
        known = self._current.values() if self._supersedes else self._known
        loaded = {(file.uri, file.etag, file.size) for file in known}
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
        if path.exists() and not path.is_file():
            self._skip(name, "a pipe or a device, not a file")  # reading it might never end
            return False
        return True

    def _matches(self, name: str) -> bool:
        return PurePosixPath(name).match(self._config.pattern)

    # what is new

    def _in_order(self, files: list[LoadedFile]) -> list[LoadedFile]:
        """By their names; where rows are to go, first the files whose rows those are."""
        if self._on_change != "replace_rows":
            return files
        return sorted(files, key=lambda file: not self._is_changed(file))

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

    def _loaded_twin(self, file: LoadedFile) -> LoadedFile | None:
        """What was loaded with this content, under this name if it was, and still stands."""
        if self._takes_rows_place(file):
            return None
        twins = [k for k in self._known if k.sha256 == file.sha256 and self._stands(k)]
        return min(twins, key=lambda twin: twin.name != file.name, default=None)

    def _same_to_read(self, file: LoadedFile) -> LoadedFile | None:
        if not self._config.incremental or self._takes_rows_place(file):
            return None
        return next((other for other in self._to_read if other.sha256 == file.sha256), None)

    def _takes_rows_place(self, file: LoadedFile) -> bool:
        return self._supersedes and self._is_changed(file)

    def _stands(self, known: LoadedFile) -> bool:
        """Whether no other content of its name took the place of its rows, or is about to."""
        if not self._supersedes:
            return True
        return self._current[known.name] == known and known.name not in self._replaced

    def _remember(self, file: LoadedFile) -> None:
        """Or a copy that was here before a correction would be read after it, and undo it."""
        if self._on_change == "merge" and file.name not in self._current:
            self.report.loaded.append(file)

    def _warn_of_rows_that_go(self, file: LoadedFile) -> None:
        for name in self._replaced:
            if self._current[name].sha256 == file.sha256:
                self.report.warnings.append(
                    f"{file.name} holds what {name} held before; its rows are loaded as its own"
                )

    @property
    def _supersedes(self) -> bool:
        """Whether the rows of a changed file take the place of those it had."""
        return self._on_change in ("replace_rows", "merge")

    def _is_changed(self, file: LoadedFile) -> bool:
        latest = self._current.get(file.name)
        return latest is not None and latest.sha256 != file.sha256

    def _refuse_unwanted_change(self, file: LoadedFile) -> None:
        if not self._is_changed(file) or self._on_change in ("append", "merge"):
            return
        if self._on_change == "fail":
            raise ChangedFile(
                "the content is not what was loaded under this name before",
                where=file.name,
                fix=f"Give new data a new name; or set on_change: append on source "
                f"{self._config.name} to add all of its rows once more, on_change: replace_rows "
                "to put them in place of those it had, or target.mode: replace to load "
                "everything afresh.",
            )
        if any(not k.lineage for k in self._known if k.name == file.name):
            raise ChangedFile(
                "its earlier rows cannot be found: they were loaded without target.lineage",
                where=file.name,
                fix="Run once with --full, which loads everything afresh.",
            )
        self._replaced.add(file.name)

    def _refuse_lost_name(self, file: LoadedFile) -> None:
        if source := self._left_behind.get(file.sha256):
            raise SourceError(
                f"was loaded before under the source name {source!r}, "
                "which is in the configuration no more",
                where=file.name,
                fix=f"Call source {self._config.name!r} {source!r} again; what was loaded is "
                "remembered under that name.",
            )

    def _skip(self, name: str, reason: str) -> None:
        self.report.files[name] = FileReport(name, "skipped", detail=reason)

    # reading

    def _is_readable(self, file: LoadedFile) -> bool:
        """Read the file once for nothing: rows that reached the target cannot be taken back."""
        if twin := self._loaded_twin(file):  # which was to lose its rows, and failed
            self._skip(file.name, _loaded_as(twin, file))
            return False
        try:
            for _ in self._rows(file, self._input(file)):
                pass
        except SourceError as error:
            self.report.files[file.name] = FileReport(file.name, "failed", detail=str(error))
            self.report.warnings.append(f"{error} It is tried again in the next run.")
            self._replaced.discard(file.name)
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
        self.report.loaded.append(file)
        if file.name in self._replaced:
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


def _loaded_as(twin: LoadedFile, file: LoadedFile) -> str:
    return "loaded before" + (f" as {twin.name}" if twin.name != file.name else "")
