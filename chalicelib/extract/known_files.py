"""The files of a source that earlier runs loaded, and which of their contents still stand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property

from chalicelib.errors import ChangedFile
from chalicelib.reports import LoadedFile


class KnownFiles:
    """What the ledger says of a source, beside what is in its folder now.

    `on_change` is the source's, or `merge`. `replaced` are the names whose rows are about to go.
    """

    def __init__(self, files: Sequence[LoadedFile], on_change: str) -> None:
        self.replaced: set[str] = set()
        self._files = files
        self._current = {file.name: file for file in files}  # the latest of each name
        self._on_change = on_change

    @property
    def standing(self) -> Collection[LoadedFile]:
        """All that was loaded, without what another content of its name took the place of."""
        return self._current.values() if self._supersedes else self._files

    def in_order(self, files: list[LoadedFile]) -> list[LoadedFile]:
        """By their names; where rows are to go, first the files whose rows those are."""
        if self._on_change != "replace_rows":
            return files
        return sorted(files, key=lambda file: not self._is_changed(file))

    def twin(self, file: LoadedFile) -> LoadedFile | None:
        """What was loaded with this content, under this name if it was, and still stands."""
        if self.is_superseding(file):
            return None
        twins = self._by_content.get(file.sha256, [])
        kept = [twin for twin in twins if twin.name not in self.replaced]
        return min(kept, key=lambda twin: twin.name != file.name, default=None)

    def is_superseding(self, file: LoadedFile) -> bool:
        """Whether the file's rows take the place of those that it had."""
        return self._supersedes and self._is_changed(file)

    def may_supersede(self, name: str) -> bool:
        """The same of a file whose content is not known yet."""
        return self._supersedes and name in self._current

    def is_new_copy(self, file: LoadedFile) -> bool:
        """Whether the name of a twin must be remembered.

        Or a copy that was here before a correction would be merged after it, and undo it.
        """
        return self._on_change == "merge" and file.name not in self._current

    def losing(self, file: LoadedFile) -> str | None:
        """The name that had this content, whose rows are about to go."""
        names = sorted(self.replaced)
        return next((n for n in names if self._current[n].sha256 == file.sha256), None)

    def take_change(self, file: LoadedFile, source: str) -> None:
        """Note whose rows are to go. ChangedFile when that is not wanted, or not possible."""
        if not self._is_changed(file) or self._on_change in ("append", "merge"):
            return
        if self._on_change == "fail":
            raise ChangedFile(
                "the content is not what was loaded under this name before",
                where=file.name,
                fix=f"Give new data a new name; or set on_change: append on source {source} "
                "to add all of its rows once more, on_change: replace_rows to put them in place "
                "of those it had, or target.mode: replace to load everything afresh.",
            )
        if any(not known.lineage for known in self._files if known.name == file.name):
            raise ChangedFile(
                "its earlier rows cannot be found: they were loaded without target.lineage",
                where=file.name,
                fix="Run once with --full, which loads everything afresh.",
            )
        self.replaced.add(file.name)

    @cached_property
    def _by_content(self) -> dict[str, list[LoadedFile]]:
        found: dict[str, list[LoadedFile]] = {}
        for file in self.standing:
            found.setdefault(file.sha256, []).append(file)
        return found

    @property
    def _supersedes(self) -> bool:
        """Whether the rows of a changed file take the place of those it had."""
        return self._on_change in ("replace_rows", "merge")

    def _is_changed(self, file: LoadedFile) -> bool:
        latest = self._current.get(file.name)
        return latest is not None and latest.sha256 != file.sha256
