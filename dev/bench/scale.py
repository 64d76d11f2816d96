"""How far large runs go: what one part and its publication take here, and what follows from that.

`make bench-scale` measures and writes `scale.md` beside this file.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from unittest.mock import patch

import numpy as np
from sqlalchemy import Engine

from chalicelib import load, several
from chalicelib.config import load_config
from chalicelib.parts import Plan
from chalicelib.processes import InProcesses
from chalicelib.progress import Progress
from chalicelib.publish import publish
from chalicelib.several import Cut
from chalicelib.start import Start, begin
from dev.bench.report.cost import of_lambda
from dev.bench.shapes.files import csv_lines
from dev.bench.shapes.tables import ORDERS, orders
from dev.postgres import postgres, program

OUTPUT, TEMPLATE = (Path(__file__).with_name(name) for name in ("scale.md", "scale-template.md"))
PART = 1 << 30
"""Bytes of a part on Lambda: ELT_PART_BYTES."""

TIMES, FILES = 3, 4

INPUTS = {"10 GB": 10e9, "100 GB": 100e9, "1 TB": 1e12}
AT_ONCE = (4, 8, 16, 40)
CORES = 8
"""Of the database server in the model."""

FINISH_SECONDS = 870
"""What the function that publishes has."""

TRANSITION = 0.025 / 1000
"""Dollars for a step of a state machine; a child of a map has one, and its start counts as well."""

CONFIG = """
sources: [{{type: local, path: {folder}, incremental: false}}]
target: {{table: bench}}
schema: {{strict_mode: true, columns: {columns}}}
"""


@dataclass(frozen=True)
class Measured:
    """Bytes a second, but for `connections`, which is of one part, and `seconds` to start one."""

    part: float
    seconds: float
    copy: float
    publish: float
    merge: float
    grown: float
    connections: int


def main() -> None:
    """Measure, write, and say where."""
    parser = argparse.ArgumentParser(prog="python -m dev.bench.scale")
    parser.add_argument("--rows", type=int, default=2_000_000)
    rows, times = parser.parse_args().rows, []
    for _ in range(TIMES):
        with tempfile.TemporaryDirectory(prefix="elt-bench-") as name:
            times.append(_measure(Path(name), rows))
    measured = _best(times)
    OUTPUT.write_text(_document(measured))
    print(f"{measured}\n{OUTPUT} is written")


def _best(times: Sequence[Measured]) -> Measured:
    """Each figure at its best: what else the machine does only makes it worse."""
    seconds = min(one.seconds for one in times)
    rates = {f.name: max(getattr(one, f.name) for one in times) for f in fields(Measured)}
    return Measured(**{**rates, "seconds": seconds})


def _measure(folder: Path, rows: int) -> Measured:
    data = folder / "data"
    data.mkdir()
    each = rows // FILES
    for number in range(FILES):
        fields = orders(np.arange(number * each, (number + 1) * each)).written
        (data / f"{number}.csv").write_bytes(csv_lines(fields, header=True))
    size = sum(file.stat().st_size for file in data.iterdir())
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(folder=data, columns=json.dumps(ORDERS)))
    with postgres(folder / "postgres") as url, patch.dict(os.environ, {"ELT_TARGET_URL": url}):
        started = _started(config)
        part, connections = _aside(*started)
        small = _one_small_part(folder)
        aside = load.staged_bytes(started[0].engine, started[0].part.run_id)
        published = _seconds(lambda: publish(*started, Progress()))
        merged = _merge(started[0].engine)
        copied = _copy(url, data)
    return Measured(
        size / (part - FILES * small), small, size / copied, aside / published,
        aside / merged, aside / size, connections,
    )  # fmt: skip


def _started(config: Path) -> tuple[Start, Plan]:
    start = begin(load_config(config), config.parent)
    plan = several.plan(start, Cut(parts=FILES), Progress())
    assert plan is not None
    return start, plan


def _aside(start: Start, plan: Plan) -> tuple[float, int]:
    """Seconds for all parts, one process after the other; connections of one, ours left out."""
    with _watching(start.engine) as seen:
        seconds = _seconds(lambda: InProcesses(1).do(start, plan, Progress()))
    return seconds, max(seen)


def _one_small_part(folder: Path) -> float:
    """Seconds that a part takes which has nearly nothing to do: its process, and connections."""
    (folder / "small").mkdir()
    for number in range(2):
        (folder / "small" / f"{number}.csv").write_text(f"order_id\n{number}\n")
    config = folder / "small.yaml"
    config.write_text(
        CONFIG.format(folder=folder / "small", columns='{"order_id": integer}').replace(
            "table: bench", "table: small"
        )
    )
    start = begin(load_config(config), folder)
    plan = several.plan(start, Cut(parts=2), Progress())
    assert plan is not None
    seconds = _seconds(lambda: InProcesses(1).do(start, plan, Progress())) / 2
    load.discard(start.engine, start.part.run_id)
    return seconds


def _merge(engine: Engine) -> float:
    """Seconds of an upsert of all rows into themselves, which is what a merge does at the end."""
    with engine.begin() as connection:
        connection.exec_driver_sql("create table keyed (like bench, primary key (order_id))")
        connection.exec_driver_sql("insert into keyed select distinct on (order_id) * from bench")
    upsert = (
        "insert into keyed select distinct on (order_id) * from bench "
        "on conflict (order_id) do update set note = excluded.note"
    )

    def merge() -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(upsert)

    return _seconds(merge)


def _copy(url: str, data: Path) -> float:
    r"""Seconds of `\copy` of all files, one after the other: what one core of the server can do."""
    psql = [str(program("psql")), "--no-psqlrc", "-qd", url, "-c"]
    subprocess.run([*psql, "create table copied (like bench)"], check=True)

    def copy() -> None:
        for file in sorted(data.iterdir()):
            command = f"\\copy copied from '{file}' with (format csv, header)"
            subprocess.run([*psql, command], check=True)

    return _seconds(copy)


@contextmanager
def _watching(engine: Engine) -> Iterator[list[int]]:
    """How many clients the server has besides us, seen ten times a second."""
    seen, over = [0], threading.Event()
    query = "select count(*) from pg_stat_activity where backend_type = 'client backend'"

    def look() -> None:
        with engine.connect() as connection:
            before = connection.exec_driver_sql(query).scalar_one()
            while not over.wait(0.1):
                connection.rollback()
                seen.append(connection.exec_driver_sql(query).scalar_one() - before)

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look)
        yield seen
        over.set()
        looking.result()


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _document(measured: Measured) -> str:
    tables = "\n\n".join(_table(name, size, measured) for name, size in INPUTS.items())
    publishable = FINISH_SECONDS * measured.publish / measured.grown
    return TEMPLATE.read_text().format(
        part=measured.part / 1e6, seconds=measured.seconds, copy=measured.copy / 1e6,
        publish=measured.publish / 1e6, merge=measured.merge / 1e6, grown=measured.grown,
        connections=measured.connections, cores=CORES, wall=CORES * measured.copy / 1e6,
        tables=tables, limit=publishable / 1e9, finish=FINISH_SECONDS,
        merge_limit=FINISH_SECONDS * measured.merge / measured.grown / 1e9,
    )  # fmt: skip


def _table(name: str, size: float, measured: Measured) -> str:
    parts, one = -(-int(size) // PART), measured.seconds + PART / measured.part
    lines = [
        f"### {name}: {parts:,} parts of {one:.0f} s",
        "",
        "| parts at once | all aside | bound by | connections | publishing | cost |",
        "|---|---|---|---|---|---|",
    ]
    wall = size / (CORES * measured.copy)
    for count in AT_ONCE:
        rounds = -(-parts // count) * one
        aside, bound = max(rounds, wall), "functions" if rounds > wall else "the server's COPY"
        publishing = size * measured.grown / measured.publish
        takes = _time(publishing) + ("" if publishing <= FINISH_SECONDS else ": refused")
        # Functions that wait for the server are paid for as well.
        paid = max(parts * one, wall * min(count, parts))
        dollars = parts * (of_lambda(paid / parts, PART / 1e9) + 2 * TRANSITION)
        cells = [
            count,
            _time(aside),
            bound,
            count * measured.connections,
            takes,
            f"${dollars:,.2f}",
        ]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _time(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"


if __name__ == "__main__":
    main()
