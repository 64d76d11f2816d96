"""How statements reach the service database, and values with them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, CursorResult, Engine

from chalicelib import database, settings

T = TypeVar("T")


def run(engine: Engine, doing: str, work: Callable[[Connection], T]) -> T:
    """`work` in one transaction, again when the connection fails: it must be harmless to repeat.

    Raises TargetError for what remains, located in the service database.
    """
    return database.run(engine, f"service database, {doing}", work)


def execute(connection: Connection, statement: str, **values: Any) -> CursorResult[Any]:
    """Execute; `{elt}` is the service's schema. A NUL or half a character in a text shows as such.

    So an id that nobody can have had is found to be none, rather than refused by the server.
    """
    storable = {k: database.storable(v) if isinstance(v, str) else v for k, v in values.items()}
    return connection.execute(database.sql(statement, settings.service_schema()), storable)


def take_turns(connection: Connection, what: str) -> None:
    """Wait until no other transaction on the same schema that does the same is open."""
    database.take_turns(connection, f"{what} {settings.service_schema()}")


def to_json(value: Any) -> str | None:
    """What `cast(… as jsonb)` takes; None stays NULL."""
    if value is None:
        return None
    written = json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"(\\\\)|\\u0000", lambda match: match[1] or database.VISIBLE_NUL, written)
