"""Load: COPY the rows of a part into the target, in one transaction with the ledger.

An attempt ends what is left of the one before it, looks in the ledger whether that committed, and
only then loads: a lost answer, a killed connection or a restart loses no row and doubles none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Engine

from chalicelib import database
from chalicelib.load.attempt import Attempt, Harvest, LoadResult, RunError, Then
from chalicelib.load.fence import Fence, take, withdraw
from chalicelib.load.kept_out import kinds, rejects, waiting
from chalicelib.load.ledger import (
    Part,
    in_quarantine,
    left_behind,
    loaded_into,
    purge_rejects,
    recorded,
    replaced_since,
    state,
    store_not_loaded,
)
from chalicelib.load.migrations import migrate
from chalicelib.load.table import TableColumn, existing_columns, prepare, preview
from chalicelib.load.types import declaration, scale
from chalicelib.retry import load_retry

__all__ = [
    "Fence", "Harvest", "LoadResult", "Part", "TableColumn", "Then", "declaration",
    "existing_columns", "in_quarantine", "kinds", "left_behind", "load", "loaded_into", "migrate",
    "prepare", "preview", "purge_rejects", "recorded", "rejects", "replaced_since", "scale",
    "state", "store_not_loaded", "take", "waiting", "withdraw",
]  # fmt: skip


def load(  # noqa: PLR0913
    engine: Engine,
    fence: Fence,
    part: Part,
    columns: Sequence[str],
    rows: Callable[[], Iterator[bytes]],
    harvest: Callable[[], Harvest],
    *,
    then: Then | None = None,
) -> LoadResult:
    """Load a part exactly once, in up to three attempts.

    `rows()` gives the combined CSV (`database.COPY`) from its start, in chunks of about 1 MB, and
    may block while the file grows; `harvest()` is asked when they are exhausted. Whatever these
    two raise comes out as it is, with nothing loaded. `then(connection)` runs when the rows are
    in, and may be run again with a new attempt. Raises TargetError, what `then` raises, and
    Superseded when a newer run has taken the fence.
    """
    started = time.monotonic()
    retrying = load_retry(was_up=True)
    attempt = Attempt(part, columns, rows, harvest, then)
    try:
        with database.translated(f"loading {part.table}"):
            result = retrying(attempt, engine, fence)
    except RunError as error:
        failure = error.failure
    else:
        attempts = retrying.statistics["attempt_number"]
        return replace(result, attempts=attempts, seconds=time.monotonic() - started)
    raise failure
