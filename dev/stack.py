"""What the pipeline needs around it, on one machine: PostgreSQL, S3 and an API, with samples."""

from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import requests
from moto.server import ThreadedMotoServer

from chalicelib.errors import EltError
from dev.postgres import postgres
from dev.sample_api import sample_api
from dev.sample_data import write_sample

__all__ = ["LOCAL", "SAMPLE_BUCKET", "aws_environment", "emulated_aws", "postgres", "stack"]

LOCAL = Path(__file__).resolve().parent.parent / ".local"
SAMPLE_BUCKET = "elt-sample"
SERVICE_BUCKET = "elt-service"
"""Where runs of the local service keep their files."""
SCHEDULE_TARGET = "arn:aws:lambda:eu-central-1:000000000000:function:elt-pipeline-local-tick"
LOCALSTACK = "/_localstack/health"


@contextmanager
def stack(local: Path = LOCAL, aws_port: int = 0) -> Iterator[dict[str, str]]:
    """Start everything and yield the environment for a process that is to use it.

    PostgreSQL keeps its rows in `local` from one time to the next; all else is new.
    Raises EltError when another process has the stack of this folder running.
    """
    token = secrets.token_urlsafe(16)
    with (
        _only_one(local),
        postgres(local / "postgres") as database,
        _aws(aws_port) as endpoint,
        sample_api(token) as api,
    ):
        shutil.rmtree(local / "sample", ignore_errors=True)
        write_sample(local / "sample" / "orders")
        upload(local / "sample", endpoint, SAMPLE_BUCKET)
        make_bucket(endpoint, SERVICE_BUCKET)
        yield (
            _own_environment()
            | aws_environment(endpoint)
            | {
                "ELT_TARGET_URL": database,
                "ELT_SERVICE_URL": database,
                "ELT_BUCKET": SERVICE_BUCKET,
                "ELT_STATE_DIR": str(local / "state"),
                "ELT_SCHEDULE_TARGET_ARN": SCHEDULE_TARGET,
                "ELT_ALLOW_HOSTS": "127.0.0.1",
                "ELT_SAMPLE_API_URL": api,
                "ELT_SAMPLE_API_TOKEN": token,
            }
        )


@contextmanager
def _aws(port: int) -> Iterator[str]:
    """The LocalStack that answers on the port already, or an emulated AWS of our own there."""
    endpoint = f"http://127.0.0.1:{port}"
    if port and _answers(endpoint + LOCALSTACK):
        yield endpoint
        return
    if port and is_taken(port):
        raise EltError(
            f"port {port} is taken by something that is not LocalStack",
            where="emulated AWS",
            fix="End it, or name another port: make local AWS_PORT=4567.",
        )
    with emulated_aws(port) as own:
        yield own


def is_taken(port: int) -> bool:
    """Whether something listens on the port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=1).ok
    except requests.RequestException:
        return False


@contextmanager
def emulated_aws(port: int = 0) -> Iterator[str]:
    """Serve an empty, emulated AWS on 127.0.0.1 and yield the URL of its endpoint."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


def aws_environment(endpoint: str) -> dict[str, str]:
    """The variables that send boto3 to `endpoint` and nowhere else, whatever `~/.aws` says."""
    no_proxy = os.environ.get("no_proxy", os.environ.get("NO_PROXY", ""))
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "no_proxy": f"{no_proxy},127.0.0.1",
    }


def upload(folder: Path, endpoint: str, bucket: str) -> None:
    """Make the bucket and put every file of `folder` into it, its relative path as the key."""
    s3 = make_bucket(endpoint, bucket)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        s3.upload_file(str(path), bucket, path.relative_to(folder).as_posix())


def make_bucket(endpoint: str, bucket: str) -> Any:
    """Make the bucket, unless it is there in a LocalStack that lives on, and return a client."""
    s3 = _session().client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=bucket)
    return s3


def _session() -> boto3.Session:
    """A session that knows nothing of the person's own profile and `~/.aws`."""
    none, nowhere = (None, None, None, None), (None, None, os.devnull, None)
    variables = {"profile": none, "config_file": nowhere, "credentials_file": nowhere}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=variables))


def _own_environment() -> dict[str, str]:
    """The environment of this process without the person's AWS account."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


@contextmanager
def _only_one(local: Path) -> Iterator[None]:
    """Two runs at once would take the target table from each other."""
    local.mkdir(parents=True, exist_ok=True)
    with (local / "run.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EltError(
                "another run is at work in this folder",
                where=str(local),
                fix="Wait until it has ended, or end it.",
            ) from None
        yield
