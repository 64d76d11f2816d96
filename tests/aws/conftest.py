"""LocalStack for the tests of this folder, which `make test-aws` runs."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from localstack_client.session import Session

from dev.localstack import LocalStack, localstack

REGION = "eu-central-1"


@pytest.fixture(scope="session")
def emulator() -> Iterator[LocalStack]:
    """An empty LocalStack, for all tests of this folder."""
    if os.environ.get("ELT_TEST_AWS") != "1":
        pytest.skip("LocalStack and the package are not there: `make test-aws` brings both")
    with localstack() as running:
        yield running


@pytest.fixture(scope="session")
def aws(emulator: LocalStack) -> Session:
    """Clients of the services in LocalStack."""
    return Session(region_name=REGION, localstack_host=emulator.endpoint.removeprefix("http://"))
