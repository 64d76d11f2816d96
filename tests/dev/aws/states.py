"""The state machine in the emulated AWS, where it is stored and does nothing."""

from __future__ import annotations

import json

import boto3

from dev.aws.fanout import definition

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:"


def make_machine(name: str = "fanout") -> str:
    """Its ARN."""
    text = json.dumps(definition())
    for function in ("Part", "Finish"):
        text = text.replace(f"${{{function}.Arn}}", FUNCTION + function.lower())
    made = boto3.client("stepfunctions").create_state_machine(
        name=name, definition=text, roleArn="arn:aws:iam::123456789012:role/fanout"
    )
    return str(made["stateMachineArn"])
