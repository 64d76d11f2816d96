"""The doctor tells what is reached, what refuses and what is silent; real servers throughout."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from chalicelib import doctor, jobs, uploads
from chalicelib.doctor import Check
from dev.aws.doctor import show

TARGET = "target: {table: orders}"


@pytest.fixture
def _service(tmp_path: Path, database: str, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELT_TARGET_URL", database)
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("ELT_BUCKET", bucket)


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def upload(sources: str) -> None:
    uploads.add(jobs.service(), f"sources: [{sources}]\n{TARGET}\n", "test")


def examined(patience: float = 20) -> dict[str, Check]:
    return {check.what: check for check in doctor.examine(patience)}


@pytest.mark.usefixtures("_service")
def test_what_is_there_is_reached(bucket: str, silent: int) -> None:
    upload(
        f"{{name: files, type: local, path: data, s3: 's3://{bucket}/orders/'}},"
        f"{{name: web, type: api, url: 'http://127.0.0.1:{silent}/v1'}}"
    )
    checks = examined()
    assert [check.what for check in checks.values() if not check.reached] == []
    assert "PostgreSQL" in checks["database"].said
    assert checks["source files"].said == f"s3://{bucket}/orders/"
    assert checks["source web"].said == f"127.0.0.1:{silent}"
    assert checks["configuration"].said == "loads public.orders"
    assert checks["job"].said == "a thread of this process"


@pytest.mark.usefixtures("_service")
def test_before_the_first_upload_there_are_no_sources_to_try() -> None:
    checks = examined()
    assert "no configuration was uploaded yet" in checks["configuration"].said
    assert not any(what.startswith("source") for what in checks)


@pytest.mark.usefixtures("_service")
def test_a_source_that_refuses_is_named_with_what_to_do(bucket: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    upload(
        "{name: gone, type: local, path: data, s3: 's3://no-such-bucket-here/'},"
        f"{{name: web, type: api, url: 'http://127.0.0.1:{port}/'}}"
    )
    checks = examined()
    assert "there is no such bucket. Correct" in checks["source gone"].said
    assert f"127.0.0.1:{port}: it cannot be reached" in checks["source web"].said
    assert checks["database"].reached


@pytest.mark.usefixtures("_service")
def test_a_job_function_that_cannot_be_started_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELT_JOB_FUNCTION", "no-such-function")
    assert not examined()["job"].reached
    assert "no-such-function: the job function cannot be started" in examined()["job"].said


@pytest.mark.usefixtures("_service")
def test_what_is_silent_is_given_up_and_says_where_to_look(
    silent: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_SERVICE_URL", f"postgresql://a:canary@127.0.0.1:{silent}/x")
    checks = examined(patience=0.5)
    assert not checks["database"].reached
    assert "routes (NAT or an endpoint) and security groups" in checks["database"].said
    assert "canary" not in str(checks)


def test_the_table_shows_each_reason() -> None:
    paper = StringIO()
    checks = [Check("database", True, "PostgreSQL 18", 12), Check("bucket", False, "denied", 3)]
    show(checks, Console(file=paper, width=100))
    reached, missing = [line for line in paper.getvalue().splitlines() if "│" in line][-2:]
    assert "reached" in reached
    assert "NOT reached" in missing
    assert "denied" in missing
