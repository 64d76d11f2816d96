"""`results.md`: what the stored figures say."""

from __future__ import annotations

from pathlib import Path

from dev.bench.report import beside, cost, tables
from dev.bench.report.results import Result, Results, ours, ratio, read
from dev.bench.report.tables import table
from dev.bench.report.targets import cpu_per_100_mb, peak, verdicts

FIGURES = Path(__file__).parent.parent / "results.json"
PAGE = FIGURES.with_suffix(".md")
"""Where the figures are kept, and the page beside them."""

ABOUT = """\
# How fast it loads

Made by `make bench` from the figures in `results.json`; not written by hand.

Ours is the whole pipeline: extract, validate, write the combined CSV, COPY, ledger. The yardstick
is `psql \\copy` of the same rows, as PostgreSQL takes them, into the same table: the database's own
limit for one connection. They take turns, each from an empty table and after a checkpoint, and
which of them is first changes too. A ratio is the median of the pairs' ratios. After the first pair
the rows of both are compared: the same count, and the same sum over the hashes of all rows.

*In-process* is the work after the imports, *whole process* is all from its start to its exit.
Memory is the highest resident memory of any run, CPU is of our process alone, not PostgreSQL's.
The load is the machine's average number of busy processes in the five minutes before.
"""


def write(figures: Path = FIGURES) -> Path:
    """Make the page anew, beside the figures."""
    page = figures.with_suffix(".md")
    page.write_text(render(read(figures)))
    return page


def render(results: Results) -> str:
    """The page."""
    sections = [
        ABOUT,
        "## Promised and measured",
        _promises(results),
        "## Shapes",
        tables.shapes(results),
        "## Time",
        tables.times(results),
        "## Where the time goes",
        tables.STEPS,
        tables.steps(results),
        "## Memory and CPU",
        tables.memory(results),
        "## One core",
        tables.ONE_CORE,
        tables.one_core(results),
        *beside.connections(results),
        "## Cost",
        beside.COST,
        f"`{cost.FORMULA}`",
        beside.costs(results),
        *beside.peers(list(results.peers.values())),
        "## Machine",
        table(("", ""), results.machine.items()),
    ]
    return "\n\n".join(section.strip("\n") for section in sections) + "\n"


def summary(result: Result) -> str:
    """A shape in one line, for a terminal."""
    figures = (
        f"{result.rows:,} rows, {result.size / 1e6:,.0f} MB in {ours(result.free, 'run'):.2f} s",
        f"{ratio(result.free):.2f} × in-process",
        f"{ratio(result.free, 'process'):.2f} × whole",
        *([f"{ratio(result.alone):.2f} × on one core"] if result.alone else []),
        f"{peak(result) / 1e6:.0f} MB of memory",
        f"{cpu_per_100_mb(result):.2f} CPU s per 100 MB",
    )
    return f"{result.shape:9}{'; '.join(figures)}"


def _promises(results: Results) -> str:
    kept = {True: "met", False: "**not met**", None: "not measured"}
    rows = (
        (
            verdict.promise,
            f"≤ {verdict.limit:g} {verdict.unit}",
            "–" if verdict.measured is None else f"{verdict.measured:.3g} {verdict.unit}",
            kept[verdict.met],
        )
        for verdict in verdicts(results)
    )
    return table(("promise", "limit", "measured", ""), rows)
