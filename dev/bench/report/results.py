"""Figures in a file, so that the page that shows them can be made anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from dev.bench.process import Measured

Pair = tuple[Measured, Measured]
"""Ours and the yardstick."""


@dataclass(frozen=True)
class Result:
    """One shape: what was read, when, under which load of the machine, and the pairs.

    `free` on all cores; `alone` with the program on one core and PostgreSQL on the others.
    """

    shape: str
    rows: int
    size: int
    at: str
    load: float
    free: Sequence[Pair]
    alone: Sequence[Pair] = ()


@dataclass(frozen=True)
class PeerResult:
    """One program that loads the file of `orders`; `failure` when it could not.

    `ratio`: its whole process beside `\\copy`; `seconds` that it took. `rows_right`: whether the
    table held the same rows as after `\\copy`. `types`: what it made of each value that is easily
    spoiled, in a table that it made itself.
    """

    name: str
    version: str = ""
    ratio: float = 0.0
    seconds: float = 0.0
    memory: int = 0
    rows_right: bool = False
    types: dict[str, str] = field(default_factory=dict)
    failure: str = ""


@dataclass
class Results:
    """All of one machine with one set of versions; others would not compare."""

    machine: dict[str, str]
    shapes: dict[str, Result] = field(default_factory=dict)
    peers: dict[str, PeerResult] = field(default_factory=dict)


def now() -> str:
    """Date and time to the minute."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def ratio(pairs: Sequence[Pair], figure: str = "run") -> float:
    """The median of ours / yardstick."""
    return median(pair[0][figure] / pair[1][figure] for pair in map(_by_name, pairs))


def ours(pairs: Sequence[Pair], figure: str) -> float:
    """The median of a figure of ours."""
    return median(pair[0][figure] for pair in map(_by_name, pairs))


def yardsticks(pairs: Sequence[Pair], figure: str) -> float:
    """The median of a figure of the yardstick."""
    return median(pair[1][figure] for pair in map(_by_name, pairs))


def _by_name(pair: Pair) -> tuple[dict[str, float], dict[str, float]]:
    return vars(pair[0]), vars(pair[1])


def save(results: Results, file: Path) -> None:
    """Write the figures."""
    text = json.dumps(asdict(results), indent=1, ensure_ascii=False)
    file.write_text(text + "\n")


def read(file: Path) -> Results:
    """What `save` wrote."""
    document: dict[str, Any] = json.loads(file.read_text())
    shapes = {name: _result(kept) for name, kept in document["shapes"].items()}
    peers = {name: PeerResult(**kept) for name, kept in document["peers"].items()}
    return Results(document["machine"], shapes, peers)


def earlier(file: Path, machine: dict[str, str]) -> Results:
    """The figures in the file, if they are of this machine and these versions; else none."""
    if file.exists() and (results := read(file)).machine == machine:
        return results
    return Results(machine)


def _result(kept: dict[str, Any]) -> Result:
    free, alone = _pairs(kept.pop("free")), _pairs(kept.pop("alone"))
    return Result(**kept, free=free, alone=alone)


def _pairs(kept: list[Any]) -> list[Pair]:
    return [(Measured(**ours), Measured(**yardstick)) for ours, yardstick in kept]
