"""The end of a run of several parts: what they put aside comes into the target, all at once."""

from __future__ import annotations

import json
from collections.abc import Sequence, Set
from pathlib import Path

from chalicelib import load
from chalicelib.destination import Destination, note
from chalicelib.errors import TargetError
from chalicelib.parts import PartReport, Plan
from chalicelib.progress import Progress
from chalicelib.reports import RunResult, SourceReport
from chalicelib.schema import TableSchema
from chalicelib.schema.infer import Evidence
from chalicelib.schema.validate import SHOWN
from chalicelib.start import OUTPUT, Start, ended, run_folder


def publish(start: Start, planned: Plan, progress: Progress) -> RunResult:
    """Publish what the parts put aside. TargetError when parts are missing, by their names."""
    part, config = start.part, start.config
    staged = load.staged(start.engine, part.run_id)
    _refuse_missing(planned, {done.number for done in staged})
    told = [PartReport.from_json(text) for text in load.reports(start.engine, part.run_id)]
    result = RunResult(part.run_id, part.table, part.mode, _together(planned, told))
    destination = Destination(config, part, start.engine, progress)
    columns = destination.columns(_schema(destination, told, result.read))
    result.changes += destination.prepare(columns)
    columns = destination.as_kept(columns)
    quarantined = sum(done.quarantined for done in staged)
    harvest = load.Harvest(
        result.read - quarantined, result.sources, None, quarantined, config.target.allow_empty
    )
    with progress.timed("load"):
        loaded = load.publish(
            start.engine, start.fence, part, columns, planned.numbers, harvest,
            then=destination.transform_and_check,
        )  # fmt: skip
    note(result, loaded, part.key)
    result.nulled = sum(one.nulled for one in told)
    result.rejects = [reject for one in told for reject in one.rejects][:SHOWN]
    result.output = _output(start, staged)
    return ended(result, progress.seconds, tuple(config.warnings))


def _refuse_missing(planned: Plan, there: set[int]) -> None:
    missing = [part for part in planned.parts if part.number not in there]
    if missing:
        raise TargetError(
            f"of {len(planned.parts)} parts {len(missing)} are missing, the first is part "
            f"{missing[0].number} ({missing[0]}); nothing was published",
            fix="Resume the run: the other parts are not read again.",
        )


def _together(planned: Plan, told: Sequence[PartReport]) -> list[SourceReport]:
    reports = {report.name: report for report in planned.reports}
    for one in told:
        for report in one.sources:
            reports[report.name].take_in(report)
    return list(reports.values())


def _schema(destination: Destination, told: Sequence[PartReport], rows: int) -> TableSchema:
    """The columns of the target; those that nobody declared as all parts together allow it."""
    config = destination.config
    if config.strict:
        return destination.fitted(TableSchema(config.declared), rows)
    evidence = Evidence(config.declared, config.target.primary_key)
    for one in told:
        evidence.take_in(one.possible, one.valued)
    inferred = evidence.schema()
    fitting = destination.fitted(inferred, rows, evidence.without_value())
    limited = [n for n in inferred.names if fitting.columns[n] != inferred.columns[n]]
    _refuse_rounding(destination, set(limited) - evidence.without_value() - config.declared.keys())
    return fitting


def _refuse_rounding(destination: Destination, names: Set[str]) -> None:
    """Who read the parts did not know that these are numbers, of which the table limits digits."""
    existing = destination.existing()
    for name in sorted(names):
        if load.would_round(destination.engine, destination.part.run_id, name, existing[name]):
            raise TargetError(
                f"column {name} is {existing[name]}, which does not keep all digits of the "
                "numbers; nothing was published",
                where=destination.part.table,
                fix=f"Declare {name} in schema.columns, so that such rows are quarantined, and "
                "run again.",
            )


def _output(start: Start, staged: Sequence[load.StagedPart]) -> Path:
    """The list of the parts' combined CSVs, in order; each lies where its part was made."""
    folder = run_folder(start.base, start.part.run_id)
    folder.mkdir(parents=True, exist_ok=True)
    files = [{"file": f"part-{one.number}/combined.csv", "rows": one.rows} for one in staged]
    (folder / OUTPUT).write_text(json.dumps({"parts": files}, indent=2) + "\n")
    return folder / OUTPUT
