"""The service: what its import costs, and how soon each endpoint answers with a long history."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from unittest.mock import patch

import requests

from dev.bench.history import add_runs, add_versions
from dev.bench.plans import explain
from dev.postgres import postgres
from dev.stack import aws_environment, emulated_aws

IMPORTS = 9
REQUESTS = 60
RUNS, VERSIONS = 100_000, 10_000
HEAVY = ("pandas", "numpy", "pyarrow", "sqlalchemy", "boto3", "pydantic", "yaml", "requests")
PAGES = (
    "/runs?before=run-50000",
    "/runs?state=failed",
    "/runs?trigger=schedule&since=2026-02-01T00:00:00Z",
    "/runs?state=interrupted",
    "/configs?before=5000",
)
CONFIG = "sources: [{type: local, path: data}]\ntarget: {table: orders}\n"
YAML = {"data": CONFIG, "headers": {"Content-Type": "text/yaml"}}

Ask = Callable[[], requests.Response]


def bench() -> None:
    """Measure and print."""
    _imports()
    with _service() as (session, url):
        print(f"\nwarm answers over chalice local, {RUNS:,} runs and {VERSIONS:,} versions")
        print(f"{'':66}{'median':>8}{'p95':>8}   ms")
        for name, ask in _requests(session, url):
            _latency(name, ask)
        _plans()


def _plans() -> None:
    """How PostgreSQL reads a page from the depth of each history."""
    from chalicelib import jobs
    from chalicelib.history import configs, runs

    engine = jobs.service()
    pages: dict[str, Callable[[], object]] = {
        "runs": lambda: runs.page(engine, before="run-50000"),
        "configs": lambda: configs.page(engine, VERSIONS // 2, 50),
    }
    for name, page in pages.items():
        scans = [line.strip(" ->") for line in explain(engine, page).splitlines() if "Scan" in line]
        print(f"a page of {name}: {scans[-1].partition('  (')[0]}")


def _imports() -> None:
    """In turns, each in an interpreter of its own; then what there is to be sorry about."""
    statements = ("pass", "import chalice", "import app")
    took: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(IMPORTS):
        for statement in statements:
            started = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True)
            took[statement].append(time.perf_counter() - started)
    bare = median(took["pass"])
    for statement in statements[1:]:
        print(f"{statement:16} {1000 * (median(took[statement]) - bare):6.0f} ms")
    code = f"import app, sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).strip()
    print(f"heavy libraries that `import app` pulls in: {loaded or 'none'}")


@contextmanager
def _service() -> Iterator[tuple[requests.Session, str]]:
    with (
        tempfile.TemporaryDirectory(prefix="elt-bench-") as name,
        postgres(Path(name) / "postgres") as database,
        emulated_aws() as endpoint,
        patch.dict(os.environ, _environment(Path(name), database, endpoint)),
    ):
        from app import app
        from chalicelib import auth, jobs
        from dev.serve import chalice_local

        (Path(name) / "data").mkdir()
        os.chdir(name)
        add_versions(jobs.service(), VERSIONS, CONFIG)
        add_runs(jobs.service(), RUNS, config_version=1)
        with chalice_local(app) as url, requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {auth.make_token('admin', 'bench')}"
            yield session, url


def _environment(folder: Path, database: str, endpoint: str) -> dict[str, str]:
    return {
        **aws_environment(endpoint),
        "ELT_TARGET_URL": database,
        "ELT_SERVICE_URL": database,
        "ELT_STATE_DIR": str(folder / "state"),
        "ELT_SCHEDULE_TARGET_ARN": "arn:aws:lambda:eu-central-1:123456789012:function:tick",
    }


def _requests(session: requests.Session, url: str) -> Iterator[tuple[str, Ask]]:
    """Every endpoint as it is declared, then pages from the depth of the history."""
    from chalicelib.routes import ENDPOINTS

    filled = {"version": "1", "other": "2", "run_id": "run-1"}
    for endpoint in ENDPOINTS:
        path = re.sub(r"\{(\w+)\}", lambda match: filled.get(match[1], "1"), endpoint.route)
        body = YAML if endpoint.text_field else {}
        yield f"{endpoint.method} {path}", _asking(session, endpoint.method, url + path, body)
    for path in PAGES:
        yield f"GET {path}", _asking(session, "GET", url + path, {})


def _asking(session: requests.Session, method: str, url: str, options: dict[str, Any]) -> Ask:
    return lambda: session.request(method, url, timeout=60, **options)


def _latency(name: str, ask: Ask) -> None:
    statuses, took = set(), []
    ask()
    for _ in range(REQUESTS):
        started = time.perf_counter()
        statuses.add(ask().status_code)
        took.append(1000 * (time.perf_counter() - started))
    said = "/".join(map(str, sorted(statuses)))
    print(f"{name:56}{said:>10}{median(took):8.1f}{quantiles(took, n=20)[-1]:8.1f}")
