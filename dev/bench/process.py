"""One program, run and measured. Needs Linux, which tells the peak of a process's memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GLANCE = 0.02
"""Seconds between two looks at the peak of memory, which only grows."""


@dataclass(frozen=True)
class Measured:
    """Seconds of the whole process and of its work after the imports, by the clock and of the CPU.

    `memory`: bytes of resident memory at the peak. `steps`: seconds of each step of the work; steps
    overlap. A program that tells no more than its exit code is all work, in one step.
    """

    process: float
    process_cpu: float
    memory: int
    run: float
    run_cpu: float
    steps: Mapping[str, float] = field(default_factory=dict)


def measure(
    command: Sequence[str], environment: Mapping[str, str], cores: Collection[int] = ()
) -> Measured:
    """Run a command to its end, on these cores if any are named.

    Its last line, if it is JSON, has `run`, `run_cpu` and `steps`. Raises CalledProcessError with
    what the command said when it fails.
    """
    with tempfile.TemporaryFile() as said:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=said, stderr=subprocess.STDOUT
        )
        if cores:
            os.sched_setaffinity(process.pid, cores)
        peak = _Peak(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        memory = peak.stop()
        said.seek(0)
        output = said.read().decode(errors="replace")
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, output)
    cpu = usage.ru_utime + usage.ru_stime
    return Measured(took, cpu, memory, **{"run": took, "run_cpu": cpu} | _told(output))


def _told(output: str) -> dict[str, Any]:
    last = output.rstrip().rpartition("\n")[2]
    told: dict[str, Any] = json.loads(last) if last.startswith("{") else {}
    return told


class _Peak:
    """Looks at the peak of a process's memory until it is told to stop.

    What the system keeps for its parent, `ru_maxrss`, would not do: a process starts with the peak
    of the one that it was forked from.
    """

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._bytes = 0
        self._ended = threading.Event()
        self._look()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._bytes

    def _watch(self) -> None:
        while not self._ended.wait(GLANCE):
            self._look()

    def _look(self) -> None:
        with suppress(OSError):
            for line in self._status.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self._bytes = max(self._bytes, int(line.split()[1]) * 1024)
