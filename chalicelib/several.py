"""A run of several parts: plan them, put each aside, then `publish` them all at once.

Whoever does these steps, one process or many, on one machine or on many, the rows are in the
table once: what is done is known from the ledger alone.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from chalicelib import database, load, log
from chalicelib.aside import PartAside
from chalicelib.config import Config
from chalicelib.errors import TargetError
from chalicelib.extract import listings, open_sources
from chalicelib.extract.base import Share
from chalicelib.gather import plan as find_new
from chalicelib.parts import Plan, PlannedPart, cut
from chalicelib.progress import PartProgress, Progress
from chalicelib.reports import RunResult
from chalicelib.start import Start, emptied, join, run_folder

MOST_PARTS = 1_000
"""The transaction that publishes takes four locks a part; a server has 6,400 as it comes."""


@dataclass(frozen=True)
class Cut:
    """How many bytes one part reads, or in how many parts all is read; and how many `files`."""

    share: int | None = None
    parts: int | None = None
    files: int | None = None

    def share_of(self, size: int) -> int:
        """Bytes of a part of a run with so many."""
        return max(self.share or 0, -(-size // min(self.parts or MOST_PARTS, MOST_PARTS)))


class Work(Protocol):
    """Who puts the parts aside."""

    def do(self, start: Start, plan: Plan, progress: Progress) -> None:
        """All of them. Raises the EltError of a part that cannot be had; others may be aside."""


class InTurn:
    """This process, one part after the other."""

    def do(self, start: Start, plan: Plan, progress: Progress) -> None:
        """In their order."""
        for planned in undone(start, plan):
            put_aside(start, planned, progress)


def plan(start: Start, cut_by: Cut, progress: Progress) -> Plan | None:
    """The parts of a run, as they were planned when it began; None when it has one part only.

    Sources are listed, not downloaded. Raises SourceError.
    """
    run_id, table = start.part.run_id, start.part.table
    with progress.timed("plan"):
        if kept := load.plan_of(start.engine, run_id):
            return _begun(Plan.from_json(kept), progress)
        found = listings(start.config, start.base, start.states())
        files = [file for listing in found for file in listing.files or ()]
        size = sum(file.size for file in files)
        if size <= (cut_by.share or 0) and len(files) <= (cut_by.files or len(files)):
            return None
        parts = tuple(cut(found, cut_by.share_of(size), cut_by.files))
        if len(parts) <= 1:
            return None
        planned = Plan(start.part.mode, start.full, parts, tuple(one.report for one in found))
        planned = Plan.from_json(load.keep_plan(start.engine, run_id, table, planned.to_json()))
    with emptied(run_folder(start.base, run_id)):
        log.event("run planned", run_id=run_id, parts=len(planned.parts), bytes=planned.size)
    return _begun(planned, progress)


def _begun(planned: Plan, progress: Progress) -> Plan:
    progress.begin("extract", planned.size, "bytes")
    for step, unit in (("validate", "rows"), ("combine", "bytes"), ("load", "bytes")):
        progress.begin(step, None, unit)
    return planned


def joined(config: Config, base: Path, run_id: str) -> tuple[Start, Plan]:
    """A run that another process has planned.

    Raises TargetError when there is no such plan, Superseded when the run has lost its table.
    """
    kept = load.plan_of(database.connect(config.target), run_id)
    if kept is None:
        raise TargetError("the run has no plan: it is published, or was given up", where=run_id)
    planned = Plan.from_json(kept)
    return join(config, base, run_id, planned.mode, full=planned.full), planned


def run_part(config: Config, base: Path, run_id: str, number: int, progress: Progress) -> None:
    """Put one part of a run aside unless it is; for whoever was told no more than this of it.

    Raises an EltError: Superseded when the run has lost its table.
    """
    start, plan = joined(config, base, run_id)
    for planned in undone(start, plan):
        if planned.number == number:
            put_aside(start, planned, progress)


def undone(start: Start, plan: Plan) -> list[PlannedPart]:
    """The parts that are not aside, in their order."""
    aside = {part.number for part in load.staged(start.engine, start.part.run_id)}
    return [part for part in plan.parts if part.number not in aside]


def put_aside(start: Start, planned: PlannedPart, progress: Progress) -> Path:
    """Put the rows of one part aside; returns the folder of what it wrote."""
    part = replace(start.part, number=planned.number)
    folder = run_folder(start.base, part.run_id) / f"part-{part.number}"
    shutil.rmtree(folder, ignore_errors=True)
    (objects := folder / "objects").mkdir(parents=True)
    sources = open_sources(
        start.config, start.base, start.states(), share=_share(start, part, planned, objects)
    )
    result = RunResult(part.run_id, part.table, part.mode, [one.report for one in sources])
    inner = PartProgress(progress)
    fence = load.take_part(start.engine, part)
    find_new(sources, inner)
    PartAside(start.config, part, start.engine, fence, sources, folder, inner, result).run()
    shutil.rmtree(objects)
    log.event("part put aside", run_id=part.run_id, part=part.number, rows=result.inserted)
    return folder


def _share(start: Start, part: load.Part, planned: PlannedPart, objects: Path) -> Share:
    def claimed(source: str, contents: Collection[str]) -> set[str]:
        return load.claimed_by_others(start.engine, part, source, contents)

    return Share(planned.names, objects, claimed)
