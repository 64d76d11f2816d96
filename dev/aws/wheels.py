"""The dependencies as Lambda needs them: wheels for its platform, trimmed and compiled."""

from __future__ import annotations

import re
import sys
from importlib.metadata import distributions
from pathlib import Path

from dev.aws.command import run
from dev.aws.runtime import GLIBC, Runtime
from dev.aws.trim import NOT_PACKAGED, trim

OLDEST_GLIBC = 5
"""From manylinux1 on."""

ON_LAMBDA = "/var/task"
"""Where Lambda unzips the package: tracebacks name files there."""


def install(requirements: Path, site: Path, runtime: Runtime) -> dict[str, int]:
    """Fill `site` with what the service imports of its requirements; what `trim` saved.

    The versions are those that are installed here, and tested. Raises EltError when there is no
    wheel of one for Lambda.
    """
    wanted, versions = site.with_name("requirements.txt"), site.with_name("constraints.txt")
    wanted.write_text("\n".join(packaged(requirements.read_text())))
    versions.write_text("\n".join(f"{d.name}=={d.version}" for d in distributions()))
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(site), "--no-compile", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", runtime.version, *_platforms()),
        *("--requirement", str(wanted), "--constraint", str(versions)),
    )
    return trim(site)


def packaged(requirements: str) -> list[str]:
    """The lines of a requirements.txt that go into the package."""
    names = {line: re.split(r"[^\w.-]", line)[0] for line in requirements.splitlines()}
    return [line for line, name in names.items() if name and name not in NOT_PACKAGED]


def compile_all(site: Path, runtime: Runtime) -> None:
    """Compile, as Lambda's folder is read-only and each cold start would do it again.

    By hash and unchecked: the times of files in a zip are not those of the sources.
    """
    mode = ("--invalidation-mode", "unchecked-hash")
    run(
        runtime.interpreter,
        "-m",
        "compileall",
        "-q",
        *mode,
        "-s",
        str(site),
        "-p",
        ON_LAMBDA,
        str(site),
    )


def _platforms() -> list[str]:
    tags = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, OLDEST_GLIBC - 1, -1)]
    return [word for tag in [*tags, "manylinux2014_x86_64"] for word in ("--platform", tag)]
