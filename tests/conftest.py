"""Real servers for the whole suite: PostgreSQL and an emulated AWS, emptied for each test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import boto3
import pg8000.native
import pytest
import requests
from hypothesis import settings
from sqlalchemy import make_url

from app import app
from chalicelib import auth
from dev.postgres import database_url, postgres
from dev.serve import chalice_local
from dev.stack import aws_environment, emulated_aws
from tests.pipelines import Pipeline
from tests.service import Service

# What a test run tells is about the code, so its examples are the same each time; chance looks for
# new ones when it is asked to. A machine may be slow, or busy.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _servers_of_tests_may_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources of APIs keep out of private networks otherwise."""
    monkeypatch.setenv("ELT_ALLOW_HOSTS", "127.0.0.1")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of the database `postgres` of a server that lives as long as the tests."""
    with (
        tempfile.TemporaryDirectory(prefix="elt-test-") as folder,
        postgres(Path(folder) / "postgres") as url,
    ):
        yield url


@pytest.fixture(scope="session")
def _admin(postgres_url: str) -> Iterator[pg8000.native.Connection]:
    connection = pg8000.native.Connection(
        "postgres", unix_sock=f"{_host(postgres_url)}/.s.PGSQL.5432"
    )
    yield connection
    connection.close()


@pytest.fixture
def database(postgres_url: str, _admin: pg8000.native.Connection) -> Iterator[str]:
    """The URL, as ELT_TARGET_URL takes it, of an empty database of this test's own."""
    name = f"test_{next(NUMBERS)}"
    _admin.run(f"create database {name}")
    yield database_url(Path(_host(postgres_url)), name)
    _admin.run(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def _aws_endpoint() -> Iterator[str]:
    with emulated_aws() as endpoint:
        yield endpoint


@pytest.fixture
def aws(_aws_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint of an empty AWS; boto3 in this process and its children talks to it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in aws_environment(_aws_endpoint).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    requests.post(f"{_aws_endpoint}/moto-api/reset", timeout=10).raise_for_status()
    return _aws_endpoint


@pytest.fixture
def bucket(aws: str) -> str:
    """The name of an empty bucket of this test's own."""
    name = f"test-bucket-{next(NUMBERS)}"
    location = {"LocationConstraint": "eu-central-1"}
    boto3.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
    return name


@pytest.fixture
def shop(tmp_path: Path, database: str, aws: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A pipeline in the folder that the service works in, with a database and an AWS."""
    monkeypatch.setenv("ELT_TARGET_URL", database)
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv(
        "ELT_SCHEDULE_TARGET_ARN", "arn:aws:lambda:eu-central-1:123456789012:function:tick"
    )
    monkeypatch.chdir(tmp_path)
    auth.forget()
    return Pipeline(tmp_path, database)


@pytest.fixture(scope="session")
def service_url() -> Iterator[str]:
    """One server for all tests: Chalice serves an app object once a process."""
    with chalice_local(app) as served:
        yield served


@pytest.fixture
def connect(shop: Pipeline, service_url: str) -> Callable[[str], Service]:
    """Calls to the service with a token of the role."""
    return lambda role: Service(service_url, role)


@pytest.fixture
def admin(connect: Callable[[str], Service]) -> Service:
    """Calls to the service that nothing is forbidden to."""
    return connect("admin")


def _host(url: str) -> str:
    return str(make_url(url).query["host"])
