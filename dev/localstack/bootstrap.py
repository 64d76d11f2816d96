"""The process of one execution environment: imports the handler once, then answers events.

It is started with nothing on its path but the unzipped package and what Lambda's runtime brings.
A line on standard input is an invocation, a line on standard output its answer, both JSON.
Whatever the function prints goes to standard error, which is its log.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, TextIO


class Context:
    """What a handler is told about its invocation, under the names that Lambda uses."""

    identity = None
    client_context = None

    def __init__(self, request_id: str, arn: str, seconds: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the process."""
        return max(0, int(1000 * (self._deadline - time.monotonic())))


def main() -> None:
    """Answer until standard input ends, as it does when the executor is gone."""
    answers = _take_standard_output()
    handler = _handler(os.environ["_HANDLER"])
    for line in sys.stdin:
        answers.write(json.dumps(_answer(handler, json.loads(line))) + "\n")
        answers.flush()


def _take_standard_output() -> TextIO:
    """Keep it for the answers; what the function prints goes to the log."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _handler(name: str) -> Callable[[Any, Context], Any]:
    module, _, attribute = name.rpartition(".")
    found: Callable[[Any, Context], Any] = getattr(
        importlib.import_module(module.replace("/", ".")), attribute
    )
    return found


def _answer(handler: Callable[[Any, Context], Any], invocation: dict[str, Any]) -> dict[str, Any]:
    request_id = invocation["request_id"]
    context = Context(request_id, invocation["arn"], invocation["seconds"])
    try:
        payload = json.dumps(handler(invocation["event"], context))
    except Exception as error:
        traceback.print_exc()
        described = {
            "errorMessage": str(error),
            "errorType": type(error).__name__,
            "requestId": request_id,
        }
        return {"failed": True, "payload": json.dumps(described)}
    return {"failed": False, "payload": payload}


if __name__ == "__main__":
    main()
