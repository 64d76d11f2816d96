"""The package of `make package`, alone in a folder, with nothing beside it but Lambda's boto3."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib import __version__
from dev.aws.package import BUILD, MAX_UNZIPPED, MAX_ZIPPED, ROOT, sizes
from dev.aws.runtime import find_runtime
from dev.aws.service import gateway_event
from dev.aws.trim import TRIMS
from dev.stack import stack

ARCHIVE = BUILD / "dev" / "deployment.zip"
IN_RUNTIME = ("boto3", "botocore", "s3transfer")

START = """
import sys
sys.dont_write_bytecode = True  # Lambda's folder is read-only
sys.path[:0] = [{package!r}]
sys.path.append({runtime!r})
"""

IMPORT_ALL = """
import importlib, pkgutil
import app, chalicelib
names = [module.name for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib.")]
for name in names:
    if name not in ("chalicelib.__main__", "chalicelib.terminal"):
        importlib.import_module(name)
"""

TELL_UNCOMPILED = """
import json, pathlib
specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
ours = [spec for spec in specs if spec and str(spec.origin).startswith({package!r} + "/")]
print(json.dumps([s.origin for s in ours if s.cached and not pathlib.Path(s.cached).exists()]))
"""

CALL = """
import json
import app
class context:
    aws_request_id = "1"
print(json.dumps(app.app({event!r}, context)))
"""

DOCTOR = """
import json
import app
print(json.dumps(app.doctor({}, None)))
"""

RUN = """
import json, os, pathlib
from chalicelib import pipeline
from chalicelib.config import parse_config
base = pathlib.Path({base!r})
config = parse_config(pathlib.Path({config!r}).read_text(), os.environ)
result = pipeline.run(config, base)
print(json.dumps([result.read, result.inserted, result.quarantined]))
"""


class Package:
    """An unzipped package, and Lambda's Python to run code with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._runtime = folder / "task", folder / "runtime"
        with zipfile.ZipFile(ARCHIVE) as archive:
            archive.extractall(self.folder)
        self._runtime.mkdir()
        for name in IN_RUNTIME:
            spec = importlib.util.find_spec(name)
            assert spec
            assert spec.origin
            (self._runtime / name).symlink_to(Path(spec.origin).parent)

    def run(self, code: str, **environment: str) -> Any:
        """What the code prints as JSON; it sees the package, boto3 and the standard library."""
        start = START.format(package=str(self.folder), runtime=str(self._runtime))
        done = subprocess.run(
            [find_runtime().interpreter, "-I", "-S", "-c", start + code],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.folder,
            env={"AWS_LAMBDA_FUNCTION_NAME": "test", "PATH": os.defpath, **environment},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    if os.environ.get("ELT_TEST_AWS") != "1":
        pytest.skip("the package is not there: `make test-aws` builds it")
    return Package(tmp_path_factory.mktemp("package"))


@pytest.fixture
def local() -> Iterator[Path]:
    # Not tmp_path, which pytest keeps to its own user; as root PostgreSQL runs as another.
    with tempfile.TemporaryDirectory(prefix="elt-test-") as name:
        yield Path(name) / "local"


def test_it_is_small_enough(package: Package) -> None:
    unzipped, zipped = sizes(ARCHIVE)
    assert unzipped <= MAX_UNZIPPED
    assert zipped <= MAX_ZIPPED


def test_each_entry_of_the_trim_list_saves_what_it_says(package: Package) -> None:
    measured = json.loads((ARCHIVE.parent / "trimmed.json").read_text())
    assert {entry.files: entry.megabytes for entry in TRIMS} == pytest.approx(
        {files: saved / 1e6 for files, saved in measured.items()}, rel=0.1, abs=0.05
    )


def test_everything_that_the_service_imports_is_there_and_compiled(package: Package) -> None:
    assert package.run(IMPORT_ALL + TELL_UNCOMPILED.format(package=str(package.folder))) == []


def test_the_api_answers(package: Package) -> None:
    answer = package.run(CALL.format(event=gateway_event("GET", "/health")))
    assert answer["statusCode"] == 200
    assert json.loads(answer["body"]) == {"status": "ok", "version": __version__}


def test_the_doctor_answers(package: Package, local: Path) -> None:
    with stack(local) as environment:
        checks = package.run(DOCTOR, **environment)
    tried = ["secrets", "database", "schedule", "job", "fan-out", "bucket", "configuration"]
    assert [check["what"] for check in checks] == tried


def test_the_sample_pipeline_runs(package: Package, local: Path, tmp_path: Path) -> None:
    """Files of three formats from S3 and an API in pages, validated, into PostgreSQL."""
    code = RUN.format(base=str(tmp_path), config=str(ROOT / "config.yaml"))
    with stack(local) as environment:
        read, inserted, quarantined = package.run(code, **environment)
    assert inserted > 1000
    assert quarantined > 0
    assert read == inserted + quarantined
