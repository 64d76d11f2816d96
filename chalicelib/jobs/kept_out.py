"""What runs kept out of the target, as the service shows it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine

from chalicelib import database, load
from chalicelib.disk import writing
from chalicelib.errors import NotFound
from chalicelib.history import configs, runs
from chalicelib.jobs import outputs
from chalicelib.jobs.common import configuration, parsed


def rejects(engine: Engine, which: load.Which, after: int, limit: int) -> list[dict[str, Any]]:
    """A page of what a run kept out. Raises NotFound."""
    target = _target(engine, which.run_id)
    return load.rejects(target, which, after, limit) if target else []


def csv_of(engine: Engine, which: load.Which) -> outputs.Link:
    """Where what a run kept out can be fetched as CSV. Raises NotFound.

    All of it is the run's own file; what is of one column or reason is picked out now, and what
    the parts of a run kept out is put together.
    """
    if which.is_all:
        try:
            return outputs.link(runs.get(engine, which.run_id).id, outputs.REJECTS)
        except NotFound:
            if not rejects(engine, which, 0, 1):
                raise
    return _made_now(_target(engine, which.run_id), which)


def _made_now(target: Engine | None, which: load.Which) -> outputs.Link:
    from chalicelib.quarantine import HEADER, in_lines

    with TemporaryDirectory(prefix="elt-") as folder:
        file = Path(folder) / outputs.REJECTS
        with writing("the CSV of rejects", file, 0), file.open("wb") as lines:
            lines.write(HEADER)
            for page in load.fields_of_rejects(target, which) if target else ():
                lines.write(in_lines(page))
        return outputs.hand_out(file, which.run_id)


def kinds(engine: Engine, run_id: str) -> list[dict[str, Any]]:
    """What a run kept out, counted by column and reason. Raises NotFound."""
    target = _target(engine, run_id)
    return load.kinds(target, run_id) if target else []


def waiting(engine: Engine) -> dict[str, int]:
    """How many rows of each run wait to be mended, in the table of the newest configuration."""
    if (newest := configs.latest(engine)) is None:
        return {}
    target = parsed(newest).target
    return load.waiting(database.connect(target), target.qualified_table)


def _target(engine: Engine, run_id: str) -> Engine | None:
    """Where the run kept rows out; None for one that was skipped, and has no configuration."""
    run = runs.get(engine, run_id)
    return None if run.state == "skipped" else database.connect(configuration(engine, run).target)
