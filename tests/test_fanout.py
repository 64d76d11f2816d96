"""Large runs are handed to Step Functions, once for each attempt, and called back."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from chalicelib import fanout
from chalicelib.errors import LaunchError
from tests.dev.aws.states import make_machine


@pytest.fixture
def machine(bucket: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The ARN of the state machine, set as on AWS."""
    arn = make_machine()
    monkeypatch.setenv("ELT_FANOUT_MACHINE", arn)
    monkeypatch.setenv("ELT_BUCKET", bucket)
    return arn


def given(execution: str) -> Any:
    found = boto3.client("stepfunctions").describe_execution(executionArn=execution)
    return json.loads(found["input"])


def manifest(bucket: str, key: str) -> Any:
    return json.load(boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"])


def test_a_run_is_large_by_its_bytes_or_its_files(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_FANOUT_BYTES", "100")
    monkeypatch.setenv("ELT_FANOUT_FILES", "10")
    assert [fanout.is_large(*of) for of in ((100, 10), (101, 1), (1, 11))] == [False, True, True]


def test_without_a_state_machine_no_run_is_large() -> None:
    assert not fanout.is_large(10**15, 10**6)


def test_an_execution_is_told_where_its_parts_are_listed(machine: str, bucket: str) -> None:
    fanout.start("run-1", 1, [0, 2])
    told = given(fanout.execution("run-1", 1))
    assert (told["run_id"], told["bucket"], told["failure"]) == ("run-1", bucket, None)
    (key,) = told["manifests"]
    assert manifest(bucket, key) == [{"part": 0}, {"part": 2}]


def test_the_same_attempt_is_one_execution_and_another_attempt_another(machine: str) -> None:
    for attempt in (1, 1, 2):
        fanout.start("run-1", attempt, [0])
    found = boto3.client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert sorted(one["name"] for one in found) == ["run-1-1", "run-1-2"]
    assert {one["executionArn"] for one in found} == {
        fanout.execution("run-1", attempt) for attempt in (1, 2)
    }


def test_more_parts_than_a_map_takes_are_listed_in_several_manifests(
    machine: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "MANIFEST_PARTS", 2)
    fanout.start("run-1", 1, range(5))
    told = given(fanout.execution("run-1", 1))
    listed = [manifest(bucket, key) for key in told["manifests"]]
    assert [[item["part"] for item in items] for items in listed] == [[0, 1], [2, 3], [4]]


def test_a_run_whose_parts_are_all_there_comes_to_its_end_too(machine: str, bucket: str) -> None:
    fanout.start("run-1", 2, [])
    (key,) = given(fanout.execution("run-1", 2))["manifests"]
    assert manifest(bucket, key) == []


def test_an_execution_is_told_from_a_process(machine: str) -> None:
    assert fanout.is_execution(fanout.execution("run-1", 1))
    assert not fanout.is_execution("host:17:run-1:5")
    assert not fanout.is_execution(None)


def test_it_is_stopped(machine: str) -> None:
    fanout.start("run-1", 1, [0])
    execution = fanout.execution("run-1", 1)
    fanout.stop(execution)
    found = boto3.client("stepfunctions").describe_execution(executionArn=execution)
    assert found["status"] == "ABORTED"


def test_a_machine_that_is_not_there_is_named(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fanout.reachable() == "fanout"
    missing = machine + "-gone"
    monkeypatch.setenv("ELT_FANOUT_MACHINE", missing)
    for call in (fanout.reachable, lambda: fanout.start("run-1", 1, [0])):
        with pytest.raises(LaunchError) as refused:
            call()
        assert refused.value.where == missing


def test_without_a_bucket_nothing_is_handed_over(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELT_BUCKET")
    with pytest.raises(LaunchError) as refused:
        fanout.start("run-1", 1, [0])
    assert refused.value.where == "ELT_BUCKET"
