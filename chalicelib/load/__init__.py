"""Load: COPY the rows of a part into the target, in one transaction with the ledger.

An attempt ends what is left of the one before it, looks in the ledger whether that committed, and
only then loads: a lost answer, a killed connection or a restart loses no row and doubles none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.load.attempt import Attempt, Harvest, LoadResult, RunError, Then
from chalicelib.load.copying import CsvRows
from chalicelib.load.fence import Fence, held, take, take_part, withdraw
from chalicelib.load.filling import fill
from chalicelib.load.kept_out import Which, fields_of_rejects, kinds, rejects, waiting
from chalicelib.load.ledger import (
    Part,
    left_behind,
    loaded_into,
    recorded,
    replaced_since,
    state,
)
from chalicelib.load.migrations import migrate
from chalicelib.load.plans import claimed_by_others, keep_plan, plan_of
from chalicelib.load.rejected import in_quarantine, purge_rejects, store_not_loaded
from chalicelib.load.stages import (
    StagedPart,
    discard,
    give_up,
    reports,
    staged,
    staged_bytes,
    staged_now,
    would_round,
)
from chalicelib.load.staging import Aside, StagedRows
from chalicelib.load.table import TableColumn, existing_columns, prepare, preview
from chalicelib.load.types import declaration, fits, scale
from chalicelib.retry import load_retry

__all__ = [
    "Aside", "Fence", "Harvest", "LoadResult", "Part", "StagedPart", "TableColumn", "Then", "Which",
    "claimed_by_others", "declaration", "discard", "existing_columns", "fields_of_rejects",
    "fits", "give_up", "held", "in_quarantine", "keep_plan", "kinds", "left_behind", "load",
    "loaded_into", "migrate", "plan_of", "prepare", "preview", "publish", "purge_rejects",
    "recorded", "rejects", "replaced_since", "reports", "scale", "staged", "staged_bytes", "state",
    "store_not_loaded", "take", "take_part", "waiting", "withdraw", "would_round",
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
    aside: Aside | None = None,
) -> LoadResult:
    """Load a part exactly once, in up to three attempts.

    `rows()` gives the combined CSV (`database.COPY`) from its start, in chunks of about 1 MB, and
    may block while the file grows; `harvest()` is asked when they are exhausted. Whatever these
    two raise comes out as it is, with nothing loaded. `then(connection)` runs when the rows are
    in, and may be run again with a new attempt. With `aside` the rows are not loaded but put
    aside, for `publish`. Raises TargetError, what `then` raises, and Superseded when a newer run
    has taken the fence.
    """

    def bring_in(connection: Connection) -> LoadResult:
        arriving = CsvRows(part, columns, rows, harvest)
        if aside:
            return aside.fill(connection, arriving, harvest)
        return fill(connection, part, arriving, harvest)

    return _once(engine, fence, Attempt(part, bring_in, then), f"loading {part.table}")


def publish(  # noqa: PLR0913
    engine: Engine,
    fence: Fence,
    whole: Part,
    columns: Sequence[TableColumn],
    numbers: Sequence[int],
    harvest: Harvest,
    *,
    then: Then | None = None,
) -> LoadResult:
    """Load what the parts of these numbers put aside, all at once and exactly once.

    `whole` is part 0 of the run, which stands for all of it from then on. `then`, and what is
    raised, as for `load`; TargetError also when parts are missing.
    """

    def bring_in(connection: Connection) -> LoadResult:
        parts = staged_now(connection, whole.run_id, numbers)
        return fill(connection, whole, StagedRows(whole, columns, parts), lambda: harvest)

    return _once(engine, fence, Attempt(whole, bring_in, then), f"publishing {whole.table}")


def _once(engine: Engine, fence: Fence, attempt: Attempt, where: str) -> LoadResult:
    started = time.monotonic()
    retrying = load_retry(was_up=True)
    try:
        with database.translated(where):
            result = retrying(attempt, engine, fence)
    except RunError as error:
        failure = error.failure
    else:
        attempts = retrying.statistics["attempt_number"]
        return replace(result, attempts=attempts, seconds=time.monotonic() - started)
    raise failure
