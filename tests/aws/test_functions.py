"""A Lambda function in LocalStack does what it does on AWS, in docker and without."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from localstack_client.session import Session

from dev.aws.runtime import find_runtime

NUMBERS = count(1)
CODE = """
import importlib.util, os, sys, time

calls = 0

def handler(event, context):
    global calls
    calls += 1
    print("heard", event)
    return eval(event["do"])
"""

Invoke = Callable[..., Any]


@pytest.fixture
def invoke(aws: Session) -> Iterator[Invoke]:
    """Evaluates an expression in a function of this test's own."""
    functions, name = aws.client("lambda"), f"test-{next(NUMBERS)}"
    role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("app.py", CODE)
    functions.create_function(
        FunctionName=name,
        Runtime=find_runtime().name,
        Role=role["Arn"],
        Handler="app.handler",
        Code={"ZipFile": package.getvalue()},
        Timeout=3,
        Environment={"Variables": {"WORD": "given"}},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=name)

    def call(do: str) -> Any:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps({"do": do}))
        return json.load(answer["Payload"])

    call.log_group = f"/aws/lambda/{name}"
    yield call
    functions.delete_function(FunctionName=name)


def test_it_is_told_about_itself_and_nothing_of_this_machine(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert invoke("os.environ['WORD'], context.memory_limit_in_mb") == ["given", "128"]
    assert 0 < invoke("context.get_remaining_time_in_millis()") <= 3000
    assert invoke("[name for name in os.environ if 'pytest' in name.lower()]") == []


def test_it_has_boto3_and_no_other_library_of_ours(invoke: Invoke) -> None:
    found = "importlib.util.find_spec({!r}) is not None"
    assert invoke(found.format("boto3"))
    for library in ("pandas", "chalice", "chalicelib", "moto", "localstack"):
        assert not invoke(found.format(library)), library


def test_it_stays_warm(invoke: Invoke) -> None:
    assert [invoke("calls") for _ in range(3)] == [1, 2, 3]


def test_an_exception_is_its_answer_and_it_stays_warm(invoke: Invoke) -> None:
    failed = invoke("1 / 0")
    assert (failed["errorType"], failed["errorMessage"]) == (
        "ZeroDivisionError",
        "division by zero",
    )
    assert invoke("calls") == 2


@pytest.mark.parametrize(
    ("fault", "said"), [("os._exit(7)", "exit"), ("time.sleep(9)", "timed out")]
)
def test_what_ends_it_is_told_and_the_next_call_starts_anew(
    invoke: Invoke, fault: str, said: str
) -> None:
    invoke("1")
    assert said in invoke(fault)["errorMessage"]
    assert invoke("calls") == 1


def test_what_it_prints_is_in_cloudwatch(invoke: Invoke, aws: Session) -> None:
    logs = aws.client("logs")
    logs.create_log_group(logGroupName=invoke.log_group)
    invoke("'a word to look for'")
    for _ in range(100):
        events = logs.filter_log_events(logGroupName=invoke.log_group)["events"]
        if any("a word to look for" in event["message"] for event in events):
            return
        time.sleep(0.1)
    pytest.fail(f"not in the log: {events}")
