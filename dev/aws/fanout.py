"""The state machine of runs larger than one Lambda: a map over the run's parts, then its end.

`chalicelib/fanout.py` starts it and says what its input is. What a part came to is in the
database alone: the results of the map are empty, and its failure leads to the end like success.
"""

from __future__ import annotations

import json
from typing import Any

from dev.aws.names import arn, machine_name

Template = dict[str, Any]

FUNCTION_SECONDS = 900
"""As `.chalice/config.json` gives them to both functions."""

STUCK = FUNCTION_SECONDS + 60
"""Seconds after which an invocation that never answered is tried again."""

RETRIES = "${PartRetries}"
"""A parameter of the template: a part that fails three times has failed, unless it says else."""

THROTTLED = {
    "ErrorEquals": ["Lambda.TooManyRequestsException"],
    "IntervalSeconds": 5,
    "MaxAttempts": 50,
    "BackoffRate": 2.0,
    "MaxDelaySeconds": 60,
    "JitterStrategy": "FULL",
}
"""No attempt: nothing was started."""

AGAIN = {
    "ErrorEquals": ["States.ALL"],
    "IntervalSeconds": 3,
    "MaxAttempts": RETRIES,
    "BackoffRate": 3.0,
    "JitterStrategy": "FULL",
}


def fanout(stage: str) -> Template:
    """The state machine and its role."""
    return {
        "Fanout": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "StateMachineName": machine_name(stage),
                "RoleArn": {"Fn::GetAtt": ["FanoutRole", "Arn"]},
                # As text: a template may hold no null.
                "DefinitionString": {"Fn::Sub": text()},
            },
        },
        "FanoutRole": _role(),
    }


def text() -> str:
    """The definition, in which the parameter stands for a number."""
    return json.dumps(definition()).replace(f'"{RETRIES}"', RETRIES)


def definition() -> Template:
    """In the States Language, with `${Part.Arn}` and `${Finish.Arn}` for the functions.

    One manifest after the other, and the parts of each at once.
    """
    end = {"run_id.$": "$.run_id", "execution.$": "$$.Execution.Id", "failure.$": "$.failure"}
    return {
        "StartAt": "Manifests",
        "States": {
            "Manifests": {
                "Type": "Map",
                "MaxConcurrency": 1,
                "ItemsPath": "$.manifests",
                "ItemSelector": {
                    "run_id.$": "$.run_id",
                    "bucket.$": "$.bucket",
                    "manifest.$": "$$.Map.Item.Value",
                    "concurrency.$": "$.concurrency",
                    "tolerated.$": "$.tolerated",
                },
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "INLINE"},
                    "StartAt": "Parts",
                    "States": {"Parts": _parts()},
                },
                "ResultPath": None,
                "Catch": [
                    {"ErrorEquals": ["States.ALL"], "ResultPath": "$.failure", "Next": "Finish"}
                ],
                "Next": "Finish",
            },
            "Finish": {**_invoke("Finish", end), "OutputPath": None, "End": True},
        },
    }


def _parts() -> Template:
    """A child execution, and so an invocation, for each part that a manifest lists."""
    part = {
        "run_id.$": "$.run_id",
        "execution.$": "$$.Execution.Id",
        "part.$": "$$.Map.Item.Value.part",
    }
    return {
        "Type": "Map",
        "Label": "Parts",
        "MaxConcurrencyPath": "$.concurrency",
        "ToleratedFailurePercentagePath": "$.tolerated",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Parameters": {"Bucket.$": "$.bucket", "Key.$": "$.manifest"},
        },
        "ItemSelector": part,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Part",
            "States": {"Part": {**_invoke("Part"), "ResultSelector": {}, "End": True}},
        },
        "ResultPath": None,
        "End": True,
    }


def _invoke(function: str, payload: Template | None = None) -> Template:
    given = {"Payload": payload} if payload else {"Payload.$": "$"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": f"${{{function}.Arn}}", **given},
        "TimeoutSeconds": STUCK,
        "Retry": [THROTTLED, AGAIN],
    }


def _role() -> Template:
    """To start the two functions, to read manifests, and to have executions for parts."""
    name = machine_name("${Stage}")
    functions = [{"Fn::GetAtt": [function, "Arn"]} for function in ("Part", "Finish")]
    manifests = {"Fn::Sub": "${Output.Arn}/runs/*"}
    statements = [
        _allow("StartTheFunctions", "lambda:InvokeFunction", functions),
        _allow("ReadManifests", "s3:GetObject", manifests),
        _allow("StartChildren", "states:StartExecution", arn("states", f"stateMachine:{name}")),
        _allow(
            "WatchAndStopChildren",
            ["states:DescribeExecution", "states:StopExecution"],
            arn("states", f"execution:{name}/Parts:*"),
        ),
    ]
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "states.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [
                {
                    "PolicyName": "FanoutRolePolicy",
                    "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                }
            ],
        },
    }


def _allow(sid: str, action: str | list[str], resource: Any) -> Template:
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource}
