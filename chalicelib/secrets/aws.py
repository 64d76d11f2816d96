"""Secrets of AWS: Secrets Manager, and the parameters of SSM."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, NamedTuple

from chalicelib.errors import SecretError
from chalicelib.secrets.names import checked

MAX_BYTES = 65_536
"""Secrets Manager takes no longer value."""

ATTEMPTS = 20
"""Each failure means that another writer succeeded."""

PAUSE = 0.05
"""Seconds until the next attempt."""

_CURRENT, _PENDING = "AWSCURRENT", "ELTPENDING"
_MISSING = ("ResourceNotFoundException", "ParameterNotFound")

_CREDENTIALS = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again."
_NETWORK = "Check the network and AWS_REGION; a Lambda in a VPC needs NAT or a VPC endpoint."
_RIGHTS = "Allow it in the role's policy, and kms:Decrypt when a key of your own encrypts it."
_REFUSALS = {
    "AccessDenied": ("access is denied", _RIGHTS),
    "AccessDeniedException": ("access is denied", _RIGHTS),
    "DecryptionFailure": ("it cannot be decrypted", _RIGHTS),
    "InvalidRequestException": (
        "it is marked for deletion",
        "Restore it in Secrets Manager, or use another name.",
    ),
    "ExpiredTokenException": ("the AWS credentials have expired", _CREDENTIALS),
    "UnrecognizedClientException": ("the AWS credentials are not accepted", _CREDENTIALS),
}


_Client = Any  # boto3 makes its classes when it runs
_MAKING = Lock()  # clients may be used in several threads, but not made in several at once


class _Version(NamedTuple):
    """What a secret holds now, and the id that AWS knows it by."""

    value: str
    id: str


@dataclass(frozen=True)
class AwsSecrets:
    """A SecretStore below a prefix such as `elt/prod/user/` of Secrets Manager.

    Every method raises SecretError when AWS refuses or cannot be reached.
    """

    prefix: str

    def get(self, name: str) -> str | None:
        """The value, None when there is none."""
        secret = self.prefix + checked(name)
        with _translated(secret):
            current = _current(_client("secretsmanager"), secret)
        return current.value if current else None

    def put(self, name: str, value: str) -> None:
        """Store a value, in place of an earlier one."""
        self.update(name, lambda _: value)

    def update(self, name: str, change: Callable[[str | None], str]) -> str:
        """Replace the value by what `change` makes of it, in one step; the new value.

        `change` is called again when somebody else was faster.
        """
        secret = self.prefix + checked(name)
        with _translated(secret):
            client = _client("secretsmanager")
            for _ in range(ATTEMPTS):
                current = _current(client, secret)
                value = _fitting(change(current.value if current else None), secret)
                if _stored(client, secret, current, value):
                    return value
                time.sleep(PAUSE)
        raise SecretError("others keep changing it", where=secret, fix="Try again in a minute.")

    def names(self) -> list[str]:
        """The names of all secrets, sorted."""
        with _translated(self.prefix):
            pages = _client("secretsmanager").get_paginator("list_secrets")
            found = [
                secret["Name"]
                for page in pages.paginate(Filters=[{"Key": "name", "Values": [self.prefix]}])
                for secret in page["SecretList"]
            ]
        ours = (name for name in found if name.startswith(self.prefix))
        return sorted(name.removeprefix(self.prefix) for name in ours)


def parameter(path: str) -> str | None:
    """The value of an SSM parameter, decrypted, None when there is none. Raises SecretError."""
    with _translated(path):
        try:
            answer = _client("ssm").get_parameter(Name=path, WithDecryption=True)
        except _client_error() as error:
            if _code(error) in _MISSING:
                return None
            raise
    return str(answer["Parameter"]["Value"])


def _current(client: _Client, secret: str) -> _Version | None:
    try:
        answer = client.get_secret_value(SecretId=secret, VersionStage=_CURRENT)
    except _client_error() as error:
        if _code(error) in _MISSING:
            return None
        raise
    if "SecretString" not in answer:
        raise SecretError("it is binary", where=secret, fix="Store it as text.")
    return _Version(answer["SecretString"], answer["VersionId"])


def _stored(client: _Client, secret: str, current: _Version | None, value: str) -> bool:
    """Store the value if the secret is still what it was; false when it is not."""
    if current is None:
        return _created(client, secret, value)
    return current.value == value or _replaced(client, secret, current, value)


def _created(client: _Client, secret: str, value: str) -> bool:
    try:
        client.create_secret(Name=secret, SecretString=value)
    except client.exceptions.ResourceExistsException:
        return False
    return True


def _replaced(client: _Client, secret: str, current: _Version, value: str) -> bool:
    """Moving the label from one version to another is the one step that AWS compares and swaps."""
    new = client.put_secret_value(SecretId=secret, SecretString=value, VersionStages=[_PENDING])
    try:
        client.update_secret_version_stage(
            SecretId=secret,
            VersionStage=_CURRENT,
            MoveToVersionId=new["VersionId"],
            RemoveFromVersionId=current.id,
        )
    except client.exceptions.InvalidParameterException:
        return False
    return True


def _fitting(value: str, secret: str) -> str:
    if 0 < len(value.encode()) <= MAX_BYTES:
        return value
    raise SecretError(
        f"a secret has 1 to {MAX_BYTES:,} bytes", where=secret, fix="Store another value."
    )


def _client(service: Literal["secretsmanager", "ssm"]) -> _Client:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
    with _MAKING:
        return boto3.client(service, config=patience)


def _client_error() -> type[Exception]:
    from botocore.exceptions import ClientError

    return ClientError


def _code(error: Any) -> str:
    return str(error.response["Error"]["Code"])


@contextmanager
def _translated(where: str) -> Iterator[None]:
    """Raise SecretError in place of botocore's errors, whose texts may repeat the value."""
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        otherwise = (f"AWS answers {_code(error)}", _RIGHTS)
        what, fix = _REFUSALS.get(_code(error), otherwise)
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError):
        what, fix = "no AWS credentials were found", _CREDENTIALS
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        what, fix = f"AWS cannot be reached ({type(error).__name__})", _NETWORK
    except aws.BotoCoreError as error:
        what, fix = f"AWS cannot be asked ({type(error).__name__})", _NETWORK
    else:
        return
    raise SecretError(what, where=where, fix=fix)
