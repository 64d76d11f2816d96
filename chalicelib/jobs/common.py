"""What all of the service's work begins with: its database, and the configuration of a run."""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from chalicelib import database, history, load, secrets, settings
from chalicelib.config import Config, parse_config
from chalicelib.errors import EltError
from chalicelib.history import configs, leases
from chalicelib.history.records import COUNTS, Outcome, Run
from chalicelib.load.ledger import LoadRecord
from chalicelib.reports import RunResult

HURRY = 3.0
"""Seconds that a request waits for a silent target: API Gateway waits 29 for all of the answer."""


def service() -> Engine:
    """The service database; a process brings its tables up to date when it first needs them."""
    engine = history.connect()
    _migrate_once(engine, settings.service_schema())
    return engine


@lru_cache(maxsize=1)
def _migrate_once(engine: Engine, _schema: str) -> None:
    history.migrate(engine)


def configuration(engine: Engine, run: Run) -> Config:
    """The configuration of a run, with what its references stand for now."""
    assert run.config_version is not None  # noqa: S101 - only skipped runs have none
    return parsed(configs.get(engine, run.config_version))


def parsed(version: configs.Version) -> Config:
    """A stored configuration, with what its references stand for now."""
    return parse_config(version.yaml, os.environ, f"version {version.version}", secrets.lookup)


def settle(engine: Engine) -> None:
    """Say of each run that nobody works on any more what its ledger says: loaded, or not."""
    for lapsed in leases.expired(engine):
        done = loaded(engine, lapsed, hurried=True)
        leases.settle(engine, lapsed.id, done or Outcome("interrupted"))


def loaded(engine: Engine, run: Run, *, hurried: bool = False) -> Outcome | None:
    """What the ledger says of a run that may have loaded its rows already.

    `hurried`: a target that does not answer at once is taken to say nothing.
    """
    try:
        target = configuration(engine, run).target
        asked = database.connect(target, HURRY if hurried else None)
        record = load.recorded(asked, run.id, hurried=hurried)
    except EltError:
        return None  # whoever resumes it asks again
    if record is None:
        return None
    return succeeded(record)


def succeeded(done: RunResult | LoadRecord, report: dict[str, Any] | None = None) -> Outcome:
    """The end of a run, with what it counted."""
    counts = {name: getattr(done, name) for name in COUNTS}
    return Outcome("succeeded", **counts, result=report)


def make_room(config: Config, base: Path, folder: Path) -> None:
    """Delete what was fetched and written: a function that stays warm keeps its disk."""
    if settings.on_lambda():
        fetched = [s.path for s in config.sources if s.type == "local" and s.s3]
        for path in (folder, *(base / path for path in fetched)):
            shutil.rmtree(path, ignore_errors=True)
