"""Tables of all shapes: what they are, and what each took."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dev.bench.process import Measured
from dev.bench.report.results import Pair, Result, Results, ours, ratio, yardsticks
from dev.bench.report.targets import cpu_per_100_mb, peak
from dev.bench.shapes import SHAPES

STEPS = """\
Seconds of each step, of the run of the median. Reading, then checking and writing, and COPY go on
at once in three threads, beside PostgreSQL in a process of its own, here on the same cores; with an
inferred schema reading comes first. What takes longest is the limit.
"""

ONE_CORE = """\
The same with our process, or psql, on one core and PostgreSQL on the other: one core is what
Lambda gives at 1,769 MB of memory.
"""

TIMES = ("shape", "in-process", "whole process", "ours, s", "yardstick, s", "rows/s", "yardstick")
YARDSTICKS = {
    "copy": "`\\copy`",
    "copy and upsert": "`\\copy` into a temporary table, `insert … on conflict`",
    "one file": "ours, the same rows in one file",
}


def shapes(results: Results) -> str:
    """What each is, and when it was measured."""
    rows = (
        (
            f"`{result.shape}`",
            SHAPES[result.shape].title,
            f"{result.rows:,}",
            f"{result.size / 1e6:,.0f}",
            str(len(result.free)),
            result.at,
            f"{result.load:.1f}",
        )
        for result in in_order(results)
    )
    return table(("shape", "what it is", "rows", "MB", "pairs", "measured", "load"), rows)


def times(results: Results) -> str:
    """On all cores."""
    rows = (_time(result, result.free) for result in in_order(results))
    return table(TIMES, rows)


def one_core(results: Results) -> str:
    """On one core, where there are several."""
    rows = (_time(result, result.alone) for result in in_order(results) if result.alone)
    return table(TIMES, rows)


def _time(result: Result, pairs: Sequence[Pair]) -> tuple[str, ...]:
    took = ours(pairs, "run")
    return (
        f"`{result.shape}`",
        f"{ratio(pairs):.2f} ×",
        f"{ratio(pairs, 'process'):.2f} ×",
        f"{took:.2f}",
        f"{yardsticks(pairs, 'run'):.2f}",
        f"{result.rows / took:,.0f}",
        YARDSTICKS[SHAPES[result.shape].yardstick],
    )


def steps(results: Results) -> str:
    """What each took, and which of them is the limit; a run of several parts does not tell."""
    rows = (_step(result) for result in in_order(results) if "extract" in _median(result).steps)
    titles = ("what is new", "reading", "checking, writing", "yardstick")
    return table(("shape", "ours, s", *titles, "the limit"), rows)


def _step(result: Result) -> tuple[str, ...]:
    run, yardstick = _median(result), yardsticks(result.free, "run")
    took = run.steps
    by_copy = SHAPES[result.shape].yardstick == "copy"
    busy = {
        "reading": took["extract"],
        "checking, writing": took["validate"] + took["combine"],
        "PostgreSQL" if by_copy else "the yardstick": yardstick,
    }
    shown = (run.run, took["plan"], *busy.values())
    return f"`{result.shape}`", *(f"{s:.2f}" for s in shown), max(busy, key=lambda one: busy[one])


def _median(result: Result) -> Measured:
    runs = sorted((pair[0] for pair in result.free), key=lambda one: one.run)
    return runs[len(runs) // 2]


def memory(results: Results) -> str:
    """Of ours and of the yardstick."""
    rows = (
        (
            f"`{result.shape}`",
            f"{peak(result) / 1e6:.0f}",
            f"{peak(result, 1) / 1e6:.0f}",
            f"{cpu_per_100_mb(result):.2f}",
            f"{cpu_per_100_mb(result, 'process_cpu'):.2f}",
        )
        for result in in_order(results)
    )
    titles = ("ours, MB", "yardstick, MB", "CPU s per 100 MB", "with imports")
    return table(("shape", *titles), rows)


def in_order(results: Results) -> list[Result]:
    """The shapes that were measured, in the order of `SHAPES`."""
    return [results.shapes[name] for name in SHAPES if name in results.shapes]


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
