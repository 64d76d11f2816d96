"""What is known of a source: what earlier runs loaded of it, and what this run reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from chalicelib.batch import Reject


@dataclass(frozen=True)
class LoadedFile:
    """A file as an earlier run recorded it in the target's ledger.

    `name` is relative to the source's folder; `sha256` is of the bytes on disk. `uri` and
    `etag` are set for objects that came from S3. `lineage`: its rows are marked as its own.
    """

    name: str
    sha256: str
    size: int
    uri: str | None = None
    etag: str | None = None
    lineage: bool = False


@dataclass(frozen=True)
class Cursor:
    """How far an API was read: the greatest cursor value, and hashes of the rows loaded at it."""

    value: str
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SourceState:
    """What earlier runs loaded of one source into this target table.

    `left_behind`: of files loaded under names of sources that are in the configuration no more,
    that name by the content's hash.
    """

    files: tuple[LoadedFile, ...] = ()
    cursor: Cursor | None = None
    left_behind: Mapping[str, str] = field(default_factory=dict)


SHOWN_LINES = 5


@dataclass
class Repair:
    """How often something was mended in a file, and on which lines first."""

    count: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Once more, on this line."""
        self.count += 1
        if len(self.lines) < SHOWN_LINES:
            self.lines.append(line)


FileOutcome = Literal["read", "skipped", "failed"]


@dataclass
class FileReport:
    """What became of one file, or of one API. `detail` says why it was skipped or failed.

    `detected` is what the reader found out, `repaired` what it mended, `ignored` the columns that
    strict mode left out.
    """

    name: str
    outcome: FileOutcome = "read"
    rows: int = 0
    quarantined: int = 0
    detail: str = ""
    detected: Mapping[str, str] = field(default_factory=dict)
    repaired: Mapping[str, Repair] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


@dataclass
class SourceReport:
    """What a run read of one source; filled while its batches are consumed.

    `loaded` are files that the ledger is to know, `replaced` those whose earlier rows are to go.
    """

    name: str
    kind: str
    files: dict[str, FileReport] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    loaded: list[LoadedFile] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    cursor: Cursor | None = None

    def file(self, origin: str) -> FileReport:
        """The report of this file, made when it is first asked for."""
        return self.files.setdefault(origin, FileReport(origin))

    def skip(self, origin: str, reason: str) -> None:
        """Report that a file is not read, and why."""
        self.files[origin] = FileReport(origin, "skipped", detail=reason)

    def take_in(self, other: SourceReport) -> None:
        """Add what another part of the run has read of the source."""
        self.files.update(other.files)
        self.warnings += other.warnings
        self.loaded += other.loaded
        self.replaced += other.replaced
        self.cursor = other.cursor or self.cursor

    def of(self, origin: str) -> FileReport:
        """The report that a batch belongs to: its file's, or the API's only one."""
        return self.files.get(origin) or next(iter(self.files.values()))

    @property
    def rows(self) -> int:
        """All rows read."""
        return sum(file.rows for file in self.files.values())

    @property
    def quarantined(self) -> int:
        """Those of them that are kept out of the target."""
        return sum(file.quarantined for file in self.files.values())


def origin(source: str, file: str) -> str:
    """What the lineage column `_source` holds for the rows of a file."""
    return f"{source}/{file}"


@dataclass(frozen=True)
class CheckResult:
    """Whether a check found the table as it should be; `detail` says what it found instead."""

    name: str
    passed: bool
    detail: str = ""


@dataclass
class RunResult:
    """What a run did. `read = inserted + updated + superseded + quarantined`.

    `output` is the combined CSV, None when there was nothing new; `rejects` are the first of the
    quarantined rows with their file, `changes` what was done to the table.
    """

    run_id: str
    table: str
    mode: str
    sources: list[SourceReport]
    inserted: int = 0
    updated: int = 0
    superseded: int = 0
    deleted: int = 0
    quarantined: int = 0
    nulled: int = 0
    rejects: list[tuple[str, Reject]] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    output: Path | None = None

    @property
    def read(self) -> int:
        """Rows of all sources."""
        return sum(source.rows for source in self.sources)
