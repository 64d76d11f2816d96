"""`python -m dev.localstack.install`: LocalStack in an environment of its own, where it is needed.

Its requirements contradict ours, so it does not go into `.venv`; and it wants a newer Python than
the service does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chalicelib.errors import EltError
from dev.aws.runtime import find_runtime
from dev.localstack.docker import docker_answers
from dev.localstack.host import ENVIRONMENT, INSTALLED

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def main() -> int:
    """Install it unless docker brings it; returns the exit code."""
    if docker_answers():
        print("Docker answers: LocalStack runs there, nothing is installed.")
        return 0
    try:
        _install()
    except EltError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


def _install() -> None:
    runtime = find_runtime()
    if not runtime.runs_on_lambda:
        raise EltError(
            "LocalStack wants Python 3.12 or newer, and there is none",
            fix="Install python3.13, or start docker.",
        )
    print("Installing LocalStack in .venv-localstack (once, 500 MB, about two minutes) …")
    pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-qq"]
    for command in (
        [runtime.interpreter, "-m", "venv", "--clear", str(ENVIRONMENT)],
        [*pip, "--disable-pip-version-check", "-r", str(REQUIREMENTS)],
    ):
        if subprocess.run(command, check=False).returncode:
            raise EltError("LocalStack could not be installed", where=" ".join(command))
    INSTALLED.touch()


if __name__ == "__main__":
    sys.exit(main())
