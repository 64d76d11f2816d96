"""Loading: ours and `psql \\copy` in turns, and their ratio.

Then a merge in which every row is an update, in turns with appending to the same keyed table.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from dev.bench.data import COLUMNS, write_csv
from dev.postgres import postgres, program

CONFIG = """
sources:
  - {{name: bench, type: local, path: {folder}, incremental: false}}
target: {target}
schema:
  strict_mode: true
  columns: {columns}
"""


Target = dict[str, str | list[str]]

APPEND: Target = {"table": "bench_ours"}
KEYED: Target = {"table": "bench_keyed"}
MERGE: Target = {"table": "bench_keyed", "mode": "merge", "primary_key": ["order_id"]}


@dataclass(frozen=True)
class Ours:
    """One run of the pipeline in a process of its own; times in seconds, memory in bytes."""

    process: float
    run: float
    cpu: float
    memory: int


def bench(rows: int, pairs: int) -> None:
    """Generate, alternate, print."""
    with tempfile.TemporaryDirectory(prefix="elt-bench-") as folder:
        _bench(Path(folder), rows, pairs)


def _bench(folder: Path, rows: int, pairs: int) -> None:
    data = folder / "data"
    data.mkdir()
    write_csv(data / "orders.csv", rows)
    size = (data / "orders.csv").stat().st_size
    print(f"{rows:,} rows x {len(COLUMNS)} columns, {size / 1e6:.0f} MB, {pairs} pairs")
    append, keyed, merge = (_config(folder, data, to) for to in (APPEND, KEYED, MERGE))
    with postgres(folder / "postgres") as url:
        _ours(append, url)  # makes the table and warms the page cache for both
        _psql(url, "create table bench_copy (like bench_ours)")
        results = [_pair(append, data / "orders.csv", url) for _ in range(pairs)]
        _report(results, size)
        _psql(url, "create table bench_keyed (like bench_ours, primary key (order_id))")
        merges = [_merge_pair(keyed, merge, url) for _ in range(pairs)]
    print(f"merge / append         {median(merges):.2f}   (all updates; median of pairs)")


def _config(folder: Path, data: Path, target: Target) -> Path:
    path = folder / f"config-{len(list(folder.iterdir()))}.yaml"
    columns, written = json.dumps(COLUMNS), json.dumps(target)
    path.write_text(CONFIG.format(folder=data, target=written, columns=columns))
    return path


def _pair(config: Path, data: Path, url: str) -> tuple[Ours, float]:
    _psql(url, "truncate bench_ours, bench_copy")
    ours = _ours(config, url)
    started = time.perf_counter()
    _psql(url, f"\\copy bench_copy from '{data}' with (format csv, header)")
    copy = time.perf_counter() - started
    print(f"  ours {ours.run:6.2f} s ({ours.process:.2f} s with start)   \\copy {copy:6.2f} s")
    return ours, copy


def _merge_pair(append: Path, merge: Path, url: str) -> float:
    """How many times as long it takes to update all rows of a table as to append them to it."""
    _psql(url, "truncate bench_keyed")
    added = _ours(append, url)
    updated = _ours(merge, url)
    print(f"  append {added.run:6.2f} s   merge {updated.run:6.2f} s")
    return updated.run / added.run


def _ours(config: Path, url: str) -> Ours:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "dev.bench.child", str(config)],
        env=os.environ | {"ELT_TARGET_URL": url},
        stdout=subprocess.PIPE,
        check=True,
    )
    process = time.perf_counter() - started
    return Ours(process, **json.loads(done.stdout.splitlines()[-1]))


def _psql(url: str, command: str) -> None:
    psql = [str(program("psql")), "--no-psqlrc", "-qd", url, "-c", command]
    subprocess.run(psql, check=True)


def _report(results: list[tuple[Ours, float]], size: int) -> None:
    ratio = median(ours.run / copy for ours, copy in results)
    whole = median(ours.process / copy for ours, copy in results)
    memory = max(ours.memory for ours, _ in results)
    cpu = median(ours.cpu for ours, _ in results) / (size / 100e6)
    print(f"run / \\copy            {ratio:.2f}   (median of pairs)")
    print(f"whole process / \\copy  {whole:.2f}   (with imports)")
    print(f"peak memory            {memory / 1e6:.0f} MB")
    print(f"CPU of our process     {cpu:.2f} s per 100 MB")
