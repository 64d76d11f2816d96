"""Start work that outlives the request which asked for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping

from chalicelib import settings
from chalicelib.causes import in_one_line
from chalicelib.errors import LaunchError

Event = Mapping[str, str]
"""What is to be done: `{"run_id": …}` or `{"preview_id": …}`."""


def launch(event: Event) -> None:
    """Hand the work to the job function on AWS, to a thread on a laptop, and do not wait.

    Raises LaunchError when the function cannot be invoked.
    """
    if function := settings.job_function():
        _invoke(function, event)
    else:
        threading.Thread(target=_work, args=(event,), name=str(dict(event)), daemon=True).start()


def launchable() -> str:
    """What carries out the work, after asking whether it could start now, and starting nothing.

    Raises LaunchError when the function cannot be invoked.
    """
    function = settings.job_function()
    if function is None:
        return "a thread of this process"
    _invoke(function, {}, kind="DryRun")
    return function


def _invoke(function: str, event: Event, kind: str = "Event") -> None:
    """Within the 29 seconds that API Gateway waits, whatever the network does."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    payload = json.dumps(dict(event)).encode()
    patience = Config(connect_timeout=3, read_timeout=8, retries={"total_max_attempts": 2})
    try:
        client = boto3.session.Session().client("lambda", config=patience)
        client.invoke(FunctionName=function, InvocationType=kind, Payload=payload)
    except (BotoCoreError, ClientError) as error:
        raise LaunchError(
            f"the job function cannot be started: {in_one_line(error)}",
            where=function,
            fix="What was queued is given up in two minutes. Check ELT_JOB_FUNCTION, the network "
            "and that the role may invoke it, then try again.",
        ) from error


def _work(event: Event) -> None:
    from chalicelib.jobs import worker  # the job function is a process of its own

    worker.handle(event)
