"""`python -m dev run [arguments]`, `… local [PORT [AWS_PORT]]` and `… psql [arguments]`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

from chalicelib.errors import EltError, UsageError
from dev.postgres import PORT, postgres, program
from dev.stack import LOCAL, stack

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE = 5.0
"""Seconds that an interrupted child has to end by itself."""


def main(arguments: Sequence[str]) -> int:
    """Carry out one command; returns the exit code."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _leave)
    try:
        return _command(arguments)(arguments[1:])
    except EltError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _command(arguments: Sequence[str]) -> Callable[[Sequence[str]], int]:
    name = arguments[0] if arguments else ""
    if name not in COMMANDS:
        known = " or ".join(COMMANDS)
        raise UsageError(f"{name!r} is not {known}", fix=f"Say `python -m dev` {known}.")
    return COMMANDS[name]


def run(arguments: Sequence[str]) -> int:
    """Run the pipeline of config.yaml in the local stack."""
    command = [sys.executable, "-m", "chalicelib", "run", "--config", "config.yaml", *arguments]
    with stack() as environment:
        return _wait_for(command, environment)


def psql(arguments: Sequence[str]) -> int:
    """Open psql on the local database."""
    with postgres(LOCAL / "postgres") as url:
        # Ctrl-C cancels a query in psql; it does not end this process.
        signal.signal(signal.SIGINT, lambda *_: None)
        command = [str(program("psql")), "--dbname", url, *arguments]
        return _wait_for(command, os.environ | {"PGPORT": PORT})


def local(arguments: Sequence[str]) -> int:
    """Serve the API on a port (8000), with everything that it needs, until Ctrl-C."""
    from dev.local import prepare, refuse_taken

    port, aws_port = (int(argument) for argument in (*arguments, "8000", "4566")[:2])
    refuse_taken(port)
    with stack(aws_port=aws_port) as environment:
        token = prepare(environment)
        print(f"token     {token}   (admin)", flush=True)
        return _wait_for([sys.executable, "-m", "dev.serve", str(port)], environment)


def _wait_for(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a child to its end, or end it when this process has to leave."""
    child = subprocess.Popen(command, env=environment, cwd=LOCAL.parent)
    try:
        code = child.wait()
    except KeyboardInterrupt:  # the terminal has told the child, too
        _await_end(child)
        raise
    except SystemExit:
        child.terminate()
        _await_end(child)
        raise
    return code if code >= 0 else 128 - code


def _await_end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _leave(number: int, _: FrameType | None) -> None:
    """Unwind everything, undisturbed by further signals."""
    for name in SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    sys.exit(128 + number)


COMMANDS = {"run": run, "psql": psql, "local": local}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
