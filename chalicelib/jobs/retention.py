"""Delete what has been kept for long enough."""

from __future__ import annotations

from sqlalchemy import Engine

from chalicelib import database, load, log
from chalicelib.errors import EltError
from chalicelib.history import configs, runs
from chalicelib.jobs.common import parsed


def purge(engine: Engine) -> None:
    """Delete old runs and rejects as the newest configuration says, if there is one.

    What fails is logged and left for the next time: no run should wait for it.
    """
    if (newest := configs.latest(engine)) is None:
        return
    try:
        config = parsed(newest)
        old_runs = runs.purge(engine, config.retention.runs)
        target = database.connect(config.target)
        old_rejects = load.purge_rejects(
            target, config.target.qualified_table, config.retention.rejects
        )
    except EltError as error:
        log.LOGGER.warning("nothing old was deleted: %s", error)
    else:
        log.event("old records deleted", runs=old_runs, rejects=old_rejects)
