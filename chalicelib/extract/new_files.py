"""Which files of a source are read: each content once, of what no earlier run has loaded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property

from chalicelib.config import LocalSource
from chalicelib.errors import SourceError
from chalicelib.extract.known_files import KnownFiles
from chalicelib.extract.s3_folder import RemoteObject
from chalicelib.reports import LoadedFile, SourceReport, SourceState


class NewFiles:
    """Decides file by file; those that are not read are reported.

    `merges`: rows take the place of those with their keys, whatever file had them.
    """

    def __init__(
        self, config: LocalSource, state: SourceState, report: SourceReport, *, merges: bool
    ) -> None:
        known = state if config.incremental else SourceState()
        self._config = config
        self._report = report
        self._known = KnownFiles(known.files, "merge" if merges else config.on_change)
        self._left_behind = known.left_behind
        self._sizes = {file.size for file in known.files}
        self._first_of_content: dict[str, LoadedFile] = {}

    def chosen(self, files: list[LoadedFile]) -> list[LoadedFile]:
        """Those to read, in the order to read them in. Raises SourceError and ChangedFile."""
        return [file for file in self._known.in_order(files) if self._is_new(file)]

    def left_to_others(
        self, files: Sequence[LoadedFile], claimed: Callable[[str, Collection[str]], set[str]]
    ) -> list[LoadedFile]:
        """The files without what another part of the run reads under another name."""
        if not self._config.incremental:
            return list(files)
        first = {file.sha256 for file in files if not self._known.is_superseding(file)}
        others = claimed(self._config.name, first)
        return [file for file in files if not self._is_of_others(file, others)]

    def may_know(self, size: int) -> bool:
        """Whether a content of so many bytes may be among those that were loaded."""
        return bool(self._left_behind) or size in self._sizes

    def is_twin(self, file: LoadedFile) -> bool:
        """Whether its content was loaded before and stands, which is reported."""
        twin = self._known.twin(file)
        if twin:
            alias = f" as {twin.name}" if twin.name != file.name else ""
            self._report.skip(file.name, f"loaded before{alias}")
            if self._known.is_new_copy(file):
                self._report.loaded.append(file)
        return twin is not None

    def is_loaded(self, remote: RemoteObject) -> bool:
        """Whether an object was loaded before, and stands."""
        return (remote.uri, remote.etag, remote.size) in self._loaded_objects

    def may_be_twin(self, name: str) -> bool:
        """Whether a file is left out when another one has its content."""
        return self._config.incremental and not self._known.may_supersede(name)

    def replaces(self, file: LoadedFile) -> bool:
        """Whether the rows that were loaded under its name are to go."""
        return file.name in self._known.replaced

    def give_up(self, file: LoadedFile) -> None:
        """It cannot be read: the rows that it had stay."""
        self._known.replaced.discard(file.name)

    @cached_property
    def _loaded_objects(self) -> set[tuple[str | None, str | None, int]]:
        return {(file.uri, file.etag, file.size) for file in self._known.standing}

    def _is_new(self, file: LoadedFile) -> bool:
        if self.is_twin(file):
            return False
        if same := self._same_to_read(file):
            self._report.skip(file.name, f"the same content as {same.name}")
            return False
        self._take(file)
        return True

    def _same_to_read(self, file: LoadedFile) -> LoadedFile | None:
        if not self._config.incremental or self._known.is_superseding(file):
            return None
        return self._first_of_content.get(file.sha256)

    def _take(self, file: LoadedFile) -> None:
        self._known.take_change(file, self._config.name)
        self._refuse_lost_name(file)
        if name := self._known.losing(file):
            self._report.warnings.append(
                f"{file.name} holds what {name} held before; its rows are loaded as its own"
            )
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

    def _is_of_others(self, file: LoadedFile, others: Collection[str]) -> bool:
        if file.sha256 not in others or self._known.is_superseding(file):
            return False
        self._report.skip(file.name, "the same content as a file of another part")
        return True
