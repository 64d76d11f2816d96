"""The plan of a run of several parts, kept with the target for whoever goes on with the run."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, Engine

from chalicelib import database
from chalicelib.load.ledger import Part

KEEP = """
    insert into {elt}.plans (run_id, table_name, plan)
    values (:run_id, :table, cast(:plan as json))
    on conflict (run_id) do update set run_id = excluded.run_id
    returning plan::text
"""

PLAN = "select plan::text from {elt}.plans where run_id = :run_id"

CLAIM = """
    insert into {elt}.claims (run_id, source, sha256, part)
    select run_id, :source, sha256, :number
    from {elt}.plans, unnest(cast(:contents as text[])) as sha256 where run_id = :run_id
    on conflict do nothing
"""
"""Nothing of a run that was given up: the fence says so to its parts."""

CLAIMED_BY_OTHERS = """
    select sha256 from {elt}.claims
    where run_id = :run_id and source = :source and part <> :number and sha256 = any(:contents)
"""


def keep_plan(engine: Engine, run_id: str, table: str, plan: str) -> str:
    """Keep the plan of a run, in JSON, unless it has one: the plan that it has from then on."""

    def keep(connection: Connection) -> str:
        key = {"run_id": run_id, "table": table, "plan": plan}
        return str(connection.execute(database.sql(KEEP), key).scalar_one())

    return database.run(engine, f"keeping the plan of {run_id}", keep)


def plan_of(engine: Engine, run_id: str) -> str | None:
    """The plan of a run, in JSON; None when it has none, or is published."""

    def read(connection: Connection) -> str | None:
        return connection.execute(database.sql(PLAN), {"run_id": run_id}).scalar()

    return database.run(engine, f"reading the plan of {run_id}", read)


def claimed_by_others(
    engine: Engine, part: Part, source: str, contents: Collection[str]
) -> set[str]:
    """Those of the contents, by their hashes, that other parts of the run read; ours are the rest.

    Two parts may find the same content, as its objects do not always tell that it is the same.
    """

    def claim(connection: Connection) -> set[str]:
        key = {"run_id": part.run_id, "number": part.number, "source": source}
        given = {**key, "contents": sorted(contents)}
        connection.execute(database.sql(CLAIM), given)
        return set(connection.execute(database.sql(CLAIMED_BY_OTHERS), given).scalars())

    return database.run(engine, f"choosing what part {part.number} reads", claim)
