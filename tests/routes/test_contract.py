"""The service keeps what its description promises, whatever it is asked: schemathesis tries.

Some thousand requests, right and wrong, one after another and in sequences that depend on each
other; the same each time. To look into what it finds: `-n 500 --seed 7` and the like.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib import jobs
from chalicelib.history import runs
from chalicelib.history.records import Failure, NewRun
from tests.pipelines import Pipeline
from tests.service import Service

ASKED = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
def run_id(admin: Service, shop: Pipeline) -> str:
    """A run that kept a row out; further runs find nothing new and are cheap."""
    shop.write("a.csv", "id,name\n1,Ada\nx,Alan\n")
    for _ in range(2):
        assert admin.upload().ok
    started = admin.post("/trigger-job").json()["run_id"]
    assert admin.watch(started)["quarantined"] == 1
    return started


@pytest.fixture
def skipped_id(admin: Service) -> str:
    """A tick that started nothing: it has no configuration."""
    due = NewRun("schedule", "schedule", event_id="tick")
    return runs.skip(jobs.service(), due, Failure("failed", "it came too late")).id


def test_every_answer_is_as_described(
    admin: Service, run_id: str, skipped_id: str, tmp_path: Path
) -> None:
    tried_with = {
        "ELT_TEST_TOKEN": admin.token,
        "ELT_TEST_RUN": run_id,
        "ELT_TEST_SKIPPED": skipped_id,
    }
    program = str(Path(sys.executable).with_name("schemathesis"))
    described = f"{admin.url}/openapi.json"
    tried = subprocess.run(
        [program, "--config-file", str(ASKED), "run", described, "--no-color"],
        cwd=tmp_path,
        env=os.environ | tried_with,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert "No issues found" in tried.stdout, tried.stdout + tried.stderr
    assert tried.returncode == 0
