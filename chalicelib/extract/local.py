"""Files of a folder, optionally synced from S3, each loaded once by its content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

from chalicelib.batch import Batch
from chalicelib.config import LocalSource
from chalicelib.errors import SourceError
from chalicelib.extract.base import Listing, Surroundings
from chalicelib.extract.fingerprint import Fingerprint, fingerprint, glance
from chalicelib.extract.folder import Candidate, Folder
from chalicelib.extract.new_files import NewFiles
from chalicelib.extract.readers import DELIMITED, reader_for
from chalicelib.extract.readers.input_file import InputFile, precedents
from chalicelib.extract.readers.jointly import read_jointly
from chalicelib.reports import FileReport, LoadedFile, SourceReport, SourceState


class LocalFiles:
    """Reads the files of one `type: local` source, in the order of their names."""

    def __init__(self, config: LocalSource, state: SourceState, around: Surroundings) -> None:
        target, share = around.config.target, around.share
        self.report = SourceReport(config.name, config.type)
        self.pending = False
        self.at_hand = config.on_file_error != "skip"  # which reads a whole file beforehand
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
        self._new = NewFiles(config, state, self.report, merges=target.mode == "merge")
        self._fingerprints: dict[str, Fingerprint] = {}
        self._to_read: list[LoadedFile] = []
        self._precedents = precedents()

    def plan(self) -> int:
        """Sync, list and decide what is new. Returns the bytes to read."""
        candidates = self._folder.candidates(self._new.is_loaded)
        self._refuse_gone([candidate.name for candidate in candidates])
        self._to_read = self._new.chosen([*self._described(candidates)])
        if self._share:
            self._to_read = self._new.left_to_others(self._to_read, self._share.claimed)
        if not self.report.files and not self._to_read:
            self._warn_of_nothing()
        self.pending = bool(self._to_read)
        return sum(file.size for file in self._to_read)

    def listing(self) -> Listing:
        """What there may be to read, found out at little cost.

        It is whole where one file's rows may take the place of another's: both must be seen.
        """
        found = self._folder.listing(self._new.is_loaded, self._new.may_be_twin)
        if not self.report.files and not found:
            self._warn_of_nothing()
        return Listing(self.report, found, whole=self._config.on_change == "replace_rows")

    def batches(self) -> Iterator[Batch]:
        """The rows of every new file."""
        skips = self._config.on_file_error == "skip"
        inputs = map(self._input, self._to_read)
        for file, (source, whole) in zip(
            self._to_read, read_jointly(inputs, self._is_unchanged), strict=True
        ):
            if skips and not self._is_readable(file, whole):
                continue
            yield from self._reported(file, source, [whole] if whole else self._rows(source))

    # planning

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

    def _described(self, candidates: Sequence[Candidate]) -> Iterator[LoadedFile]:
        """The files with their contents, as far as those must be known before they are read."""
        glances = [glance(candidate.path, candidate.name) for candidate in candidates]
        sizes = Counter(seen.size for seen in glances)
        for candidate, seen in zip(candidates, glances, strict=True):
            alone = sizes[seen.size] == 1 and not self._new.may_know(seen.size)
            may_wait = seen.is_read or (alone and not self._share)
            found = seen if may_wait else fingerprint(candidate.path, candidate.name)
            self._fingerprints[candidate.name] = found
            yield self._file(candidate, found)

    def _file(self, candidate: Candidate, found: Fingerprint) -> LoadedFile:
        remote = candidate.remote
        return LoadedFile(
            candidate.name,
            found.sha256,
            found.size,
            uri=remote.uri if remote else None,
            etag=remote.etag if remote else None,
            lineage=self._lineage,
        )

    # reading

    def _is_readable(self, file: LoadedFile, whole: Batch | None) -> bool:
        """Read the file once for nothing: rows that reached the target cannot be taken back."""
        if self._new.is_twin(file):  # of a file that was to lose its rows, and failed
            return False
        try:
            for _ in () if whole else self._rows(self._input(file)):
                pass
        except SourceError as error:
            self.report.files[file.name] = FileReport(file.name, "failed", detail=str(error))
            self.report.warnings.append(f"{error} It is tried again in the next run.")
            self._new.give_up(file)
            return False
        return True

    def _reported(
        self, file: LoadedFile, source: InputFile, batches: Iterable[Batch]
    ) -> Iterator[Batch]:
        entry = self.report.file(file.name)
        entry.detected, entry.repaired = source.detected, source.repaired
        unread = file.size
        for batch in batches:
            entry.rows += batch.rows
            yield batch if batch.size <= unread else replace(batch, size=unread)
            unread -= min(batch.size, unread)
        if not entry.rows:
            self.report.warnings.append(f"{file.name}: no rows")
        self.report.warnings += [f"{file.name}: {warning}" for warning in source.warnings]
        self.report.loaded.append(replace(file, sha256=self._fingerprints[file.name].sha256))
        if self._new.replaces(file):
            self.report.replaced.append(file.name)

    def _rows(self, source: InputFile) -> Iterator[Batch]:
        reader = reader_for(source.name)
        assert reader is not None, source.name  # noqa: S101 - _is_ours let it in
        known = self._fingerprints[source.name]
        yield from reader(source) if known.is_read else self._hashing(source, reader(source))
        known.check(source.path, source.name)

    def _hashing(self, source: InputFile, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches of a large file, which is hashed by another thread meanwhile."""
        stop = Event()
        with ThreadPoolExecutor(1, "hash") as thread:
            hashing = thread.submit(fingerprint, source.path, source.name, stop)
            try:
                yield from batches
                self._fingerprints[source.name] = hashing.result()
            finally:
                stop.set()

    def _is_unchanged(self, source: InputFile) -> bool:
        known = self._fingerprints[source.name]
        return known.is_read and known.is_of(source.path)

    def _input(self, file: LoadedFile) -> InputFile:
        return InputFile(
            self.report.name,
            file.name,
            self._folder.path / file.name,
            self._config.csv,
            self._config.json_,
            self._config.records,
            self._columns,
            precedents=self._precedents if reader_for(file.name) in DELIMITED else precedents(),
        )
