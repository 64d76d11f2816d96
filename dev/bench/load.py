"""A shape loaded by ours and by its yardstick in turns: on all cores, then on one core each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from dev.bench.contest import TABLE, Contest, contest
from dev.bench.report.results import Pair, Result, now
from dev.bench.server import Server
from dev.bench.shapes import SHAPES
from dev.bench.shapes.files import write


def measure(name: str, rows: int, pairs: int, server: Server, folder: Path) -> Result:
    """Generate, measure, compare the rows after the first pair, and leave nothing behind.

    `rows` are those of `orders`; other shapes have their share. AssertionError when the pipeline
    did not load the rows that it should.
    """
    shape, place = SHAPES[name], folder / name
    try:
        written = write(shape, max(1, round(rows * shape.share)), place)
        made = contest(shape, written, server, place)
        numbers = range(min(pairs, shape.pairs))
        load = os.getloadavg()[1]
        free = [made.compare(written.loaded), *map(made.run_pair, numbers[1:])]
        alone = _alone(made, numbers)
    finally:
        shutil.rmtree(place, ignore_errors=True)
        server.carry_out(f"drop table if exists {TABLE}", "checkpoint")
    return Result(name, written.rows, written.size, now(), load, free, alone)


def _alone(made: Contest, numbers: Sequence[int]) -> list[Pair]:
    """The program on the first core, PostgreSQL on the others; nothing where there is but one."""
    first, *others = sorted(os.sched_getaffinity(0))
    if not others:
        return []
    with made.server.confined(others):
        return [made.run_pair(number, {first}) for number in numbers]
