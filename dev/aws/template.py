"""What `chalice package` has no setting for, as the template that it merges with its own.

Chalice's part declares the API, the functions and their roles (`.chalice/`). Here are parameters,
names, storage, the schedule's state, what happens to failed invocations, logs and alarms.
"""

from __future__ import annotations

from typing import Any

from dev.aws.alarms import alarms, log_groups
from dev.aws.gateway import gateway_responses

Template = dict[str, Any]

APP = "elt-pipeline"
FUNCTIONS = {
    "APIHandler": "api",
    "Authorizer": "authorizer",
    "Tick": "tick",
    "Job": "job",
    "Doctor": "doctor",
}
"""Chalice's name of each function in the template, and the end of its name on AWS."""

VPC_ACCESS = "service-role/AWSLambdaVPCAccessExecutionRole"
"""AWS's own policy for network interfaces, which have no names before they are made."""

KEPT_DAYS = 30
"""Days for which the files of a run can be fetched."""


def extras(stage: str, runtime: str) -> Template:
    """The template to merge, for a stage and a runtime such as python3.13."""
    return {
        "Description": f"ELT pipeline, stage {stage}",
        "Parameters": _parameters(stage),
        "Conditions": {
            "HasEmail": _given("AlarmEmail"),
            "HasVpc": _given_list("SubnetIds"),
            "HasSources": _given_list("SourceBuckets"),
        },
        "Resources": {
            **{name: _function(stage, runtime, name) for name in FUNCTIONS},
            **{role: _role() for role in map(_role_of, FUNCTIONS)},
            "RestAPI": {"Properties": gateway_responses()},
            **_bucket(),
            **_undone(stage),
            **_schedule_permission(stage),
            **log_groups(stage, FUNCTIONS.values()),
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


def function_name(stage: str, name: str) -> str:
    """The name on AWS of one of FUNCTIONS' values."""
    return f"{APP}-{stage}-{name}"


def rule_name(stage: str) -> str:
    """The EventBridge rule of a stage."""
    return f"{APP}-{stage}-tick"


def _parameters(stage: str) -> Template:
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
        "AlarmEmail": {**text, "Description": "Who is told of alarms; empty for nobody"},
        "CorsOrigins": {**text, "Description": "Origins whose pages may call the API"},
        "SourceBuckets": {**many, "Description": "ARNs of the buckets that sources read"},
        "SubnetIds": {**many, "Description": "Private subnets; empty for no VPC"},
        "SecurityGroupIds": {**many, "Description": "Security groups in the VPC"},
    }


def _given(parameter: str) -> Template:
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def _given_list(parameter: str) -> Template:
    return {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]}


def _function(stage: str, runtime: str, name: str) -> Template:
    more = {"Tick": _tick(stage), "Job": _job()}.get(name, {})
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
    arn = f"arn:${{AWS::Partition}}:lambda:${{AWS::Region}}:${{AWS::AccountId}}:function:{tick}"
    return {
        "ELT_JOB_FUNCTION": function_name(stage, "job"),
        "ELT_SCHEDULE_TARGET_ARN": {"Fn::Sub": arn},
        "ELT_SCHEDULE_RULE": rule_name(stage),
        "ELT_CORS_ORIGINS": {"Ref": "CorsOrigins"},
        "ELT_BUCKET": {"Ref": "Output"},
    }


def _tick(stage: str) -> Template:
    """The event has an id and may come twice, so failures are tried again."""
    return {
        "EventInvokeConfig": _on_failure(attempts=2, seconds=3600),
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
        "EphemeralStorage": {"Size": 10240},
        "EventInvokeConfig": _on_failure(attempts=0, seconds=3600),
    }


def _on_failure(*, attempts: int, seconds: int) -> Template:
    destination = {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Undone", "Arn"]}}
    return {
        "MaximumRetryAttempts": attempts,
        "MaximumEventAgeInSeconds": seconds,
        "DestinationConfig": {"OnFailure": destination},
    }


def _role_of(function: str) -> str:
    return {"APIHandler": "ApiHandlerRole"}.get(function, f"{function}Role")


def _role() -> Template:
    arn = f"arn:${{AWS::Partition}}:iam::aws:policy/{VPC_ACCESS}"
    return {"Properties": {"ManagedPolicyArns": [_if_vpc({"Fn::Sub": arn})]}}


def _if_vpc(value: Any) -> Template:
    return {"Fn::If": ["HasVpc", value, {"Ref": "AWS::NoValue"}]}


def _bucket() -> Template:
    """What runs leave: encrypted, private, over TLS only, and gone after a month."""
    everything = [{"Fn::GetAtt": ["Output", "Arn"]}, {"Fn::Sub": "${Output.Arn}/*"}]
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": everything,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    expiry = {
        "Id": "runs",
        "Status": "Enabled",
        "Prefix": "runs/",
        "ExpirationInDays": KEPT_DAYS,
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    aes = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    private = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Output": {
            "Type": "AWS::S3::Bucket",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "BucketEncryption": {"ServerSideEncryptionConfiguration": [aes]},
                "PublicAccessBlockConfiguration": dict.fromkeys(private, True),
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                "LifecycleConfiguration": {"Rules": [expiry]},
            },
        },
        "OutputPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": {"Ref": "Output"},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [tls_only]},
            },
        },
    }


def _undone(stage: str) -> Template:
    """Where invocations go that failed for good, with the event and the reason."""
    return {
        "Undone": {
            "Type": "AWS::SQS::Queue",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "QueueName": f"{APP}-{stage}-undone",
                "MessageRetentionPeriod": 14 * 24 * 3600,
                "SqsManagedSseEnabled": True,
            },
        }
    }


def _schedule_permission(stage: str) -> Template:
    """The rule may be deleted and made anew through the API, under the same name."""
    rule = rule_name(stage)
    arn = f"arn:${{AWS::Partition}}:events:${{AWS::Region}}:${{AWS::AccountId}}:rule/{rule}"
    return {
        "SchedulePermission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Ref": "Tick"},
                "Principal": "events.amazonaws.com",
                "SourceArn": {"Fn::Sub": arn},
            },
        }
    }
