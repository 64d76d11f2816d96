"""What is promised, and what was measured of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dev.bench.report.results import Pair, Result, Results, ours, ratio

MEMORY = 260e6
FLAT = 1.10
CPU = 1.5

Figure = Callable[[Result], float]


@dataclass(frozen=True)
class Verdict:
    """A promise, its limit and what was measured; None when it was not."""

    promise: str
    limit: float
    measured: float | None
    unit: str = "×"

    @property
    def met(self) -> bool | None:
        """Whether it is kept; None when nobody knows."""
        return None if self.measured is None else self.measured <= self.limit


def _run(result: Result) -> float:
    return ratio(result.free)


def _process(result: Result) -> float:
    return ratio(result.free, "process")


def cpu_per_100_mb(result: Result, figure: str = "run_cpu") -> float:
    """CPU seconds of our process for 100 MB of what is read."""
    return ours(result.free, figure) / (result.size / 100e6)


def peak(result: Result, which: int = 0) -> int:
    """The highest peak of memory of ours, or of the yardstick (1), in bytes."""
    pairs: list[Pair] = [*result.free, *result.alone]
    return max(pair[which].memory for pair in pairs)


RATIOS: list[tuple[str, float, str, Figure]] = [
    ("1 GB of clean CSV, schema declared, in-process", 1.1, "large", _run),
    ("100 MB of it, whole process with imports", 1.6, "orders", _process),
    ("20 % of values need standardising", 1.6, "messy", _run),
    ("schema inferred", 2.0, "inferred", _run),
    ("NDJSON", 2.5, "ndjson", _run),
    ("JSON array", 4.0, "json", _run),
    ("files of 100 rows, beside the same rows in one file", 2.5, "files", _run),
]
"""Each beside `\\copy` of the same rows, unless it says something else."""


def verdicts(results: Results) -> Iterator[Verdict]:
    """Every promise, in the order in which it is made."""
    for promise, limit, shape, figure in RATIOS:
        result = results.shapes.get(shape)
        yield Verdict(promise, limit, figure(result) if result else None)
    yield Verdict(
        "peak of memory, the highest of all shapes", MEMORY / 1e6, _highest(results), "MB"
    )
    yield Verdict("memory at 4 GB, beside that at 400 MB", FLAT, _flatness(results))
    large = results.shapes.get("large")
    whole = cpu_per_100_mb(large, "process_cpu") if large else None
    yield Verdict("CPU of our process for 100 MB, imports included, at 1 GB", CPU, whole, "s")


def _highest(results: Results) -> float | None:
    return max((peak(result) / 1e6 for result in results.shapes.values()), default=None)


def _flatness(results: Results) -> float | None:
    small, large = results.shapes.get("medium"), results.shapes.get("huge")
    return peak(large) / peak(small) if small and large else None
