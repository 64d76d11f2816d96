"""A run that is larger than one Lambda, by the state machine of the template and its functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from localstack_client.session import Session

from tests.aws.conftest import Shop
from tests.aws.service import STACK, Api, Deployment, eventually

OBJECTS, ROWS = 60, 50
SMALL = {"ELT_FANOUT_FILES": "50", "ELT_PART_BYTES": "2000", "ELT_FANOUT_CONCURRENCY": "4"}
"""As if a function could take no more than this."""

USUAL = {"ELT_FANOUT_FILES": "", "ELT_PART_BYTES": "", "ELT_FANOUT_CONCURRENCY": ""}


@pytest.fixture(scope="module")
def small(deployment: Deployment) -> Iterator[None]:
    deployment.configure("job", **SMALL)
    yield
    deployment.configure("job", **USUAL)


@pytest.fixture
def large(shop: Shop, small: None) -> Shop:
    """A shop of sixty objects, which are a dozen parts."""
    for number in range(OBJECTS):
        shop.write(f"{number:02}.csv", content(number))
    return shop


def content(number: int) -> str:
    ids = range(number * ROWS, (number + 1) * ROWS)
    return "id,name\n" + "".join(f"{n},n{n}\n" for n in ids)


EVERY_ROW = [(n, f"n{n}") for n in range(OBJECTS * ROWS)]


def executions(aws: Session, run_id: str) -> dict[str, str]:
    """How the executions of a run ended, by their names."""
    steps = aws.client("stepfunctions")
    (machine,) = (
        one["stateMachineArn"]
        for one in steps.list_state_machines()["stateMachines"]
        if one["name"] == f"{STACK}-fanout"
    )
    found = steps.list_executions(stateMachineArn=machine)["executions"]
    return {one["name"]: one["status"] for one in found if one["name"].startswith(run_id)}


def test_sixty_objects_are_loaded_by_many_functions_and_every_row_is_there_once(
    admin: Api, aws: Session, large: Shop
) -> None:
    admin.upload(large.config)
    run = admin.watch(admin.trigger(), 300)
    assert (run["state"], run["error"]) == ("succeeded", None)
    assert (run["read"], run["inserted"]) == (OBJECTS * ROWS, OBJECTS * ROWS)
    assert (run["progress"]["files"], run["progress"]["percent"]) == (OBJECTS, 100)
    assert large.rows == EVERY_ROW
    ended = eventually(lambda: succeeded(aws, run["id"]), 30, "the end of the execution")
    assert ended == {f"{run['id']}-1": "SUCCEEDED"}
    assert sum(rows_of_parts(admin, run["id"])) == OBJECTS * ROWS


def succeeded(aws: Session, run_id: str) -> dict[str, str] | None:
    found = executions(aws, run_id)
    return found if "RUNNING" not in found.values() else None


def rows_of_parts(admin: Api, run_id: str) -> Iterator[int]:
    """How many rows each combined CSV has, of those that the run's output lists."""
    output = admin.get(f"/runs/{run_id}/output").json()
    listed: Any = json.loads(requests.get(output["url"], timeout=10).text)
    assert output["parts"] == len(listed["parts"]) > 4
    for number in range(1, output["parts"] + 1):
        part = admin.get(f"/runs/{run_id}/output?part={number}").json()
        yield requests.get(part["url"], timeout=10).text.count("\n") - 1


def test_a_part_that_fails_is_named_and_after_it_is_mended_the_run_goes_on(
    admin: Api, aws: Session, large: Shop
) -> None:
    large.write("30.csv", "id,id\n1,2\n")
    admin.upload(large.config)
    run = admin.watch(admin.trigger(), 300)
    assert (run["state"], run["error"]["code"]) == ("failed", "part_failed")
    assert "30.csv line 1" in run["error"]["message"]
    large.write("30.csv", content(30))
    assert admin.post(f"/runs/{run['id']}/resume").status_code == 202
    assert admin.watch(run["id"], 300)["state"] == "succeeded"
    assert large.rows == EVERY_ROW
    eventually(lambda: succeeded(aws, run["id"]), 30, "the end of the executions")
    assert set(executions(aws, run["id"])) == {f"{run['id']}-1", f"{run['id']}-2"}


def test_a_cancelled_run_leaves_nothing_and_begins_no_more_parts(
    admin: Api, aws: Session, large: Shop
) -> None:
    admin.upload(large.config)
    run_id = admin.trigger()
    eventually(lambda: executions(aws, run_id), 60, "the execution")
    assert admin.post(f"/runs/{run_id}/cancel").json()["state"] == "cancelled"
    assert admin.get(f"/runs/{run_id}").json()["state"] == "cancelled"
    eventually(lambda: succeeded(aws, run_id), 60, "the end of the execution")
    assert large.staged == []
