"""What the figures depend on: the machine, and the versions of what ran."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from dev.bench.server import Server

LIBRARIES = ("pyarrow", "pandas", "pg8000", "SQLAlchemy")


def describe(server: Server) -> dict[str, str]:
    """Facts by their name."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return {
        "processor": f"{os.cpu_count()} cores, {_processor()}",
        "memory": f"{memory} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        **server.settings(),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
