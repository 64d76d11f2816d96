"""Runs larger than one Lambda: AWS Step Functions starts an invocation for each of their parts.

Nothing else knows Step Functions. What becomes of the parts is in the database; here they are
handed over, and called back. The state machine is that of `dev/aws/fanout.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from chalicelib import settings
from chalicelib.causes import in_one_line
from chalicelib.errors import LaunchError

MANIFEST_PARTS = 10_000
"""Parts in one manifest: Step Functions runs no more children of a map at once, and the results
of all of them together, empty as ours are, must stay below 256 KB."""

Service = Any


def is_large(size: int, files: int) -> bool:
    """Whether a run of so many bytes and files is handed over, where there is a state machine."""
    large = size > settings.fanout_bytes() or files > settings.fanout_files()
    return settings.fanout_machine() is not None and large


def execution(run_id: str, attempt: int) -> str:
    """What an attempt at a run is called in Step Functions, before it is started and after."""
    machine = str(settings.fanout_machine())
    return f"{machine.replace(':stateMachine:', ':execution:')}:{_name(run_id, attempt)}"


def is_execution(owner: str | None) -> bool:
    """Whether a run belongs to Step Functions rather than to a process."""
    return owner is not None and owner.startswith("arn:") and ":execution:" in owner


def start(run_id: str, attempt: int, parts: Sequence[int]) -> None:
    """Have the parts loaded, and then the run published. The same attempt twice is one.

    Raises LaunchError.
    """
    bucket = settings.bucket()
    if bucket is None:
        raise LaunchError("a run is handed over by its bucket", where="ELT_BUCKET", fix="Set it.")
    with _client("s3") as s3:
        manifests = [
            _write(s3, bucket, f"runs/{run_id}/manifests/{attempt}-{number}.json", chunk)
            for number, chunk in enumerate(_chunks(parts), 1)
        ]
    given = {
        "run_id": run_id,
        "bucket": bucket,
        "manifests": manifests,
        "concurrency": settings.fanout_concurrency(),
        "tolerated": settings.fanout_tolerated(),
        "failure": None,
    }
    with _client("stepfunctions") as steps:
        steps.start_execution(
            stateMachineArn=settings.fanout_machine(),
            name=_name(run_id, attempt),
            input=json.dumps(given),
        )


def stop(running: str) -> None:
    """End an execution: no part of it is begun any more. Raises LaunchError."""
    with _client("stepfunctions") as steps:
        steps.stop_execution(executionArn=running, error="Cancelled", cause="the run was cancelled")


def reachable() -> str:
    """The state machine's name, after asking Step Functions for it. Raises LaunchError."""
    machine = settings.fanout_machine()
    if machine is None:
        return "none is set: every run is the job's own"
    with _client("stepfunctions") as steps:
        return str(steps.describe_state_machine(stateMachineArn=machine)["name"])


def _name(run_id: str, attempt: int) -> str:
    return f"{run_id}-{attempt}"


def _chunks(parts: Sequence[int]) -> Iterator[Sequence[int]]:
    """At least one, so that a run whose parts are all there comes to its end, too."""
    for first in range(0, max(len(parts), 1), MANIFEST_PARTS):
        yield parts[first : first + MANIFEST_PARTS]


def _write(s3: Service, bucket: str, key: str, parts: Sequence[int]) -> str:
    items = json.dumps([{"part": part} for part in parts])
    s3.put_object(Bucket=bucket, Key=key, Body=items.encode(), ContentType="application/json")
    return key


@contextmanager
def _client(service: Any) -> Iterator[Service]:
    """Within the seconds that API Gateway waits, whatever the network does."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    patience = Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 3})
    try:
        yield boto3.session.Session().client(service, config=patience)
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(
            f"the parts of a run cannot be handed over: {in_one_line(error)}",
            where=str(settings.fanout_machine()),
            fix="Check ELT_FANOUT_MACHINE, ELT_BUCKET, the network, and the role's rights there.",
        ) from error
