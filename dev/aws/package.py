"""`build/<stage>/`: what Lambda runs (deployment.zip) and what CloudFormation makes of it.

`chalice package` writes the service's part of both and merges our template; the dependencies are
added to its zip.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from chalicelib.errors import EltError
from dev.aws import wheels
from dev.aws.command import run
from dev.aws.runtime import PREFERRED, Runtime, find_runtime
from dev.aws.template import extras

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MAX_UNZIPPED, MAX_ZIPPED = 230_000_000, 65_000_000
"""Bytes that we allow ourselves; Lambda itself takes 262,144,000 unzipped."""

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of each file in the zip, so that the same content is the same file."""


def package(stage: str, build: Path = BUILD) -> Path:
    """Build the package of a stage; the folder that holds deployment.zip and template.json.

    Raises EltError when a step fails or the package is too large.
    """
    runtime, folder = find_runtime(), build / stage
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder) as work:
        site = Path(work) / "site-packages"
        trimmed = wheels.install(ROOT / "requirements.txt", site, runtime)
        template = chalice_package(stage, runtime.name, Path(work))
        with zipfile.ZipFile(Path(work) / "chalice" / "deployment.zip") as service:
            service.extractall(site)
        wheels.compile_all(site, runtime)
        _zip(site, folder / "deployment.zip")
    _write(folder / "template.json", template)
    _write(folder / "trimmed.json", trimmed)
    _tell(folder, runtime)
    return folder


def chalice_package(stage: str, runtime: str, folder: Path) -> dict[str, Any]:
    """Chalice's zip of the service in `folder`/chalice, without dependencies; the template."""
    project, output = folder / "project", folder / "chalice"
    unwanted = shutil.ignore_patterns("__pycache__", "deployments", "deployed")
    for name in ("chalicelib", ".chalice", "vendor"):
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, project / name, ignore=unwanted)
    shutil.copy(ROOT / "app.py", project)
    (project / "requirements.txt").touch()
    (project / "extras.json").write_text(json.dumps(extras(stage, runtime)))
    run(
        *(sys.executable, "-c", "from chalice.cli import main; main()", "package"),
        *("--stage", stage, "--merge-template", "extras.json", str(output)),
        cwd=project,
        # Chalice wants a region and puts none into the template.
        env={"AWS_DEFAULT_REGION": "eu-central-1"} | dict(os.environ),
    )
    template: dict[str, Any] = json.loads((output / "sam.json").read_text())
    return template


def sizes(archive: Path) -> tuple[int, int]:
    """The bytes of a zip's files, and of the zip."""
    with zipfile.ZipFile(archive) as opened:
        return sum(entry.file_size for entry in opened.infolist()), archive.stat().st_size


def _zip(site: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    unzipped, zipped = sizes(target)
    if unzipped > MAX_UNZIPPED or zipped > MAX_ZIPPED:
        raise EltError(
            f"it has {unzipped:,} bytes, {zipped:,} when zipped",
            where=str(target),
            fix=f"It may have {MAX_UNZIPPED:,} and {MAX_ZIPPED:,}: see dev/aws/trim.py.",
        )


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n")


def _tell(folder: Path, runtime: Runtime) -> None:
    unzipped, zipped = sizes(folder / "deployment.zip")
    print(f"{folder}: {zipped / 1e6:.1f} MB, {unzipped / 1e6:.1f} MB unzipped, for {runtime.name}")
    if not runtime.runs_on_lambda:
        print(
            f"Good for an emulated AWS only: Lambda's {runtime.name} has too old a Linux for the "
            f"wheels of pyarrow. To deploy, install Python {' or '.join(PREFERRED)} beside it.",
            file=sys.stderr,
        )
