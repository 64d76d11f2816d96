"""What is beside the shapes: a second connection, the cost on Lambda, other loaders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dev.bench.report import cost
from dev.bench.report.results import PeerResult, Result, Results, ours, ratio
from dev.bench.report.tables import in_order, table

CONNECTIONS = """\
The same rows in two files, each over a connection of its own at the same time. `parts` are put
aside by two processes of ours and published in one transaction, as a run of several parts does it;
`copies` are two psql straight into the target, the most that two connections could give.
"""

COST = """\
Modelled, not billed: one invocation with the memory that brings one whole core, for as long as the
whole process takes here on one core. AWS's cores are not this machine's, and PostgreSQL is another
machine there. AWS Glue is the least that a Spark job costs, two DPUs for a minute; S3, the network
and the database are the same for both and left out. List prices of us-east-1 without the free tier,
from https://aws.amazon.com/lambda/pricing/ and https://aws.amazon.com/glue/pricing/.
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


def connections(results: Results) -> Iterator[str]:
    """Whether a second one is worth a setting; nothing without the figures."""
    names = ("orders", "parts", "copies")
    if not all(name in results.shapes for name in names):
        return
    one, parts, copies = (ratio(results.shapes[name].free) for name in names)
    yield "## Two connections"
    yield CONNECTIONS
    yield table(
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


def costs(results: Results) -> str:
    """On Lambda, beside Glue."""
    rows = (
        (f"Lambda, `{result.shape}`", *_cost(result))
        for result in in_order(results)
        if result.alone
    )
    glue = ("AWS Glue, at the least", "60 s", f"${cost.of_glue():.5f}", "")
    return table(("", "billed", "a run", "a GB"), (*rows, glue))


def _cost(result: Result) -> tuple[str, str, str]:
    seconds, gigabytes = ours(result.alone, "process"), result.size / 1e9
    dollars = cost.of_lambda(seconds, gigabytes)
    return f"{seconds:.1f} s", f"${dollars:.5f}", f"${dollars / gigabytes:.5f}"


def peers(peers: Sequence[PeerResult]) -> Iterator[str]:
    """Other loaders; nothing where none was compared."""
    if not peers:
        return
    yield "## Peers"
    yield PEERS
    yield table(("", "version", "whole process", "s", "memory, MB", "rows"), map(_peer, peers))
    yield TYPES
    asked = list(dict.fromkeys(question for peer in peers for question in peer.types))
    rows = ((peer.name, *(peer.types.get(one, "–") for one in asked)) for peer in peers)
    yield table(("", *asked), rows)


def _peer(peer: PeerResult) -> tuple[str, ...]:
    if peer.failure:
        return peer.name, peer.version, f"failed: {peer.failure}", "", "", ""
    right = "the same" if peer.rows_right else "**others**"
    memory = f"{peer.memory / 1e6:.0f}"
    return peer.name, peer.version, f"{peer.ratio:.2f} ×", f"{peer.seconds:.1f}", memory, right
