"""When LocalStack can be used: its services answer, and our scripts in it have run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from chalicelib.errors import EltError
from dev.stack import LOCAL

INSIDE = Path(__file__).parent / "inside"
"""Scripts that LocalStack runs in its own process."""

LOG = LOCAL / "localstack.log"
"""What LocalStack says, and in host mode all that the functions print; of the last time only."""

PATIENCE = 120.0
"""Seconds; it takes three on a quiet machine."""


@dataclass(frozen=True)
class LocalStack:
    """Where it answers, and how the functions in it reach what listens on this machine.

    `machine` is the name they call, `listen` the address at which a server hears them.
    """

    endpoint: str
    machine: str = "127.0.0.1"
    listen: str = "127.0.0.1"


def wait_until_ready(
    endpoint: str, scripts: Sequence[str], exit_code: Callable[[], int | None]
) -> None:
    """Return when all is up. EltError when it ends, a script fails, or it takes too long."""
    deadline = time.monotonic() + PATIENCE
    while exit_code() is None and time.monotonic() < deadline:
        state = _init(endpoint)
        if state and state["completed"]["READY"]:
            _check(state, scripts)
            return
        time.sleep(0.2)
    raise EltError("LocalStack does not start", where=str(LOG), fix="The log tells why.")


def _init(endpoint: str) -> dict[str, Any] | None:
    try:
        answer = requests.get(f"{endpoint}/_localstack/init", timeout=5)
    except requests.RequestException:
        return None
    state: dict[str, Any] | None = answer.json() if answer.ok else None
    return state


def _check(state: dict[str, Any], scripts: Sequence[str]) -> None:
    """LocalStack itself only logs that a script failed, and goes on."""
    ran = {one["name"] for one in state["scripts"] if one["state"] == "SUCCESSFUL"}
    failed = [name for name in scripts if f"{name}.py" not in ran]
    if failed:
        raise EltError(f"{', '.join(failed)}.py failed inside LocalStack", where=str(LOG))
