"""What `chalice package` has no setting for, as the template that it merges with its own.

Chalice's part declares the API, the functions and their roles (`.chalice/`). Here are parameters,
names, storage, the schedule's state, the state machine of large runs, what happens to failed
invocations, logs and alarms.
"""

from __future__ import annotations

from typing import Any

from dev.aws.alarms import alarms, log_groups
from dev.aws.fanout import fanout
from dev.aws.functions import functions
from dev.aws.gateway import rest_api
from dev.aws.storage import storage

Template = dict[str, Any]


def extras(stage: str, runtime: str) -> Template:
    """The template to merge, for a stage and a runtime such as python3.13."""
    return {
        "Description": f"ELT pipeline, stage {stage}",
        "Parameters": parameters(stage),
        "Conditions": {
            "HasEmail": _given("AlarmEmail"),
            "HasVpc": _given_list("SubnetIds"),
            "HasSources": _given_list("SourceBuckets"),
            "HasKeys": _given_list("SourceKeys"),
        },
        "Resources": {
            "RestAPI": {"Properties": rest_api()},
            **functions(stage, runtime),
            **fanout(stage),
            **storage(stage),
            **log_groups(stage),
            **alarms(stage),
        },
        "Outputs": {
            "JobName": {"Value": {"Ref": "Job"}},
            "TickArn": {"Value": {"Fn::GetAtt": ["Tick", "Arn"]}},
            "DoctorName": {"Value": {"Ref": "Doctor"}},
            "OutputBucket": {"Value": {"Ref": "Output"}},
            "UndoneQueue": {"Value": {"Ref": "Undone"}},
        },
    }


def parameters(stage: str) -> Template:
    """What a deployment may be told; CodeBucket, CodeKey and Stage it says itself."""
    text, many = {"Type": "String", "Default": ""}, {"Type": "CommaDelimitedList", "Default": ""}
    return {
        "Stage": {"Type": "String", "Default": stage, "AllowedValues": [stage]},
        "CodeBucket": {"Type": "String", "Description": "Where deployment.zip lies"},
        "CodeKey": {"Type": "String", "Description": "Its key, named after its content"},
        "ScheduleState": {
            "Type": "String",
            "Default": "DISABLED",
            "AllowedValues": ["ENABLED", "DISABLED"],
            "Description": "As it is now; a redeploy changes nothing",
        },
        "ScheduleRate": {
            "Type": "String",
            "Default": "rate(1 hour)",
            "Description": "As it is now; a redeploy changes nothing",
        },
        "PartRetries": {
            "Type": "Number",
            "Default": 2,
            "MinValue": 0,
            "Description": "How often a part of a large run is tried again",
        },
        "AlarmEmail": {**text, "Description": "Who is told of alarms; empty for nobody"},
        "CorsOrigins": {**text, "Description": "Origins whose pages may call the API"},
        "SourceBuckets": {**many, "Description": "ARNs of the buckets that sources read"},
        "SourceKeys": {**many, "Description": "ARNs of the KMS keys that encrypt those buckets"},
        "SubnetIds": {**many, "Description": "Private subnets; empty for no VPC"},
        "SecurityGroupIds": {**many, "Description": "Security groups in the VPC"},
    }


def _given(parameter: str) -> Template:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _given_list(parameter: str) -> Template:
    return {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}
