"""`make local` serves what the README's script asks it for."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.test_readme import ROOT, blocks

(SCRIPT,) = [block for block in blocks("sh") if block.startswith("API=http://127.0.0.1:8000")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def checkout():
    with tempfile.TemporaryDirectory(prefix="elt-test-") as name:
        for part in ("chalicelib", "dev"):
            shutil.copytree(ROOT / part, Path(name) / part)
        for part in ("app.py", "config.yaml"):
            shutil.copy(ROOT / part, name)
        yield Path(name)


@pytest.fixture
def local(checkout: Path):
    """The process, and what it printed: a word and what follows it on each line."""
    command = [sys.executable, "-m", "dev", "local", str(free_port()), str(free_port())]
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE, text=True) as process:
        said = dict(process.stdout.readline().split(maxsplit=1) for _ in range(4))
        yield process, said
        process.send_signal(signal.SIGINT)
        process.wait(30)


def test_the_script_of_the_readme_does_what_it_says(checkout: Path, local) -> None:
    _, said = local
    done = subprocess.run(
        ["sh", "-eu"],
        input=SCRIPT.replace("http://127.0.0.1:8000", said["console"].strip().rstrip("/")),
        cwd=checkout,
        env=os.environ | {"TOKEN": said["token"].split()[0]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    told = done.stdout.splitlines()
    assert told[1].startswith("2 ")
    assert "succeeded 1780 1770 10" in told
    assert (
        "wholesale/orders-2026-q1.txt | 152 | order_id | 3151 | does not match [WPHA]-[0-9]+"
        in told
    )
    assert "3" in told
    assert "succeeded 10 1 9" in told
    assert told[-2:] == ["False", "True rate(30 minutes)"]
    rows = [sys.executable, "-m", "dev", "psql", "-Atc", "select count(*) from sales.orders"]
    assert subprocess.check_output(rows, cwd=checkout, text=True) == "1771\n"


def test_ctrl_c_ends_all_that_was_started(local) -> None:
    process, _ = local
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    for each in (process, *started):
        each.send_signal(signal.SIGINT)  # as a terminal does
    assert process.wait(30) in (0, 130)
    psutil.wait_procs(started, timeout=10)
    assert not [each for each in started if each.is_running()]
