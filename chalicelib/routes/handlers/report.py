"""The report of a run, as the worker stored it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from chalicelib.reports import FileOutcome


class Stored(BaseModel):
    """Base of what was written down, perhaps by an earlier release: what is unknown is left out."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Repair(Stored):
    """How often something was mended in a file, and on which lines first."""

    count: int = 0
    lines: list[int] = []


class FileReport(Stored):
    """What became of a file, or of an API. `detail` says why it was skipped or failed.

    `detected` is what was found out of how it is written, `ignored` columns that the schema
    leaves out.
    """

    name: str
    outcome: FileOutcome = "read"
    rows: int = 0
    quarantined: int = 0
    detail: str = ""
    detected: dict[str, str] = {}
    repaired: dict[str, Repair] = {}
    ignored: list[str] = []


class SourceReport(Stored):
    """What was read of a source, by the names of its files."""

    name: str
    kind: str
    files: dict[str, FileReport] = {}
    warnings: list[str] = []


class CheckReport(Stored):
    """Whether a check found the table as it should be; `detail` says what it found instead."""

    name: str
    passed: bool
    detail: str = ""


class RunReport(Stored):
    """What a run did. `output`: it wrote a combined CSV. `seconds` by step; steps overlap."""

    table: str
    mode: str
    sources: list[SourceReport] = []
    inserted: int = 0
    updated: int = 0
    superseded: int = 0
    deleted: int = 0
    quarantined: int = 0
    nulled: int = 0
    changes: list[str] = []
    warnings: list[str] = []
    checks: list[CheckReport] = []
    seconds: dict[str, float] = {}
    output: bool = False
