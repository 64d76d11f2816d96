"""PARAMETERS of make deploy: what the template is applied with, checked before anything is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.errors import UsageError

WHERE = "PARAMETERS"
TOGETHER = ("SubnetIds", "SecurityGroupIds")
"""A function is in a VPC with both of them."""

ARNS = {
    "SourceKeys": (
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+",
        "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ),
    "SourceBuckets": (r"arn:aws[a-z-]*:s3:::[a-z0-9.-]+", "arn:aws:s3:::my-bucket"),
}
"""What each of a list must look like, and an example of one."""


def parse_parameters(text: str) -> dict[str, str]:
    """`AlarmEmail=me@example.com SourceBuckets=arn:aws:s3:::a,arn:aws:s3:::b`, by their names."""
    words = [word.partition("=") for word in text.split()]
    if wrong := [name for name, equals, _ in words if not (name and equals)]:
        fix = 'Write PARAMETERS="AlarmEmail=me@example.com CorsOrigins=https://example.com".'
        raise UsageError(f"{wrong[0]!r} is not Name=value", where=WHERE, fix=fix)
    return {name: value for name, _, value in words}


def check_parameters(given: Mapping[str, str], declared: Iterable[str]) -> None:
    """Raise UsageError for what AWS would refuse when half of the stack is made."""
    if unknown := sorted(set(given) - set(declared)):
        fix = f"There are {', '.join(sorted(declared))}."
        raise UsageError(f"there is no parameter {' or '.join(unknown)}", where=WHERE, fix=fix)
    if len({bool(given.get(name)) for name in TOGETHER}) > 1:
        fix = "Give both, or both empty to leave the VPC."
        raise UsageError(f"{' and '.join(TOGETHER)} belong together", where=WHERE, fix=fix)
    for name, (pattern, example) in ARNS.items():
        for value in filter(None, given.get(name, "").split(",")):
            if not re.fullmatch(pattern, value):
                fix = f"Write {name}={example}, several with commas and without spaces."
                raise UsageError(f"{value!r} is no ARN for {name}", where=WHERE, fix=fix)
