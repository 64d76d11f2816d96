"""`build/<stage>/`: what Lambda runs (deployment.zip) and what CloudFormation makes of it.

`chalice package` writes the service's part of both; the dependencies are added as wheels for
Lambda's platform, whatever machine this is, without what nothing imports, and compiled, because
Lambda's folder is read-only and each cold start would compile them again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from chalicelib.errors import EltError
from dev.aws.runtime import GLIBC, Runtime, find_runtime
from dev.aws.template import extras
from dev.aws.trim import NOT_PACKAGED, trim

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MAX_UNZIPPED = 230_000_000
MAX_ZIPPED = 65_000_000
"""Bytes that we allow ourselves; Lambda's own limit is 262,144,000 unzipped."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of each file in the zip, so that the same content is the same file."""


def package(stage: str, build: Path = BUILD) -> Path:
    """Build the package of a stage; the folder that holds deployment.zip and template.json.

    Raises EltError when a step fails or the package is too large.
    """
    runtime, folder = find_runtime(), build / stage
    shutil.rmtree(folder, ignore_errors=True)
    site = folder / "site-packages"
    _install(site, runtime)
    saved = trim(site)
    project = _project(folder, stage, runtime)
    _chalice_package(project, stage, folder / "chalice")
    with zipfile.ZipFile(folder / "chalice" / "deployment.zip") as own:
        own.extractall(site)
    _compile(site, runtime)
    _zip(site, folder / "deployment.zip")
    template = json.loads((folder / "chalice" / "sam.json").read_text())
    (folder / "template.json").write_text(json.dumps(template, indent=1, sort_keys=True))
    _check_size(site, folder / "deployment.zip")
    _tell(folder, site, runtime, sum(saved.values()))
    return folder


def _install(site: Path, runtime: Runtime) -> None:
    """The requirements as wheels for Lambda, in the versions that are installed and tested here."""
    requirements = site.with_name("requirements.txt")
    requirements.parent.mkdir(parents=True)
    requirements.write_text("\n".join(_requirements()))
    constraints = site.with_name("constraints.txt")
    constraints.write_text("\n".join(f"{d.name}=={d.version}" for d in distributions()))
    platforms = [f"manylinux_2_{minor}_x86_64" for minor in range(GLIBC, 4, -1)]
    options = ["--platform", *" --platform ".join([*platforms, "manylinux2014_x86_64"]).split()]
    _run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--target", str(site), "--no-compile", "--only-binary", ":all:"),
        *("--implementation", "cp", "--python-version", runtime.version, *options),
        *("--requirement", str(requirements), "--constraint", str(constraints)),
    )


def _requirements() -> list[str]:
    """Those of requirements.txt that go into the package."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if re.split(r"[=\[;< ]", line)[0] not in (*NOT_PACKAGED, "#")]


def _project(folder: Path, stage: str, runtime: Runtime) -> Path:
    """A copy of what belongs to the service, without requirements: those are installed by us."""
    project = folder / "project"
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice"):
        shutil.copytree(ROOT / name, project / name, ignore=unwanted)
    shutil.copy(ROOT / "app.py", project)
    (project / "requirements.txt").touch()
    (project / "extras.json").write_text(json.dumps(extras(stage, runtime.name)))
    return project


def _chalice_package(project: Path, stage: str, output: Path) -> None:
    # Chalice wants a region and puts none into the template.
    environment = {"AWS_DEFAULT_REGION": "eu-central-1"} | dict(os.environ)
    options = ["--stage", stage, "--merge-template", "extras.json", str(output)]
    code = "from chalice.cli import main; main()"
    _run(sys.executable, "-c", code, "package", *options, cwd=project, env=environment)


def _compile(site: Path, runtime: Runtime) -> None:
    """Hash-based and unchecked: the times of files in a zip are not those of the sources."""
    mode = ["--invalidation-mode", "unchecked-hash"]
    paths = ["-s", str(site), "-p", "/var/task", str(site)]
    _run(runtime.interpreter, "-m", "compileall", "-q", *mode, *paths)


def _zip(site: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), compresslevel=9)


def _check_size(site: Path, archive: Path) -> None:
    unzipped, zipped = _bytes(site), archive.stat().st_size
    if unzipped > MAX_UNZIPPED or zipped > MAX_ZIPPED:
        raise EltError(
            f"the package has {unzipped:,} bytes, {zipped:,} of them zipped",
            where=str(archive),
            fix=f"It may have {MAX_UNZIPPED:,} and {MAX_ZIPPED:,}: see dev/aws/trim.py.",
        )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _tell(folder: Path, site: Path, runtime: Runtime, saved: int) -> None:
    zipped = (folder / "deployment.zip").stat().st_size
    print(f"{folder / 'deployment.zip'}: {zipped / 1e6:.1f} MB, {_bytes(site) / 1e6:.1f} unzipped")
    print(f"{saved / 1e6:.1f} MB trimmed; for {runtime.name} (compiled by {runtime.interpreter})")
    if not runtime.runs_on_lambda:
        print(
            f"Only for an emulated AWS: Lambda's {runtime.name} cannot load the wheels of pyarrow."
            " Install Python 3.13, 3.14 or 3.12 beside this one to deploy.",
            file=sys.stderr,
        )


def _run(*command: str, **options: Any) -> None:
    """Run a command quietly; EltError with what it said when it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if done.returncode:
        name = " ".join(command[1:4])
        raise EltError(f"{name} failed:\n{done.stdout[-4000:]}", where="packaging")
