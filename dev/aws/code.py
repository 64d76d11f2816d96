"""The packages in S3, each under a name made of its content."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3

from dev.aws.account import Account, client, translated
from dev.aws.storage import PRIVATE

HOME = "us-east-1"
"""The one region that S3 wants not to be named."""


def upload(account: Account, file: Path) -> str:
    """Put a file of the package into the code bucket, unless it is there; its key."""
    s3, bucket = client("s3"), account.code_bucket
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()[:32]
    key = f"{account.stage}/{digest}{file.suffix}"
    with translated(f"s3://{bucket}"):
        _ensure_bucket(s3, account)
        if not _is_there(s3, bucket, key):
            s3.upload_file(str(file), bucket, key)
    return key


def url(account: Account, key: str) -> str:
    """The address of a template, as CloudFormation takes it."""
    return f"{client('s3').meta.endpoint_url}/{account.code_bucket}/{key}"


def empty(bucket: str, prefix: str = "") -> None:
    """Remove the objects of a bucket, if it is there."""
    with translated(f"s3://{bucket}"):
        s3 = boto3.session.Session().resource("s3")
        with suppress(s3.meta.client.exceptions.NoSuchBucket):
            s3.Bucket(bucket).objects.filter(Prefix=prefix).delete()


def forget_others(account: Account, kept: set[str]) -> None:
    """Remove what earlier deployments of the stage uploaded.

    Not by age: CloudFormation goes back to the package that works, however old.
    """
    with translated(f"s3://{account.code_bucket}"):
        bucket = boto3.session.Session().resource("s3").Bucket(account.code_bucket)
        for found in bucket.objects.filter(Prefix=f"{account.stage}/"):
            if found.key not in kept:
                found.delete()


def _ensure_bucket(s3: Any, account: Account) -> None:
    """New objects are encrypted by S3 itself; the bucket is private, and kept by `destroy`."""
    bucket, owner = account.code_bucket, account.number
    location = {"LocationConstraint": account.region}
    options = {} if account.region == HOME else {"CreateBucketConfiguration": location}
    try:
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=owner)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        s3.create_bucket(Bucket=bucket, **options)
        s3.put_public_access_block(
            Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(PRIVATE, True)
        )


def _is_there(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "404":
            raise
        return False
    return True
