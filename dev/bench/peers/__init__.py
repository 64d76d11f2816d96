r"""Other loaders on the file of `orders`, in turns with the same `\copy`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from subprocess import CalledProcessError

from chalicelib import __version__
from dev.bench.contest import TABLE, Contest, contest, pipeline_command
from dev.bench.peers import probe
from dev.bench.peers.programs import PEERS, SETTINGS, Peer
from dev.bench.process import measure
from dev.bench.report.results import PeerResult, ratio
from dev.bench.server import Server
from dev.bench.shapes import SHAPES
from dev.bench.shapes.files import write

RIGHT = "bench_right"
Load = Callable[[Path, str], list[str]]
"""The command that loads a CSV file into a table, which it makes if it is not there."""


def compare(rows: int, pairs: int, server: Server, folder: Path) -> Iterator[PeerResult]:
    """This pipeline, then each peer: as soon as it is measured, or found not to work."""
    place = folder / "peers"
    written = write(SHAPES["orders"], rows, place)
    (file,) = written.folder.iterdir()
    made = contest(SHAPES["orders"], written, server, place)
    made.run_yardstick()
    made = _anew_each_time(made)
    judge = _Judge(made, file, probe.write(place / "probe"), pairs)
    yield judge("this pipeline", __version__, _pipeline(place))
    for name, peer in PEERS.items():
        try:
            yield judge(name, peer.version, _peer(peer, server.url, place))
        except CalledProcessError as error:
            yield PeerResult(name, peer.version, failure=_last_line(error.output))


def _anew_each_time(made: Contest) -> Contest:
    """A peer may change the table: each gets it as it was made, and the right rows are kept."""
    made.server.carry_out(f"alter table {TABLE} rename to {RIGHT}")
    anew = (f"drop table if exists {TABLE}", f"create table {TABLE} (like {RIGHT})")
    return replace(made, prepare=anew)


def _pipeline(place: Path) -> Load:
    def load(file: Path, table: str) -> list[str]:
        shape = SHAPES["orders" if table == TABLE else "inferred"]
        return pipeline_command(shape, file.parent, place / f"{table}.yaml", table)

    return load


def _peer(peer: Peer, url: str, home: Path) -> Load:
    installed = peer.install()

    def load(file: Path, table: str) -> list[str]:
        return ["env", f"HOME={home}", *SETTINGS, *peer.command(installed, url, file, table)]

    return load


class _Judge:
    """Lets one program load the file and the probe. Raises CalledProcessError when it fails."""

    def __init__(self, made: Contest, file: Path, probe_file: Path, pairs: int) -> None:
        self._made = made
        self._file = file
        self._probe = probe_file
        self._pairs = pairs

    def __call__(self, name: str, version: str, load: Load) -> PeerResult:
        made = replace(self._made, ours=load(self._file, TABLE))
        made.run_ours()
        right = made.server.hold_the_same(TABLE, RIGHT, SHAPES["orders"].columns)
        measured = [made.run_pair(number) for number in range(self._pairs)]
        return PeerResult(
            name,
            version,
            ratio(measured, "process"),
            median(program.process for program, _ in measured),
            max(program.memory for program, _ in measured),
            right,
            self._types(load),
        )

    def _types(self, load: Load) -> dict[str, str]:
        server = self._made.server
        try:
            measure(load(self._probe, "probe"), server.environment)
            return probe.answers(server, "probe")
        finally:
            server.carry_out("drop table if exists probe")


def _last_line(output: str) -> str:
    r"""What a program said last, without the codes of colours and what a table cannot hold."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output).replace("|", "/").strip()
    return plain.rpartition("\n")[2][:200]
