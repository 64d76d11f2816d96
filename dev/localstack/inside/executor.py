"""Lambda without docker: an execution environment is a process on this machine.

LocalStack runs this script in its own process when it starts. Each environment keeps its process
from one invocation to the next, as on AWS, and has a disk of its own at TMPDIR. What it does not
emulate: the memory limit, the read-only package, and that Lambda freezes an idle process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation import plugins
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

PYTHON = os.environ["ELT_LAMBDA_PYTHON"]
RUNTIME = os.environ["ELT_LAMBDA_RUNTIME"]
"""What Lambda calls it: python3.13."""

BOOTSTRAP = os.environ["ELT_LAMBDA_BOOTSTRAP"]
LIBRARIES = os.environ["ELT_LAMBDA_LIBRARIES"]
"""The folder with what Lambda's runtime brings besides Python: boto3."""

_UNZIPPED: dict[str, Path] = {}
_UNZIPPING = threading.Lock()


class ProcessExecutor(RuntimeExecutor):  # type: ignore[misc]
    """LocalStack calls `start` once, `invoke` for one event after the other, and `stop`."""

    def start(self, env_vars: dict[str, Any]) -> None:
        """The environment comes up; its process starts with the first event."""
        self._disk = tempfile.mkdtemp(prefix="environment-")
        self._environment = _environment(env_vars, self._task_root(), self._disk)
        self._log = tempfile.TemporaryFile("w+b")  # noqa: SIM115 - closed in stop
        self._process: subprocess.Popen[str] | None = None

    def stop(self) -> None:
        """End the process, in mid-event too."""
        self._end()
        self._log.close()
        shutil.rmtree(self._disk, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Hand over an event and wait for its answer, no longer than the function's timeout."""
        request_id, begin = payload["invoke-id"], self._log.seek(0, os.SEEK_END)
        answer = self._ask(payload)
        return InvocationResult(
            request_id=request_id,
            payload=answer["payload"].encode(),
            is_error=answer["failed"],
            logs=self._logged_since(begin, request_id),
        )

    def _ask(self, payload: dict[str, str]) -> dict[str, Any]:
        seconds = self.function_version.config.timeout
        process, begun = self._running(), time.monotonic()
        overdue = threading.Timer(seconds, process.kill)
        overdue.start()
        line = _exchange(process, _invocation(payload, seconds))
        overdue.cancel()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        self._end()
        if time.monotonic() - begun >= seconds:
            return _failed("Sandbox.Timedout", f"Task timed out after {seconds}.00 seconds")
        return _failed("Runtime.ExitError", f"Runtime exited: status {process.returncode}")

    def _running(self) -> subprocess.Popen[str]:
        """The process; a new one when there is none yet, or the last one has ended."""
        if self._process is None:
            self._process = subprocess.Popen(
                # No site-packages, no folder of the script: only what PYTHONPATH names.
                [PYTHON, "-S", "-P", "-B", "-u", BOOTSTRAP],
                env=self._environment,
                cwd=self._task_root(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                encoding="utf-8",
            )
        return self._process

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.communicate()
        self._process = None

    def _logged_since(self, begin: int, request_id: str) -> str:
        """What was printed meanwhile; LocalStack puts it into CloudWatch Logs."""
        self._log.seek(begin)
        printed = self._log.read().decode("utf-8", "replace")
        name = self.function_version.id.function_name
        print(f"--- {name} {request_id}\n{printed}", end="", file=sys.stderr, flush=True)
        return f"START RequestId: {request_id}\n{printed}END RequestId: {request_id}\n"

    def _task_root(self) -> Path:
        return _UNZIPPED[self.function_version.config.code.code_sha256]

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unzip the package once for all functions that have the same one."""
        code, runtime = function_version.config.code, function_version.config.runtime
        if runtime != RUNTIME:
            raise ValueError(f"the package is for {runtime}, and the Python here is {RUNTIME}")
        with _UNZIPPING:
            if code.code_sha256 not in _UNZIPPED:
                code.prepare_for_execution()
                _UNZIPPED[code.code_sha256] = _kept(code.get_unzipped_code_location())

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Nothing: another function may have the same package."""

    def get_address(self) -> str:
        """Where the environment is."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Where the environment finds LocalStack, for AWS_ENDPOINT_URL."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Where a container would report to; a process has its pipes."""
        return "http://127.0.0.1"

    def get_logs(self) -> str:
        """Nothing: each invocation carries its own."""
        return ""


def _kept(unzipped: Path) -> Path:
    """The package in a place where LocalStack does not delete it with its first function."""
    return unzipped.rename(Path(tempfile.mkdtemp(prefix="package-")) / "task")


def _environment(given: dict[str, Any], task: Path, disk: str) -> dict[str, str]:
    """What Lambda sets, what the function's configuration sets, and nothing of this machine's."""
    ours = {name: value for name, value in given.items() if not name.startswith("LOCALSTACK_")}
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "en_US.UTF-8",
        **{name: str(value) for name, value in ours.items()},
        "PYTHONPATH": f"{task}:{LIBRARIES}",
        "LAMBDA_TASK_ROOT": str(task),
        "TMPDIR": disk,
        "HOME": disk,
    }


def _invocation(payload: dict[str, str], seconds: float) -> str:
    return json.dumps(
        {
            "event": json.loads(payload["payload"] or "null"),
            "request_id": payload["invoke-id"],
            "arn": payload["invoked-function-arn"],
            "seconds": seconds,
        }
    )


def _exchange(process: subprocess.Popen[str], line: str) -> str:
    """The process's line for ours, empty when it has ended instead."""
    assert process.stdin is not None and process.stdout is not None  # noqa: PT018 - pipes
    try:
        process.stdin.write(line + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        return ""
    return process.stdout.readline()


def _failed(kind: str, message: str) -> dict[str, Any]:
    described = json.dumps({"errorType": kind, "errorMessage": message})
    return {"failed": True, "payload": described}


plugins.DockerRuntimeExecutorPlugin.load = lambda *_args, **_options: ProcessExecutor
