"""`results.md`: what the stored figures say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from dev.bench.report import cost
from dev.bench.report.results import (
    Pair,
    PeerResult,
    Result,
    Results,
    ours,
    ratio,
    read,
    yardsticks,
)
from dev.bench.report.targets import cpu_per_100_mb, peak, verdicts
from dev.bench.shapes import SHAPES

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

ONE_CORE = """\
The same with our process, or psql, on one core and PostgreSQL on the other: one core is what
Lambda gives at 1,769 MB of memory.
"""

COST = """\
Modelled, not billed: one invocation with the memory that brings one whole core, for as long as the
whole process takes here on one core. AWS's cores are not this machine's, and PostgreSQL is another
machine there. AWS Glue is the least that a Spark job costs, two DPUs for a minute; S3, the network
and the database are the same for both and left out. List prices of us-east-1 without the free tier,
from https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/glue/pricing/.
"""

CONNECTIONS = """\
The same rows in two files, each over a connection of its own at the same time. `parts` are put
aside by two processes of ours and published in one transaction, as a run of several parts does it;
`copies` are two psql straight into the target, the most that two connections could give.
"""

PEERS = """\
Other loaders on the file of `orders`, in turns with the same `\\copy`: whole processes, each in an
environment of its own. None of them validates, writes a combined file or keeps a ledger meanwhile.
*Rows* tells whether the table had the same rows as after `\\copy`.
"""

TYPES = """\
And what became of values that are easily spoiled, in a table that each made itself:
"""


WORTH = 1.3
"""How much faster a second connection must make a run to be offered."""


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
        _shapes(results),
        "## Time",
        _times(results),
        "## Memory and CPU",
        _memory(results),
        "## One core",
        ONE_CORE,
        _one_core(results),
        *_connections(results),
        "## Cost",
        COST,
        f"`{cost.FORMULA}`",
        _costs(results),
        *_peers(list(results.peers.values())),
        "## Machine",
        _table(("", ""), results.machine.items()),
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
    return _table(("promise", "limit", "measured", ""), rows)


def _shapes(results: Results) -> str:
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
        for result in _in_order(results)
    )
    return _table(("shape", "what it is", "rows", "MB", "pairs", "measured", "load"), rows)


def _times(results: Results) -> str:
    rows = (_time(result, result.free) for result in _in_order(results))
    return _table(TIMES, rows)


def _one_core(results: Results) -> str:
    rows = (_time(result, result.alone) for result in _in_order(results) if result.alone)
    return _table(TIMES, rows)


TIMES = ("shape", "in-process", "whole process", "ours, s", "yardstick, s", "rows/s", "yardstick")
YARDSTICKS = {
    "copy": "`\\copy`",
    "copy and upsert": "`\\copy` into a temporary table, `insert … on conflict`",
    "one file": "ours, the same rows in one file",
}


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


def _memory(results: Results) -> str:
    rows = (
        (
            f"`{result.shape}`",
            f"{peak(result) / 1e6:.0f}",
            f"{peak(result, 1) / 1e6:.0f}",
            f"{cpu_per_100_mb(result):.2f}",
            f"{cpu_per_100_mb(result, 'process_cpu'):.2f}",
        )
        for result in _in_order(results)
    )
    titles = ("ours, MB", "yardstick, MB", "CPU s per 100 MB", "with imports")
    return _table(("shape", *titles), rows)


def _connections(results: Results) -> Iterator[str]:
    names = ("orders", "parts", "copies")
    if not all(name in results.shapes for name in names):
        return
    one, parts, copies = (ratio(results.shapes[name].free) for name in names)
    yield "## Two connections"
    yield CONNECTIONS
    yield _table(
        ("", "beside one `\\copy`", "faster than ours over one"),
        [
            ("ours, one connection", f"{one:.2f} ×", ""),
            ("ours, two parts", f"{parts:.2f} ×", f"{one / parts:.2f} ×"),
            ("two `\\copy`", f"{copies:.2f} ×", f"{one / copies:.2f} ×"),
        ],
    )
    worth = "is worth a setting" if one / parts >= WORTH else "is not worth a setting"
    yield (
        f"A second connection for each run {worth}: it would have to make a run {WORTH} times as "
        "fast here, where the pipeline and PostgreSQL share the cores. `--parts` and\n"
        "`ELT_PART_BYTES` are there for what one process cannot take."
    )


def _costs(results: Results) -> str:
    rows = (
        (f"Lambda, `{result.shape}`", *_cost(result))
        for result in _in_order(results)
        if result.alone
    )
    glue = ("AWS Glue, at the least", "60 s", f"${cost.of_glue():.5f}", "")
    return _table(("", "billed", "a run", "a GB"), (*rows, glue))


def _cost(result: Result) -> tuple[str, str, str]:
    seconds, gigabytes = ours(result.alone, "process"), result.size / 1e9
    dollars = cost.of_lambda(seconds, gigabytes)
    return f"{seconds:.1f} s", f"${dollars:.5f}", f"${dollars / gigabytes:.5f}"


def _peers(peers: Sequence[PeerResult]) -> Iterator[str]:
    if not peers:
        return
    yield "## Peers"
    yield PEERS
    yield _table(("", "version", "whole process", "s", "memory, MB", "rows"), map(_peer, peers))
    yield TYPES
    asked = list(dict.fromkeys(question for peer in peers for question in peer.types))
    rows = ((peer.name, *(peer.types.get(one, "–") for one in asked)) for peer in peers)
    yield _table(("", *asked), rows)


def _peer(peer: PeerResult) -> tuple[str, ...]:
    if peer.failure:
        return peer.name, peer.version, f"failed: {peer.failure}", "", "", ""
    right = "the same" if peer.rows_right else "**others**"
    memory = f"{peer.memory / 1e6:.0f}"
    return peer.name, peer.version, f"{peer.ratio:.2f} ×", f"{peer.seconds:.1f}", memory, right


def _in_order(results: Results) -> list[Result]:
    return [results.shapes[name] for name in SHAPES if name in results.shapes]


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
