"""How PostgreSQL goes about the statements of a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def explain(engine: Engine, call: Callable[[], Any]) -> str:
    """The plans of all statements that the call executes."""
    executed: list[tuple[str, Any]] = []

    def note(*args: Any) -> None:
        executed.append((args[2], args[3]))

    event.listen(engine, "before_cursor_execute", note)
    call()
    event.remove(engine, "before_cursor_execute", note)
    selects = [one for one in executed if one[0].lstrip().startswith("select")]
    with engine.begin() as connection:
        plans = [connection.exec_driver_sql(f"explain {sql}", values) for sql, values in selects]
        return "\n".join(line for plan in plans for line in plan.scalars())
