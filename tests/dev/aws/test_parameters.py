"""What a template is applied with is checked before half of a stack is made of it."""

from __future__ import annotations

import pytest

from chalicelib.errors import UsageError
from dev.aws.parameters import check_parameters, parse_parameters
from dev.aws.template import parameters

DECLARED = parameters("dev")


def test_parameters_are_words_with_an_equals_sign() -> None:
    assert parse_parameters("A=b C=d,e=f") == {"A": "b", "C": "d,e=f"}
    with pytest.raises(UsageError, match="'A' is not Name=value"):
        parse_parameters("A b=c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "AlarmEmail=me@example.com",
        "SubnetIds=subnet-1,subnet-2 SecurityGroupIds=sg-1",
        "SubnetIds= SecurityGroupIds=",
        "SourceBuckets=arn:aws:s3:::a-bucket,arn:aws-cn:s3:::another.bucket",
        "SourceBuckets=",
        "SourceKeys=arn:aws:kms:eu-central-1:123456789012:key/12ab-34cd",
    ],
)
def test_what_the_template_takes_is_taken(text: str) -> None:
    check_parameters(parse_parameters(text), DECLARED)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("AlarmMail=a", r"no parameter AlarmMail.*There are AlarmEmail"),
        ("SubnetIds=subnet-1", "SubnetIds and SecurityGroupIds belong together"),
        ("SecurityGroupIds=sg-1", "belong together"),
        ("SubnetIds=subnet-1 SecurityGroupIds=", "belong together"),
        ("SourceKeys=alias/mine", "'alias/mine' is no ARN.*SourceKeys=arn:aws:kms:"),
        ("SourceBuckets=my-bucket", "'my-bucket' is no ARN.*SourceBuckets=arn:aws:s3:::my-bucket"),
        ("SourceBuckets=arn:aws:s3:::a,arn:aws:s3:::b/*", r"'arn:aws:s3:::b/\*' is no ARN"),
    ],
)
def test_what_aws_would_refuse_halfway_is_refused_at_once(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        check_parameters(parse_parameters(text), DECLARED)
