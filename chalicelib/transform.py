"""Transform: the T of ELT. SQL of the user, in the target and in the load's own transaction."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from chalicelib import user_sql
from chalicelib.config import Transform
from chalicelib.progress import Progress


def transform(
    connection: Connection,
    transforms: Sequence[Transform],
    table: str,
    run_id: str,
    progress: Progress,
) -> None:
    """Run them in their order. Raises StatementError, which names the one that failed."""
    if not transforms:
        return
    progress.begin("transform", len(transforms), "transforms")
    with progress.timed("transform"):
        for one in transforms:
            for statement in user_sql.filled(f"transform {one.name!r}", one.sql, table, run_id):
                user_sql.execute(connection, statement)
            progress.advance("transform", 1)
    progress.end("transform")
