"""A large run in LocalStack, while the functions that load its parts are killed at random.

`python -m dev.bench.fanout`: a thousand objects, four parts at once, one invocation in twenty
killed with SIGKILL in the middle of its work. In the end every row must be there once.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import psutil  # type: ignore[import-untyped]
from sqlalchemy import Engine, make_url

from chalicelib import history
from chalicelib.history import parts, runs
from chalicelib.history.records import Run
from dev.aws import service
from dev.aws.account import client
from dev.aws.deploy import deploy
from dev.aws.names import function_name
from dev.forward import forwarded
from dev.localstack import localstack
from dev.postgres import postgres
from dev.stack import aws_environment

STAGE, BUCKET, TABLE = "dev", "fanout-source", "fanout_rows"
FUNCTION = f"AWS_LAMBDA_FUNCTION_NAME={function_name(STAGE, 'part')}".encode()
CONFIG = f"""
sources: [{{type: local, path: data, s3: "s3://{BUCKET}/orders/"}}]
target: {{table: {TABLE}}}
schema: {{strict_mode: true, columns: {{id: integer, name: text}}}}
"""
ROWS = 200
"""Of each object."""

PATIENCE = 1_800
"""Seconds for the whole run."""


def main() -> int:
    """Measure and print; 1 when a row is missing or there twice."""
    parser = argparse.ArgumentParser(prog="python -m dev.bench.fanout")
    parser.add_argument("--objects", type=int, default=1_000)
    parser.add_argument("--files", type=int, default=10, help="objects of a part, about")
    parser.add_argument("--killed", type=float, default=5.0, help="invocations of a hundred")
    parser.add_argument("--concurrency", type=int, default=4)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    given = parser.parse_args()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of connections whose ends are killed
    with _deployed(given.concurrency, given.files) as engine:
        _write(given.objects)
        started = time.monotonic()
        run_id = _trigger()
        killer = Killer(engine, run_id, given.killed, given.seed)
        run = _ended(engine, run_id)
        killer.stop()
        return _report(engine, run, time.monotonic() - started, killer, given)


class Killer:
    """Kills one of the processes that load parts after each so many invocations, at random."""

    def __init__(self, engine: Engine, run_id: str, percent: float, seed: int) -> None:
        self.killed = 0
        self._engine = engine
        self._run_id = run_id
        self._percent = percent
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """No more."""
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(self._random.random()):
            begun = sum(state.begun for state in parts.states(self._engine, self._run_id).values())
            if begun * self._percent / 100 >= self.killed + 1 and (found := _processes()):
                self._random.choice(found).kill()
                self.killed += 1


def _processes() -> list[Any]:
    """The execution environments of the function that loads parts; all of them are at work."""
    found = []
    for process in psutil.process_iter():
        try:
            if FUNCTION in Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0"):
                found.append(process)
        except OSError:  # gone meanwhile, or not ours
            continue
    return found


@contextmanager
def _deployed(concurrency: int, files: int) -> Iterator[Engine]:
    """The package of `make package` in LocalStack; the service database."""
    with (
        tempfile.TemporaryDirectory(prefix="elt-bench-") as name,
        postgres(Path(name) / "postgres") as url,
        localstack() as emulator,
    ):
        socket = Path(str(make_url(url).query["host"])) / ".s.PGSQL.5432"
        with forwarded(socket, emulator.listen) as port:
            reached = f"postgresql://postgres@{emulator.machine}:{port}/postgres?sslmode=disable"
            variables = {**aws_environment(emulator.endpoint), "ELT_SERVICE_URL": reached}
            with patch.dict(os.environ, variables):
                (Path(name) / "config.yaml").write_text(CONFIG)
                deploy(STAGE, {}, config=Path(name) / "config.yaml")
                _configure(concurrency, files)
                with patch.dict(os.environ, {"ELT_SERVICE_URL": url}):
                    yield history.connect()


def _configure(concurrency: int, files: int) -> None:
    """As if a function could take no more than so many files."""
    functions, name = client("lambda"), function_name(STAGE, "job")
    known = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    small = {
        "ELT_FANOUT_FILES": "1",
        "ELT_FANOUT_CONCURRENCY": str(concurrency),
        "ELT_PART_FILES": str(files),
    }
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**known, **small}}
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    time.sleep(4)  # LocalStack still gives events to the function as it was


def _write(objects: int) -> None:
    s3 = boto3.client("s3")
    location = {"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    for number in range(objects):
        ids = range(number * ROWS, (number + 1) * ROWS)
        content = "id,name\n" + "".join(f"{n},name {n}\n" for n in ids)
        s3.put_object(Bucket=BUCKET, Key=f"orders/{number:04}.csv", Body=content.encode())


def _trigger() -> str:
    answer = service.call(STAGE, "POST", "/trigger-job")
    return str(answer.body["run_id"])


def _ended(engine: Engine, run_id: str) -> Run:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        run = runs.get(engine, run_id)
        if run.state not in ("queued", "running"):
            return run
        time.sleep(1)
    raise SystemExit(f"the run does not end: {run}")


def _report(engine: Engine, run: Run, took: float, killer: Killer, given: Any) -> int:
    expected = given.objects * ROWS
    with engine.begin() as connection:
        counted = connection.exec_driver_sql(
            f"select count(*), count(distinct id), coalesce(max(id), -1) from {TABLE}"
        ).one()
    states = parts.states(engine, run.id)
    begun = sum(state.begun for state in states.values())
    whole = tuple(counted) == (expected, expected, expected - 1)
    print(f"{given.objects:,} objects, {expected:,} rows, {len(states)} parts, "
          f"{given.concurrency} at once, seed {given.seed}")  # fmt: skip
    print(f"run {run.state} after {took:.0f} s; {took / len(states):.2f} s a part")
    print(f"invocations   {begun}, of which {killer.killed} were killed "
          f"({100 * killer.killed / begun:.1f} %)")  # fmt: skip
    print(f"rows          {counted[0]:,}, different ones {counted[1]:,}: "
          f"{'every row once' if whole else 'NOT every row once'}")  # fmt: skip
    if run.error:
        print(json.dumps(vars(run.error), indent=2))
    return 0 if whole and run.state == "succeeded" else 1


if __name__ == "__main__":
    sys.exit(main())
