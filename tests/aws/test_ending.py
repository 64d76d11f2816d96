"""LocalStack without docker leaves nothing behind, whatever becomes of those who started it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from dev.localstack import LocalStack
from tests.aws.service import eventually

START = """
import pathlib, time
from dev.localstack import _free_port, host
host.LOG = pathlib.Path({log!r})
with host.on_host(_free_port()):
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def started(emulator: LocalStack, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has started a LocalStack of its own."""
    if emulator.machine != "127.0.0.1":
        pytest.skip("in docker the container outlives a killed starter; `docker ps` shows it")
    code = START.format(log=str(tmp_path / "log"))
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(tmp_path)}
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()


def test_no_process_and_no_file_outlives_a_killed_starter(
    started: subprocess.Popen[str], tmp_path: Path
) -> None:
    (running,) = psutil.Process(started.pid).children()
    started.kill()
    eventually(lambda: not running.is_running(), 30, "the end of LocalStack")
    eventually(lambda: not list(tmp_path.glob("elt-localstack-*")), 30, "an empty folder")
