"""The one boundary where errors of S3 become SourceError."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.causes import in_one_line
from chalicelib.errors import SourceError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

CREDENTIALS = "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in again."
RIGHTS = "Allow s3:ListBucket on the bucket and s3:GetObject below the prefix."

REFUSALS = {
    "AccessDenied": ("access is denied", RIGHTS),
    "403": ("access is denied", RIGHTS),
    "AllAccessDisabled": ("access is denied", RIGHTS),
    "NoSuchBucket": ("there is no such bucket", "Correct the bucket's name in the source's s3."),
    "InvalidBucketName": ("this is no bucket's name", "Correct the source's s3."),
    "ExpiredToken": ("the AWS credentials have expired", CREDENTIALS),
    "InvalidAccessKeyId": ("the AWS access key does not exist", CREDENTIALS),
    "SignatureDoesNotMatch": ("the AWS secret key is wrong", CREDENTIALS),
    "InvalidObjectState": (
        "an object is archived",
        "Restore it from Glacier, or move it out of the prefix.",
    ),
}
"""What S3 refuses with, and what to do."""

CHANGED = {"PreconditionFailed", "412", "NoSuchKey", "404"}
"""The answers for an object that is no longer the one that was listed."""


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Raise SourceError, with the URL, in place of botocore's errors and the disk's."""
    from botocore import exceptions as aws

    try:
        yield
    except aws.ClientError as error:
        raise _refused(error, url) from error
    except (aws.NoCredentialsError, aws.PartialCredentialsError, aws.CredentialRetrievalError):
        raise SourceError("no AWS credentials were found", where=url, fix=CREDENTIALS) from None
    except (aws.ConnectionError, aws.HTTPClientError) as error:
        raise SourceError(
            f"S3 cannot be reached ({type(error).__name__})",
            where=url,
            fix="Check the network, AWS_REGION and, if it is set, AWS_ENDPOINT_URL.",
        ) from error
    except aws.BotoCoreError as error:
        raise SourceError(
            f"S3 cannot be asked: {in_one_line(error)}",
            where=url,
            fix="Check the source's s3, AWS_PROFILE, AWS_REGION and AWS_ENDPOINT_URL.",
        ) from error
    except OSError as error:
        raise SourceError(
            f"{error.filename or 'a file'} cannot be written: {error.strerror}",
            where=url,
            fix="Make room or way for it in the source's folder.",
        ) from error


def may_be_read_again(error: Exception) -> bool:
    """Whether an object changed, or its body broke off, while it was read."""
    from botocore import exceptions as aws

    if isinstance(error, aws.ClientError):
        return error.response["Error"]["Code"] in CHANGED
    broken = (aws.IncompleteReadError, aws.ResponseStreamingError, aws.FlexibleChecksumError)
    return isinstance(error, (*broken, aws.ReadTimeoutError))


def _refused(error: ClientError, url: str) -> SourceError:
    answer: Any = error.response["Error"]
    code = str(answer.get("Code", ""))
    otherwise = (f"S3 answers {code}: {str(answer.get('Message', '')).rstrip('.')}", RIGHTS)
    what, fix = REFUSALS.get(code, otherwise)
    return SourceError(what, where=url, fix=fix)
