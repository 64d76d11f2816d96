"""Which Python the functions run on: the one that the package is built for and compiled with.

Lambda's Python 3.11 and older have glibc 2.26, which pyarrow, numpy and pandas no longer support.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFERRED = ("3.13", "3.14", "3.12")
GLIBC = 34
"""Of Amazon Linux 2023: wheels for glibc 2.17 to 2.34 run there."""


@dataclass(frozen=True)
class Runtime:
    """A Python version, and an interpreter of it on this machine."""

    version: str
    interpreter: str

    @property
    def name(self) -> str:
        """As Lambda calls it."""
        return f"python{self.version}"

    @property
    def runs_on_lambda(self) -> bool:
        """Whether the wheels that we need run on Lambda's Python of this version."""
        return self.version in PREFERRED


def find_runtime() -> Runtime:
    """The newest Python that Lambda and this machine have; without one, that of this process.

    With the latter the package runs in an emulated AWS on this machine, but not on Lambda.
    """
    for version in PREFERRED:
        for candidate in _candidates(version):
            if _is(candidate, version):
                return Runtime(version, candidate)
    major, minor = sys.version_info[:2]
    return Runtime(f"{major}.{minor}", sys.executable)


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    yield f"python{version}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # its shims may be asleep
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python")))


def _is(interpreter: str, version: str) -> bool:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run(
            [interpreter, "-c", code], capture_output=True, text=True, check=False
        ).stdout
    except OSError:
        return False
    return said.strip() == version


def script(name: str) -> str:
    """The path of a command that a requirement brings, beside the running Python."""
    return str(Path(sys.executable).parent / name)
