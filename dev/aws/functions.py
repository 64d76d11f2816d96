"""The functions: what `.chalice/config.json` cannot say of them."""

from __future__ import annotations

from typing import Any

from dev.aws.names import FUNCTIONS, arn, function_name, machine_name, rule_name

Template = dict[str, Any]

VPC_ACCESS = "service-role/AWSLambdaENIManagementAccess"
"""AWS's own policy for network interfaces, which have no names before they are made.

AWSLambdaVPCAccessExecutionRole would allow all logs of the account besides.
"""

DISK = 10240
"""MB of /tmp for the job and for parts: as much as Lambda has."""

EVENT_AGE = 3600
"""Seconds for which AWS tries to start a function that it cannot start."""


def functions(stage: str, runtime: str) -> Template:
    """Each function and its role."""
    return {
        **{name: _function(stage, runtime, name) for name in FUNCTIONS},
        **{_role_of(name): _role() for name in FUNCTIONS},
    }


def _function(stage: str, runtime: str, name: str) -> Template:
    more = {"Tick": _tick(stage), "Job": _job(), "Part": _part()}.get(name, {})
    return {
        "DependsOn": f"{name}Logs",
        "Properties": {
            "FunctionName": function_name(stage, FUNCTIONS[name]),
            "Runtime": runtime,
            "CodeUri": {"Bucket": {"Ref": "CodeBucket"}, "Key": {"Ref": "CodeKey"}},
            "Environment": {"Variables": _environment(stage)},
            "VpcConfig": _if_vpc(
                {
                    "SubnetIds": {"Ref": "SubnetIds"},
                    "SecurityGroupIds": {"Ref": "SecurityGroupIds"},
                }
            ),
            **more,
        },
    }


def _environment(stage: str) -> Template:
    """For each function the same; ELT_STAGE is in `.chalice/config.json`."""
    tick = function_name(stage, "tick")
    return {
        "ELT_JOB_FUNCTION": function_name(stage, "job"),
        "ELT_SCHEDULE_TARGET_ARN": arn("lambda", f"function:{tick}"),
        "ELT_SCHEDULE_RULE": rule_name(stage),
        "ELT_CORS_ORIGINS": {"Ref": "CorsOrigins"},
        "ELT_BUCKET": {"Ref": "Output"},
        "ELT_FANOUT_MACHINE": arn("states", f"stateMachine:{machine_name(stage)}"),
    }


def _tick(stage: str) -> Template:
    """The event has an id and may come twice, so failures are tried again."""
    return {
        "EventInvokeConfig": _on_failure(attempts=2),
        "Events": {
            "TickEvent": {
                "Properties": {
                    "Name": rule_name(stage),
                    "Description": "Starts the ELT pipeline",
                    "State": {"Ref": "ScheduleState"},
                    "Schedule": {"Ref": "ScheduleRate"},
                }
            }
        },
    }


def _job() -> Template:
    """No second attempt: a run whose process died is settled and resumed by its ledger."""
    return {
        "EphemeralStorage": {"Size": DISK},
        "EventInvokeConfig": _on_failure(attempts=0),
    }


def _part() -> Template:
    """What fails is tried again by the state machine."""
    return {"EphemeralStorage": {"Size": DISK}}


def _on_failure(*, attempts: int) -> Template:
    destination = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Undone", "Arn"]}}
    return {
        "MaximumRetryAttempts": attempts,
        "MaximumEventAgeInSeconds": EVENT_AGE,
        "DestinationConfig": {"OnFailure": destination},
    }


def _role_of(function: str) -> str:
    return {"APIHandler": "ApiHandlerRole"}.get(function, f"{function}Role")


def _role() -> Template:
    managed = {"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{VPC_ACCESS}"}
    return {"Properties": {"ManagedPolicyArns": [_if_vpc(managed)]}}


def _if_vpc(value: Any) -> Template:
    return {"Fn::If": ["HasVpc", value, {"Ref": "AWS::NoValue"}]}
