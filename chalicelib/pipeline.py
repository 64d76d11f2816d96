"""One run: take the table over, see what is new, load it; or load what a run left in quarantine."""

from __future__ import annotations

from pathlib import Path

from chalicelib import load, several
from chalicelib.config import Config
from chalicelib.errors import TargetError
from chalicelib.extract import open_sources
from chalicelib.extract.base import Source
from chalicelib.gather import plan
from chalicelib.part import PartRun
from chalicelib.progress import Progress
from chalicelib.publish import publish
from chalicelib.replay import Corrections, rejected
from chalicelib.reports import RunResult
from chalicelib.several import InTurn, Work
from chalicelib.start import Start, begin, emptied, ended, run_folder


def run(  # noqa: PLR0913
    config: Config,
    base: Path,
    progress: Progress | None = None,
    run_id: str | None = None,
    *,
    full: bool = False,
    cut: several.Cut | None = None,
    work: Work | None = None,
) -> RunResult:
    """Load what is new in the sources into the target, exactly once.

    `full` rebuilds the table: everything is read and takes the place of the old rows, in mode
    merge by their keys. `cut` says when the run has several parts, and `work` who does them: by
    default this process, one after the other. Paths in the configuration are relative to `base`.
    Raises an EltError that says what is wrong; then nothing was loaded.
    """
    start, progress = begin(config, base, run_id, full=full), progress or Progress()
    if cut and (planned := several.plan(start, cut, progress)):
        (work or InTurn()).do(start, planned, progress)
        return publish(start, planned, progress)
    return _load(start, open_sources(start.config, base, start.states()), progress)


def replay(
    config: Config,
    base: Path,
    parent: str,
    corrections: Corrections,
    progress: Progress | None = None,
    run_id: str | None = None,
) -> RunResult:
    """Load the rows that the run `parent` left in quarantine, as the schema is now.

    Rows are added. In mode merge those are left out whose keys somebody wrote since; without
    lineage nobody can tell, so all whose keys are in the table. Raises TargetError for a run that
    loaded another table, and for one whose rows are in the table no more, since a later replace
    took their place.
    """
    start = begin(config, base, run_id, replayed=parent)
    _refuse_misplaced(start, parent)
    return _load(start, [*rejected(start.engine, parent, corrections)], progress or Progress())


def _refuse_misplaced(start: Start, parent: str) -> None:
    """The rejects of a run belong to the rows that it loaded."""
    table = start.part.table
    if (other := load.loaded_into(start.engine, parent)) not in (None, table):
        raise TargetError(
            f"run {parent} loaded {other}, and its rejects belong there",
            where=table,
            fix=f"Replay it under a configuration whose target.table is {other}.",
        )
    if load.replaced_since(start.engine, parent):
        raise TargetError(
            f"the rows of run {parent} were replaced since",
            where=table,
            fix="Only the rejects of the run that replaced them, or of later ones, can be loaded.",
        )


def _load(start: Start, sources: list[Source], progress: Progress) -> RunResult:
    """Load what the sources have, if they have anything."""
    part, config = start.part, start.config
    result = RunResult(part.run_id, part.table, part.mode, [source.report for source in sources])
    empties = part.mode == "replace" and config.target.allow_empty
    if plan(sources, progress) or empties:
        with emptied(folder := run_folder(start.base, part.run_id)):
            PartRun(
                config, part, start.engine, start.fence, sources, folder, progress, result
            ).run()  # fmt: skip
    elif part.mode == "replace":
        result.warnings.append("no rows to load: replace keeps the old ones")
    return ended(result, progress.seconds, () if part.replayed else tuple(config.warnings))
