"""The service as it is deployed in LocalStack, called by its gateway's URL as a frontend does."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import requests
from localstack_client.session import Session

from chalicelib import auth
from chalicelib.database.address import SECRET_NAME
from chalicelib.secrets import service_store
from dev.aws.account import Account
from dev.aws.deploy import CONFIG, deploy, destroy
from dev.aws.names import function_name
from dev.aws.package import BUILD
from dev.aws.service import invoke

STAGE = "dev"
STACK = f"elt-pipeline-{STAGE}"
SETTLING = 4.0
"""Seconds in which LocalStack still gives events to a function as it was, and loses them."""

ENDED = ("succeeded", "failed", "cancelled", "interrupted", "skipped")


def eventually(look: Callable[[], Any], seconds: float, what: str) -> Any:
    """What `look` finds in the end; a function takes a second to start, an event two to arrive."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.25)
    pytest.fail(f"{what}: not within {seconds} seconds")


class Api:
    """Requests with the token of one person, or of nobody."""

    def __init__(self, url: str, token: str = "") -> None:
        self.url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str, **options: Any) -> requests.Response:
        return self._call("GET", path, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self._call("POST", path, **options)

    def upload(self, config: str) -> int:
        """The number of the new version."""
        headers = {"Content-Type": "text/yaml"}
        answer = self.post("/upload-config", data=config.encode(), headers=headers)
        assert answer.status_code == 201, answer.text
        return answer.json()["version"]

    def trigger(self) -> str:
        """The id of the run."""
        answer = self.post("/trigger-job")
        assert answer.status_code == 202, answer.text
        return answer.json()["run_id"]

    def watch(self, run_id: str, seconds: float = 90) -> Any:
        """The run when it has ended."""

        def ended() -> Any:
            run = self.get(f"/runs/{run_id}").json()
            return run if run["state"] in ENDED else None

        return eventually(ended, seconds, f"the end of run {run_id}")

    def _call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self._headers, **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=60, **options)


class Deployment:
    """A stage in LocalStack, deployed by the code of `make deploy`."""

    def __init__(self, aws: Session, endpoint: str, environment: Mapping[str, str]) -> None:
        self.aws = aws
        self._endpoint = endpoint
        self._environment = environment
        self.tokens: dict[str, str] = {}

    def deploy(self, build: Path = BUILD, config: Path = CONFIG) -> str:
        """Deploy what was built; what it printed."""
        printed = io.StringIO()
        with patch.dict("os.environ", self._environment), redirect_stdout(printed):
            deploy(STAGE, {}, build=build, config=config)
        time.sleep(SETTLING)
        return printed.getvalue()

    def destroy(self) -> str:
        """Destroy all of it; what was printed."""
        printed = io.StringIO()
        with patch.dict("os.environ", self._environment), redirect_stdout(printed):
            destroy(STAGE, confirmed=STAGE)
        return printed.getvalue()

    def examine(self) -> dict[str, bool]:
        """What the doctor function tried, and whether it was reached."""
        with patch.dict("os.environ", self._environment):
            return {check["what"]: check["reached"] for check in invoke(STAGE, "doctor", {})}

    @contextmanager
    def as_owner(self) -> Iterator[None]:
        """chalicelib works on the stage's secrets, as for a person who says ELT_SECRETS=aws."""
        with patch.dict("os.environ", self._environment), Account.current(STAGE).environment():
            yield

    def make_token(self, role: str) -> str:
        """As `python -m chalicelib token` makes one."""
        with self.as_owner():
            return auth.make_token(role, f"test {role}")

    @contextmanager
    def database_gone(self) -> Iterator[None]:
        """The functions find nobody at the database's address."""
        with self.as_owner():
            service_store().put(SECRET_NAME, "postgresql://postgres@127.0.0.1:9/postgres")
        try:
            yield
        finally:
            with self.as_owner():
                service_store().put(SECRET_NAME, self._environment["ELT_SERVICE_URL"])

    def output(self, name: str) -> str:
        """An output of the stack."""
        (stack,) = self.aws.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {out["OutputKey"]: out["OutputValue"] for out in stack["Outputs"]}[name]

    def memory(self, function: str) -> int:
        """Megabytes that a function has."""
        name = function_name(STAGE, function)
        configuration = self.aws.client("lambda").get_function_configuration(FunctionName=name)
        return configuration["MemorySize"]

    def configure(self, function: str, **variables: str) -> None:
        """Set variables of a function, as environment_variables of a stage do."""
        functions, name = self.aws.client("lambda"), function_name(STAGE, function)
        known = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**known, **variables}}
        )
        functions.get_waiter("function_updated_v2").wait(FunctionName=name)
        time.sleep(SETTLING)

    @property
    def url(self) -> str:
        """Where LocalStack serves the API without a name of its own for it."""
        return f"{self._endpoint}/_aws/execute-api/{self.output('RestAPIId')}/api"
