"""Ours and its yardstick: two programs that load the same rows into the same table."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.bench.process import Measured, measure
from dev.bench.server import Server
from dev.bench.shapes import Shape
from dev.bench.shapes.files import Written

TABLE = "bench"


@dataclass(frozen=True)
class Contest:
    """Commands: `prepare` for psql before each of the two programs."""

    server: Server
    prepare: tuple[str, ...]
    ours: list[str]
    yardstick: list[str]

    def run_ours(self, cores: Collection[int] = ()) -> Measured:
        """Load by the pipeline."""
        return self._run(self.ours, cores)

    def run_yardstick(self, cores: Collection[int] = ()) -> Measured:
        """Load by what it is measured against."""
        return self._run(self.yardstick, cores)

    def compare(self, rows: int) -> tuple[Measured, Measured]:
        """A pair after which both must have left the same rows, so many. Else AssertionError."""
        yardstick = self.run_yardstick()
        expected = self.server.fingerprint(TABLE)
        ours = self.run_ours()
        loaded = self.server.fingerprint(TABLE)
        assert loaded == expected, f"the pipeline loaded {loaded}, the yardstick {expected}"
        assert loaded.startswith(f"{rows}|"), f"{rows} rows were to be loaded, not {loaded}"
        return ours, yardstick

    def run_pair(self, number: int, cores: Collection[int] = ()) -> tuple[Measured, Measured]:
        """Both; ours is first in every other pair."""
        if number % 2:
            return self.run_ours(cores), self.run_yardstick(cores)
        yardstick = self.run_yardstick(cores)
        return self.run_ours(cores), yardstick

    def _run(self, command: list[str], cores: Collection[int]) -> Measured:
        """From the same start: nothing is left to be written of what was before."""
        self.server.carry_out(*self.prepare, "checkpoint")
        os.sync()
        return measure(command, self.server.environment, cores)


def contest(shape: Shape, written: Written, server: Server, folder: Path) -> Contest:
    """Have the pipeline make the table by a first run, which warms the page cache for both."""
    pipeline = pipeline_command(shape, written.folder, folder / "ours.yaml")
    ours = _at_once(written, server) if shape.ours == "two \\copy at once" else pipeline
    copy = copy_command(written.copy)
    measure(pipeline, server.environment)
    if shape.key and shape.mode == "append":
        server.carry_out(f"alter table {TABLE} add primary key ({shape.key})")
    filled = [copy] if shape.mode == "merge" else []
    prepare = (f"truncate {TABLE}", *filled)
    return Contest(server, prepare, ours, _yardstick(shape, written, server, folder))


def copy_command(file: Path, table: str = TABLE) -> str:
    r"""What psql is told: `\copy` of a CSV file."""
    return rf"\copy {table} from '{file}' with (format csv, header)"


def pipeline_command(shape: Shape, data: Path, config: Path, table: str = TABLE) -> list[str]:
    """Load a folder by the pipeline, whose configuration is written to `config`."""
    target: dict[str, Any] = {"table": table, "mode": shape.mode}
    if shape.mode == "merge":
        target["primary_key"] = [shape.key]
    document: dict[str, Any] = {
        "sources": [{"name": "bench", "type": "local", "path": str(data), "incremental": False}],
        "target": target,
    }
    if not shape.inferred:
        columns = dict(shape.columns)
        document["schema"] = {"strict_mode": True, "on_invalid": "quarantine", "columns": columns}
    config.write_text(json.dumps(document))
    parts = "2" if shape.ours == "two parts at once" else "1"
    return [sys.executable, "-m", "dev.bench.child", str(config), parts]


def _at_once(written: Written, server: Server) -> list[str]:
    """A psql for each file, all at once; the command fails if one of them does."""
    copies = [shlex.join(server.psql(copy_command(f))) for f in sorted(written.folder.iterdir())]
    waits = "".join(f"; wait ${{p{number}}} || exit 1" for number in range(len(copies)))
    starts = " ".join(f"{copy} & p{number}=$!;" for number, copy in enumerate(copies))
    return ["sh", "-c", f"{starts} true{waits}"]


def _yardstick(shape: Shape, written: Written, server: Server, folder: Path) -> list[str]:
    copy = copy_command(written.copy)
    if shape.yardstick == "one file":
        (folder / "one").mkdir()
        (folder / "one" / "rows.csv").hardlink_to(written.copy)
        return pipeline_command(shape, folder / "one", folder / "one.yaml")
    if shape.yardstick == "copy and upsert":
        return server.psql(
            f"create temporary table stage (like {TABLE})",
            copy_command(written.copy, "stage"),
            _upsert(list(shape.columns), shape.key),
        )
    return server.psql(copy)


def _upsert(columns: list[str], key: str) -> str:
    taken = ", ".join(f"{name} = excluded.{name}" for name in columns if name != key)
    return (
        f"insert into {TABLE} ({', '.join(columns)}) select {', '.join(columns)} from stage "
        f"on conflict ({key}) do update set {taken}"
    )
