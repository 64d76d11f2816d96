"""Previews: asked for, made, and forgotten after a day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row

from chalicelib.errors import NotFound
from chalicelib.history.records import Failure
from chalicelib.history.statements import execute, run, to_json

PreviewState = Literal["queued", "succeeded", "failed"]

PATIENCE = 120
"""Seconds after which a preview that nobody has finished counts as failed."""

PREVIEW = "id, yaml, actor, state, result, error, created_at, finished_at"

ASK = "insert into {elt}.previews (id, yaml, actor) values (:id, :yaml, :actor)"

FORGET = "delete from {elt}.previews where created_at < now() - interval '1 day'"

GET = f"""
    select {PREVIEW},
        state = 'queued' and created_at < now() - make_interval(secs => {PATIENCE}) as lapsed
    from {{elt}}.previews where id = :id
"""

FINISH = """
    update {elt}.previews
    set state = :state, result = cast(:result as json), error = cast(:error as jsonb),
        finished_at = now()
    where id = :id
"""

LAPSED = Failure(
    "interrupted", "nobody finished it", fix="Ask again; if it stays, look at the job's log."
)


@dataclass(frozen=True)
class Preview:
    """A look at the sources of a configuration. `yaml` holds references, never secrets."""

    id: str
    yaml: str
    actor: str
    state: PreviewState
    result: list[dict[str, Any]] | None
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None


def ask(engine: Engine, preview_id: str, yaml: str, actor: str) -> Preview:
    """Remember what somebody wants to see. Those of yesterday are forgotten."""

    def work(connection: Connection) -> Preview:
        execute(connection, FORGET)
        execute(connection, ASK, id=preview_id, yaml=yaml, actor=actor)
        return _preview(execute(connection, GET, id=preview_id).one())

    return run(engine, f"asking for the preview {preview_id}", work)


def get(engine: Engine, preview_id: str) -> Preview:
    """The preview. Raises NotFound."""

    def work(connection: Connection) -> Preview:
        if row := execute(connection, GET, id=preview_id).one_or_none():
            return _preview(row)
        raise NotFound(
            f"there is no preview {preview_id}", fix="They are kept for a day; ask for a new one."
        )

    return run(engine, f"reading the preview {preview_id}", work)


def finish(engine: Engine, preview_id: str, result: Any, error: Failure | None = None) -> None:
    """Store what was seen, or why nothing was."""
    values = {
        "id": preview_id,
        "state": "failed" if error else "succeeded",
        "result": to_json(result),
        "error": to_json(asdict(error)) if error else None,
    }
    run(
        engine,
        f"finishing the preview {preview_id}",
        lambda connection: execute(connection, FINISH, **values).rowcount,
    )


def _preview(row: Row[Any]) -> Preview:
    values = dict(row._mapping)
    error = values.pop("error")
    if values.pop("lapsed"):
        return Preview(**{**values, "state": "failed"}, error=LAPSED)
    return Preview(**values, error=Failure(**error) if error else None)
