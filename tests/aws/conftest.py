"""LocalStack for the tests of this folder, and the service deployed in it; `make test-aws`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from localstack_client.session import Session
from sqlalchemy import make_url

from dev.forward import forwarded
from dev.localstack import LocalStack, localstack
from dev.stack import aws_environment
from tests.aws.service import Api, Deployment
from tests.pipelines import Pipeline

REGION = "eu-central-1"
NUMBERS = count(1)
CONFIG = """
sources: [{{type: local, path: {name}, s3: "s3://{name}/orders/"}}]
target: {{table: {table}}}
schema:
  strict_mode: true
  on_invalid: quarantine
  columns: {{id: integer, name: text}}
"""


@pytest.fixture(scope="session")
def emulator() -> Iterator[LocalStack]:
    """An empty LocalStack, for all tests of this folder."""
    if os.environ.get("ELT_TEST_AWS") != "1":
        pytest.skip("`make package && make test-aws` runs this, in LocalStack")
    with localstack() as running:
        yield running


@pytest.fixture(scope="session")
def aws(emulator: LocalStack) -> Session:
    """Clients of the services in LocalStack."""
    return Session(region_name=REGION, localstack_host=emulator.endpoint.removeprefix("http://"))


@pytest.fixture(scope="session")
def service_url(emulator: LocalStack, postgres_url: str) -> Iterator[str]:
    """The database as the functions reach it: over TCP."""
    socket = Path(str(make_url(postgres_url).query["host"])) / ".s.PGSQL.5432"
    with forwarded(socket, emulator.listen) as port:
        yield f"postgresql://postgres@{emulator.machine}:{port}/postgres?sslmode=disable"


class Shop:
    """A source bucket, the configuration that loads it, and a look at its table."""

    def __init__(self, aws: Session, database: Pipeline) -> None:
        number = next(NUMBERS)
        self.name, self.table = f"shop-{number}", f"orders_{number}"
        self.config = CONFIG.format(name=self.name, table=self.table)
        self._s3, self._database = aws.client("s3"), database
        location = {"LocationConstraint": REGION}
        self._s3.create_bucket(Bucket=self.name, CreateBucketConfiguration=location)

    def write(self, name: str, content: str) -> None:
        """Put a file where the configuration reads."""
        self._s3.put_object(Bucket=self.name, Key=f"orders/{name}", Body=content.encode())

    @property
    def rows(self) -> list[tuple[object, ...]]:
        """The table, sorted."""
        return self._database.query(f"select * from {self.table} order by 1, 2")

    @property
    def staged(self) -> list[tuple[object, ...]]:
        """The tables in which rows of any run wait to be published."""
        return self._database.query(
            "select tablename from pg_tables where schemaname = 'elt' and tablename ~ '^stage_'"
        )


@pytest.fixture
def shop(aws: Session, postgres_url: str, tmp_path: Path) -> Shop:
    """A source and a target of this test's own."""
    return Shop(aws, Pipeline(tmp_path, postgres_url))


@pytest.fixture(scope="session")
def deployment(
    aws: Session,
    emulator: LocalStack,
    service_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Deployment:
    """The package of `make package`, deployed for the first time."""
    environment = {**aws_environment(emulator.endpoint), "ELT_SERVICE_URL": service_url}
    config = tmp_path_factory.mktemp("first") / "config.yaml"
    config.write_text(CONFIG.format(name="first", table="first"))
    deployed = Deployment(aws, emulator.endpoint, environment)
    (deployed.tokens["admin"],) = re.findall(r"elt_[\w-]+", deployed.deploy(config=config))
    # Before the first request: the gateway keeps its answer to a token that came too early.
    deployed.tokens["viewer"] = deployed.make_token("viewer")
    return deployed


@pytest.fixture(scope="session")
def admin(deployment: Deployment) -> Api:
    """The API with the token that the first deployment printed."""
    return Api(deployment.url, deployment.tokens["admin"])
