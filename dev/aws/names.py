"""What things are called on AWS."""

from __future__ import annotations

APP = "elt-pipeline"
FUNCTIONS = {
    "APIHandler": "api",
    "Authorizer": "authorizer",
    "Tick": "tick",
    "Job": "job",
    "Part": "part",
    "Finish": "finish",
    "Doctor": "doctor",
}
"""Chalice's name of each function in the template, and the end of its name on AWS."""


def stack_name(stage: str) -> str:
    """The CloudFormation stack of a stage; what else it names begins with it."""
    return f"{APP}-{stage}"


def function_name(stage: str, name: str) -> str:
    """The name on AWS of one of FUNCTIONS' values."""
    return f"{stack_name(stage)}-{name}"


def rule_name(stage: str) -> str:
    """The EventBridge rule of a stage."""
    return f"{stack_name(stage)}-tick"


def machine_name(stage: str) -> str:
    """The state machine of a stage."""
    return f"{stack_name(stage)}-fanout"


def arn(service: str, resource: str) -> dict[str, str]:
    """The ARN of a resource of the account and region that the template is applied in."""
    place = "${AWS::Region}:${AWS::AccountId}"
    return {"Fn::Sub": f"arn:${{AWS::Partition}}:{service}:{place}:{resource}"}
