"""The doctor's findings as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from chalicelib.doctor import Check, examine
from dev.aws import service

LOCAL = "local"
"""Not a stage: the process itself, with the environment that it has."""


def doctor(stage: str) -> bool:
    """Print what the stage's doctor function, or this machine, can reach; whether that is all."""
    checks = (
        examine() if stage == LOCAL else [Check(**c) for c in service.invoke(stage, "doctor", {})]
    )
    show(checks)
    return all(check.reached for check in checks)


def show(checks: Sequence[Check], console: Console | None = None) -> None:
    """One line for each, the reason where something cannot be reached."""
    table = Table("", "what", "ms", Column("is", overflow="fold"), show_edge=False)
    for check in checks:
        mark = "[green]reached[/]" if check.reached else "[red]NOT reached[/]"
        table.add_row(mark, *map(escape, (check.what, str(check.milliseconds), check.said)))
    (console or Console()).print(table)
