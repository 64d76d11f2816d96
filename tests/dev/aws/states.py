"""The state machine in the emulated AWS, where it is stored and does nothing."""

from __future__ import annotations

import boto3

from dev.aws.fanout import RETRIES, text

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:"


def make_machine(name: str = "fanout") -> str:
    """Its ARN."""
    written = text().replace(RETRIES, "2")
    for function in ("Part", "Finish"):
        written = written.replace(f"${{{function}.Arn}}", FUNCTION + function.lower())
    made = boto3.client("stepfunctions").create_state_machine(
        name=name, definition=written, roleArn="arn:aws:iam::123456789012:role/fanout"
    )
    return str(made["stateMachineArn"])
