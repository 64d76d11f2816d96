"""LocalStack without docker: a process on this machine, whose functions are processes, too."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chalicelib.errors import EltError
from dev.aws.runtime import find_runtime
from dev.localstack.libraries import lambda_libraries
from dev.localstack.ready import INSIDE, LOG, LocalStack, wait_until_ready
from dev.stack import LOCAL

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
ENVIRONMENT = LOCAL.parent / ".venv-localstack"
INSTALLED = ENVIRONMENT / ".installed"
SCRIPTS = ("ending", "executor", "authorizer", "clock")


@contextmanager
def on_host(port: int) -> Iterator[LocalStack]:
    """Run LocalStack on a port of 127.0.0.1, all its files in a folder that goes with it.

    Raises EltError when it is not installed or does not start.
    """
    _check_machine()
    endpoint = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory(prefix="elt-localstack-") as folder, LOG.open("wb") as log:
        process = subprocess.Popen(
            [str(ENVIRONMENT / "bin" / "python"), "-m", "localstack.runtime.main"],
            env=_environment(Path(folder), port),
            start_new_session=True,
            stdin=subprocess.PIPE,  # it ends with this process: see inside/ending.py
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_ready(endpoint, SCRIPTS, process.poll)
            yield LocalStack(endpoint)
        finally:
            _stop(process)


def _check_machine() -> None:
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        what = "without docker the package runs on Linux on x86_64 only"
        raise EltError(what, where="LocalStack", fix="Start docker.")
    if not INSTALLED.exists():
        fix = "Say make test-aws, which installs it."
        raise EltError("LocalStack is not installed", where=ENVIRONMENT.name, fix=fix)


def _environment(folder: Path, port: int) -> dict[str, str]:
    """Nothing of this machine's but PATH: its proxies and AWS accounts are none of ours."""
    scripts = folder / "root" / "etc" / "localstack" / "init" / "start.d"
    scripts.mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(INSIDE / f"{name}.py", scripts)
    (folder / "tmp").mkdir()
    runtime = find_runtime()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ELT_LOCALSTACK_FOLDER": str(folder),
        "TEMP": str(folder / "tmp"),
        "FILESYSTEM_ROOT": str(folder / "root"),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "GATEWAY_SERVER": "hypercorn",
        "LAMBDA_RETRY_BASE_DELAY": "1",
        "DISABLE_EVENTS": "1",
        "DNS_ADDRESS": "0",
        "OVERRIDE_IN_DOCKER": "0",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "ELT_LAMBDA_PYTHON": runtime.interpreter,
        "ELT_LAMBDA_RUNTIME": runtime.name,
        "ELT_LAMBDA_BOOTSTRAP": str(BOOTSTRAP),
        "ELT_LAMBDA_LIBRARIES": str(lambda_libraries(folder / "libraries")),
    }


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it and its functions, in mid-event too: of all they hold, nothing is kept."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
