"""The AWS account that a command works on, and its failures in our words."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3
from botocore import exceptions as aws
from botocore.config import Config

from chalicelib.causes import in_one_line
from chalicelib.errors import EltError
from dev.aws.names import APP, function_name, rule_name, stack_name

CREDENTIALS = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again."
REGION = "Set AWS_DEFAULT_REGION, for example to eu-central-1, or a region in your profile."


@dataclass(frozen=True)
class Account:
    """Where a stage is deployed."""

    stage: str
    number: str
    region: str

    @classmethod
    def current(cls, stage: str) -> Account:
        """The account and region of the environment. Raises EltError when one is missing."""
        with translated("AWS"):
            region = boto3.session.Session().region_name
            if not region:  # without one STS answers all the same
                raise aws.NoRegionError
            caller = client("sts").get_caller_identity()
        return cls(stage, caller["Account"], region)

    @property
    def stack(self) -> str:
        """The name of the stage's CloudFormation stack."""
        return stack_name(self.stage)

    @property
    def code_bucket(self) -> str:
        """The bucket of the packages; all stages share it."""
        return f"{APP}-code-{self.number}-{self.region}"

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Let chalicelib work on this stage, as the functions do on AWS."""
        tick = function_name(self.stage, "tick")
        with patch.dict(
            os.environ,
            {
                "ELT_STAGE": self.stage,
                "ELT_SECRETS": "aws",
                "ELT_SCHEDULE_RULE": rule_name(self.stage),
                "ELT_SCHEDULE_TARGET_ARN": f"arn:{_partition(self.region)}:lambda:{self.region}:"
                f"{self.number}:function:{tick}",
            },
        ):
            yield


def client(service: Any, **options: Any) -> Any:
    """A client that waits as long as a person would."""
    return boto3.session.Session().client(
        service, config=Config(retries={"mode": "standard", "max_attempts": 5}, **options)
    )


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Raise EltError in place of botocore's errors."""
    try:
        yield
    except aws.ClientError as error:
        said = error.response["Error"]
        raise EltError(
            f"AWS answers {said.get('Code')}: {said.get('Message', '').rstrip('.')}",
            where=where,
            fix="",
        ) from error
    except aws.NoRegionError:
        raise EltError("no region is set", where=where, fix=REGION) from None
    except aws.ProfileNotFound as error:
        raise EltError(str(error).rstrip("."), where=where, fix=CREDENTIALS) from None
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError):
        raise EltError("no AWS credentials were found", where=where, fix=CREDENTIALS) from None
    except aws.BotoCoreError as error:
        raise EltError(
            f"AWS cannot be asked: {in_one_line(error)}",
            where=where,
            fix="Check the network, AWS_PROFILE and AWS_DEFAULT_REGION.",
        ) from error


def _partition(region: str) -> str:
    return str(boto3.session.Session().get_partition_for_region(region))
