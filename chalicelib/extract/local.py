"""Files of a folder, optionally synced from S3, each loaded once by its content."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cached_property

from chalicelib.batch import Batch
from chalicelib.config import LocalSource
from chalicelib.errors import SourceError
from chalicelib.extract.base import Listing, Surroundings
from chalicelib.extract.fingerprint import Fingerprint, fingerprint
from chalicelib.extract.folder import Candidate, Folder
from chalicelib.extract.known_files import KnownFiles
from chalicelib.extract.readers import reader_for
from chalicelib.extract.readers.input_file import InputFile, precedents
from chalicelib.extract.s3_folder import RemoteObject
from chalicelib.reports import FileReport, LoadedFile, SourceReport, SourceState


class LocalFiles:
    """Reads the files of one `type: local` source, in the order of their names."""

    def __init__(self, config: LocalSource, state: SourceState, around: Surroundings) -> None:
        target, share = around.config.target, around.share
        self.report = SourceReport(config.name, config.type)
        self.pending = False
        self._config = config
        self._columns = around.config.declared
        self._share = share
        self._folder = Folder(
            config,
            around.base,
            self.report,
            path=share.folder_of(config.name) if share and config.s3 else None,
            only=share.names[config.name] if share else None,
            first_files=around.first_files,
        )
        self._lineage = target.lineage
        self._known = KnownFiles(
            state.files if config.incremental else (),
            "merge" if target.mode == "merge" else config.on_change,
        )
        self._left_behind = state.left_behind if config.incremental else {}
        self._fingerprints: dict[str, Fingerprint] = {}
        self._to_read: list[LoadedFile] = []
        self._first_of_content: dict[str, LoadedFile] = {}
        self._precedents = precedents()

    def plan(self) -> int:
        """Sync, list and decide what is new. Returns the bytes to read."""
        candidates = self._folder.candidates(self._is_loaded)
        self._refuse_gone([candidate.name for candidate in candidates])
        files = [self._described(candidate) for candidate in candidates]
        for file in self._known.in_order(files):
            if twin := self._known.twin(file):
                self._skip_twin(file, twin)
            elif same := self._same_to_read(file):
                self._skip(file.name, f"the same content as {same.name}")
            else:
                self._take(file)
        self._leave_to_others()
        if not self.report.files and not self._to_read:
            self._warn_of_nothing()
        self.pending = bool(self._to_read)
        return sum(file.size for file in self._to_read)

    def listing(self) -> Listing:
        """What there may be to read, found out at little cost.

        It is whole where one file's rows may take the place of another's: both must be seen.
        """
        found = self._folder.listing(self._is_loaded, self._may_be_twin)
        if not self.report.files and not found:
            self._warn_of_nothing()
        return Listing(self.report, found, whole=self._config.on_change == "replace_rows")

    def batches(self) -> Iterator[Batch]:
        """The rows of every new file."""
        for file in self._to_read:
            if self._config.on_file_error == "skip" and not self._is_readable(file):
                continue
            yield from self._read(file)

    # what is new

    def _is_loaded(self, remote: RemoteObject) -> bool:
        return (remote.uri, remote.etag, remote.size) in self._loaded_objects

    @cached_property
    def _loaded_objects(self) -> set[tuple[str | None, str | None, int]]:
        return {(file.uri, file.etag, file.size) for file in self._known.standing}

    def _may_be_twin(self, name: str) -> bool:
        """Whether a file is left out when another one has its content."""
        return self._config.incremental and not self._known.may_supersede(name)

    def _warn_of_nothing(self) -> None:
        self.report.warnings.append(
            f"source {self._config.name}: no file matches {self._config.pattern} "
            f"in {self._config.s3 or self._config.path}"
        )

    def _refuse_gone(self, found: Collection[str]) -> None:
        """A part of a run reads what was planned, or fails."""
        planned = self._share.names[self._config.name] if self._share else None
        if gone := sorted({*(planned or ())} - {*found, *self.report.files}):
            raise SourceError(
                "is gone since the run was planned",
                where=gone[0],
                fix="Put it back and resume the run, or start a new one.",
            )

    def _leave_to_others(self) -> None:
        """What another part of the run reads under another name is not read twice."""
        if not self._share or not self._config.incremental:
            return
        first = [file for file in self._to_read if not self._known.is_superseding(file)]
        others = self._share.claimed(self._config.name, {file.sha256 for file in first})
        for file in first:
            if file.sha256 in others:
                self._to_read.remove(file)
                self._skip(file.name, "the same content as a file of another part")

    def _described(self, candidate: Candidate) -> LoadedFile:
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
        return self._first_of_content.get(file.sha256)

    def _take(self, file: LoadedFile) -> None:
        self._known.take_change(file, self._config.name)
        self._refuse_lost_name(file)
        if name := self._known.losing(file):
            self.report.warnings.append(
                f"{file.name} holds what {name} held before; its rows are loaded as its own"
            )
        self._to_read.append(file)
        self._first_of_content.setdefault(file.sha256, file)

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
            self._folder.path / file.name,
            self._config.csv,
            self._config.json_,
            self._config.records,
            self._columns,
            precedents=self._precedents,
        )
