"""`python -m dev` in a checkout of its own: what it starts, it stops."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import boto3
import pytest
import requests

from dev.stack import LOCAL, SAMPLE_BUCKET, stack
from tests.dev.test_postgres import alive, ask, server_pid

PIPELINE = """
import json, os, sys, time
print(json.dumps({"pid": os.getpid(), "arguments": sys.argv[1:], **os.environ}), flush=True)
if sys.argv[-1] == "forever":
    time.sleep(600)
sys.exit(int(sys.argv[-1]))
"""


@pytest.fixture
def checkout():
    """A checkout whose pipeline tells what it was given, then waits or ends as it is told."""
    with tempfile.TemporaryDirectory(prefix="elt-test-") as name:
        root = Path(name)
        shutil.copytree(LOCAL.parent / "dev", root / "dev")
        (root / "chalicelib").mkdir()
        shutil.copy(LOCAL.parent / "chalicelib/errors.py", root / "chalicelib")
        (root / "chalicelib/__init__.py").touch()
        (root / "chalicelib/__main__.py").write_text(PIPELINE)
        yield root


def dev(checkout, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "dev", *arguments],
        cwd=checkout,
        env=os.environ | {"AWS_PROFILE": "of-my-own"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def running(checkout):
    """A run whose pipeline never ends, and what that pipeline was given."""
    command = [sys.executable, "-m", "dev", "run", "forever"]
    ours = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup children would ignore it, too
    with subprocess.Popen(command, cwd=checkout, stdout=subprocess.PIPE) as process:
        signal.signal(signal.SIGHUP, ours)
        given = json.loads(process.stdout.readline())
        yield process, given
        process.terminate()
        process.wait(30)
        if alive(given["pid"]):
            os.kill(given["pid"], signal.SIGKILL)


def test_the_stack_has_a_database_a_bucket_and_an_api(checkout):
    with stack(checkout / ".local") as environment:
        assert ask(environment["ELT_TARGET_URL"], "select 1") == [[1]]
        assert requests.get(
            f"{environment['ELT_SAMPLE_API_URL']}/v1/orders",
            headers={"Authorization": f"Bearer {environment['ELT_SAMPLE_API_TOKEN']}"},
            timeout=5,
        ).ok
        s3 = boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_DEFAULT_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        objects = s3.list_objects_v2(Bucket=SAMPLE_BUCKET, Prefix="orders/")["Contents"]
    sample = checkout / ".local/sample"
    assert {item["Key"]: item["Size"] for item in objects} == {
        path.relative_to(sample).as_posix(): path.stat().st_size for path in sample.rglob("*.*")
    }


def test_the_pipeline_gets_arguments_and_environment_and_its_exit_code_counts(checkout):
    result = dev(checkout, "run", "--json", "7")
    assert result.returncode == 7, result.stderr
    given = json.loads(result.stdout)
    assert given["arguments"] == ["run", "--config", "config.yaml", "--json", "7"]
    assert given["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert "AWS_PROFILE" not in given
    assert result.stderr == ""


def test_psql_opens_the_database_that_runs_fill(checkout):
    with stack(checkout / ".local") as environment:
        ask(environment["ELT_TARGET_URL"], "create table seen as select 'yes' as word")
    result = dev(checkout, "psql", "-Atc", "select word from seen")
    assert result.stdout == "yes\n"


def test_an_unknown_command_is_refused(checkout):
    result = dev(checkout, "walk")
    assert result.returncode == 2
    assert "'walk' is not run or psql" in result.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_no_process_outlives_a_run_that_is_told_to_end(checkout, running, number, code):
    process, given = running
    server = server_pid(checkout / ".local/postgres")
    process.send_signal(number)
    assert process.wait(30) == code
    assert not alive(given["pid"])
    assert not alive(server)


def test_ctrl_c_ends_everything(checkout, running):
    process, given = running
    server = server_pid(checkout / ".local/postgres")
    os.kill(given["pid"], signal.SIGINT)  # a terminal tells both
    process.send_signal(signal.SIGINT)
    assert process.wait(30) in (1, 130)
    assert not alive(given["pid"])
    assert not alive(server)


def test_after_a_killed_run_the_next_one_just_works_and_cleans_up(checkout, running):
    process, _ = running
    server = server_pid(checkout / ".local/postgres")
    process.kill()
    process.wait()
    assert alive(server)
    result = dev(checkout, "run", "0")
    assert result.returncode == 0, result.stderr
    assert not alive(server)


def test_a_second_run_at_the_same_time_is_told_so(checkout, running):
    result = dev(checkout, "run", "0")
    assert result.returncode == 1
    assert "another run is at work" in result.stderr
    assert "Traceback" not in result.stderr


def test_psql_works_during_a_run(checkout, running):
    assert dev(checkout, "psql", "-Atc", "select 1").stdout == "1\n"
    assert running[0].poll() is None
