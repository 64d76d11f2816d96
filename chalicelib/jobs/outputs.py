"""What runs wrote, in the service's bucket: kept by the job, handed out by URLs that expire."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from chalicelib import settings
from chalicelib.causes import in_one_line
from chalicelib.errors import EltError, NotFound
from chalicelib.start import OUTPUT

COMBINED, REJECTS = "combined.csv", "rejects.csv"

ON_REQUEST = "runs/on-request/"
"""Where the API may write: not beside the files that runs have written."""

FOR = timedelta(minutes=15)
"""How long a URL serves: it needs no token, so it should not lie about for long."""

MISSING = {"404", "403", "NoSuchKey", "NoSuchBucket", "AccessDenied"}
"""A role that may read objects but not list them is told 403 of one that is not there."""


class StorageError(EltError):
    """The service's bucket refused, or cannot be reached."""

    code = "storage"


@dataclass(frozen=True)
class Link:
    """Where a file can be fetched without a token, and until when."""

    url: str
    expires_at: datetime


def keep(run_id: str, folder: Path, names: Sequence[str]) -> list[str]:
    """Put those of a run's files that there are into the bucket. Why they are not there, if so.

    The rows are loaded whatever becomes of the files, so this is no failure of the run.
    """
    bucket = settings.bucket()
    if bucket is None:
        return []
    try:
        with _translated():
            for name in names:
                if (folder / name).exists():
                    _upload(folder / name, bucket, _key(run_id, name))
    except StorageError as error:
        return [f"the run's files were not kept: {error}"]
    return []


def of_run(run_id: str, part: int | None) -> tuple[Link, int | None]:
    """The combined CSV of a run, or of one of its parts; or the list of them, and how many.

    Raises NotFound when there is none.
    """
    if part is not None:
        return link(run_id, f"part-{part}/{COMBINED}"), None
    try:
        return link(run_id, COMBINED), None
    except NotFound as missing:
        try:
            return link(run_id, OUTPUT), len(_listed(run_id))
        except NotFound:
            raise missing from None


def _listed(run_id: str) -> list[Any]:
    with _translated():
        answer = _client().get_object(Bucket=str(settings.bucket()), Key=_key(run_id, OUTPUT))
        listed: list[Any] = json.load(answer["Body"])["parts"]
    return listed


def link(run_id: str, name: str) -> Link:
    """A URL of one of the run's files. Raises NotFound when it is not in the bucket."""
    bucket, key = _bucket(run_id, name), _key(run_id, name)
    with _translated():
        _refuse_missing({"Bucket": bucket, "Key": key}, run_id, name)
        return _linked(bucket, key, f"{run_id}-{name.replace('/', '-')}")


def hand_out(file: Path, run_id: str) -> Link:
    """A URL of a file that was made of a run's on request. NotFound without a bucket."""
    bucket, name = _bucket(run_id, file.name), f"{run_id}-{file.name}"
    key = f"{ON_REQUEST}{uuid4()}/{name}"
    with _translated():
        _upload(file, bucket, key)
        return _linked(bucket, key, name)


def _bucket(run_id: str, name: str) -> str:
    if bucket := settings.bucket():
        return bucket
    raise NotFound(
        f"{name} of run {run_id} is not kept",
        fix="Set ELT_BUCKET to a bucket of the service; later runs keep their files there.",
    )


def _linked(bucket: str, key: str, name: str) -> Link:
    attachment = f'attachment; filename="{name}"'
    url = _client().generate_presigned_url(
        "get_object",
        Params={"Bucket": bucket, "Key": key, "ResponseContentDisposition": attachment},
        ExpiresIn=int(FOR.total_seconds()),
    )
    return Link(url, datetime.now(UTC) + FOR)


def _refuse_missing(place: dict[str, str], run_id: str, name: str) -> None:
    from botocore.exceptions import ClientError

    try:
        _client().head_object(**place)
    except ClientError as error:
        if error.response["Error"]["Code"] not in MISSING:
            raise
        raise NotFound(
            f"there is no {name} of run {run_id}",
            fix="Runs that wrote one keep it for as long as the bucket's lifecycle says.",
        ) from None


def _upload(file: Path, bucket: str, key: str) -> None:
    kind = mimetypes.types_map[file.suffix]
    _client().upload_file(str(file), bucket, key, ExtraArgs={"ContentType": kind})


def _key(run_id: str, name: str) -> str:
    return f"runs/{run_id}/{name}"


def _client() -> Any:
    import boto3
    from botocore.config import Config

    patience = Config(connect_timeout=5, read_timeout=30, signature_version="s3v4")
    return boto3.session.Session().client("s3", config=patience)


@contextmanager
def _translated() -> Iterator[None]:
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError, Boto3Error) as error:
        raise StorageError(
            in_one_line(error),
            where=f"s3://{settings.bucket()}",
            fix="Check ELT_BUCKET, the network, and that the role may read and write runs/* there.",
        ) from error
