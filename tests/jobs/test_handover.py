"""A run that is larger than one Lambda: given away, loaded by many, ended once.

Step Functions is emulated as far as it keeps what it was told; `StateMachine` does it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest

from chalicelib import fanout, jobs, uploads
from chalicelib.errors import Conflict
from chalicelib.history import leases, runs
from chalicelib.history.records import NewRun, Run
from chalicelib.jobs import invoked, worker
from tests.dev.aws.states import make_machine
from tests.pipelines import Pipeline

FILES, ROWS = 12, 5
CONFIG = """
sources: [{type: local, path: data, s3: "s3://%s/orders/"}]
target: {table: orders, mode: append}
schema: {strict_mode: true, columns: {id: integer, name: text}}
"""


class StateMachine:
    """Does what the definition says: each part three times at most, then the end."""

    def __init__(self, run_id: str, attempt: int = 1) -> None:
        self.execution = fanout.execution(run_id, attempt)
        found = boto3.client("stepfunctions").describe_execution(executionArn=self.execution)
        self.given = json.loads(found["input"])

    @property
    def parts(self) -> list[int]:
        s3 = boto3.client("s3")
        manifests = [
            json.load(s3.get_object(Bucket=self.given["bucket"], Key=key)["Body"])
            for key in self.given["manifests"]
        ]
        return [item["part"] for manifest in manifests for item in manifest]

    def part(self, number: int) -> None:
        for _ in range(3):
            with suppress(invoked.PartFailed):
                self._invoke(invoked.load_part, part=number)
                return

    def map(self) -> None:
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(self.part, self.parts))

    def end(self, failure: dict[str, str] | None = None) -> None:
        self._invoke(invoked.end, failure=failure)

    def run(self) -> None:
        self.map()
        self.end()

    def _invoke(self, function: Callable[[Any], None], **event: Any) -> None:
        function({"run_id": self.given["run_id"], "execution": self.execution, **event})


@pytest.fixture
def large(shop: Pipeline, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A service for which a dozen small objects are a large run, of several parts."""
    monkeypatch.setenv("ELT_FANOUT_MACHINE", make_machine())
    monkeypatch.setenv("ELT_FANOUT_BYTES", "200")
    monkeypatch.setenv("ELT_PART_BYTES", "100")
    monkeypatch.setenv("ELT_BUCKET", bucket)
    for number in range(FILES):
        put(bucket, number)
    return shop


def put(bucket: str, number: int, rows: str | None = None) -> None:
    ids = range(number * ROWS, (number + 1) * ROWS)
    content = rows or "".join(f"{n},name {n}\n" for n in ids)
    body = f"id,name\n{content}".encode()
    boto3.client("s3").put_object(Bucket=bucket, Key=f"orders/{number:02}.csv", Body=body)


@pytest.fixture
def queue(bucket: str) -> Callable[..., Run]:
    def queued(config: str = CONFIG) -> Run:
        stored = uploads.add(jobs.service(), config % bucket, "test").version
        return runs.queue(jobs.service(), NewRun("api", "test", config_version=stored.version))

    return queued


@pytest.fixture
def handed_over(large: Pipeline, queue: Callable[..., Run]) -> StateMachine:
    run = queue()
    worker.work(run.id)
    return StateMachine(run.id)


def get(machine: StateMachine) -> Run:
    return runs.get(jobs.service(), machine.given["run_id"])


def staged(shop: Pipeline) -> int:
    tables = "select table_name from information_schema.tables where table_name like 'stage_%'"
    return len(shop.query(tables))


EVERY_ROW = [(n, f"name {n}") for n in range(FILES * ROWS)]


def test_the_job_gives_a_large_run_away(handed_over: StateMachine, large: Pipeline) -> None:
    run = get(handed_over)
    assert (run.state, run.owner) == ("running", handed_over.execution)
    assert len(handed_over.parts) > 3
    assert not large.query("select from elt.loads")


def test_a_run_that_is_not_large_is_the_jobs_own(
    large: Pipeline, queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_FANOUT_BYTES", "1000000")
    run = queue()
    worker.work(run.id)
    assert runs.get(jobs.service(), run.id).state == "succeeded"
    assert large.rows == EVERY_ROW


def test_every_row_is_there_once_and_the_report_is_that_of_any_run(
    handed_over: StateMachine, large: Pipeline
) -> None:
    handed_over.run()
    run = get(handed_over)
    assert (run.state, run.read, run.inserted) == ("succeeded", FILES * ROWS, FILES * ROWS)
    assert large.rows == EVERY_ROW
    assert run.result is not None
    assert len(run.result["sources"][0]["files"]) == FILES
    assert (run.result["warnings"], staged(large)) == ([], 0)


def test_progress_grows_with_the_parts(handed_over: StateMachine) -> None:
    seen = []
    for number in handed_over.parts:
        handed_over.part(number)
        progress = get(handed_over).progress or {}
        seen.append((progress["files"], progress["rows"], progress["percent"]))
    assert seen == sorted(seen)
    assert seen[-1] == (FILES, FILES * ROWS, 100)
    handed_over.end()
    assert (get(handed_over).progress or {})["rows"] == FILES * ROWS


def test_whatever_is_delivered_twice_is_done_once(
    handed_over: StateMachine, large: Pipeline
) -> None:
    for _ in range(2):
        handed_over.map()
    handed_over.run()
    handed_over.end()
    assert get(handed_over).state == "succeeded"
    assert large.rows == EVERY_ROW


def test_a_part_that_fails_three_times_fails_the_run_by_name_and_the_others_stay(
    large: Pipeline, bucket: str, queue: Callable[..., Run]
) -> None:
    put(bucket, 7, "x,not a number\n")
    run = queue()
    worker.work(run.id)
    first = StateMachine(run.id)
    first.run()
    failed = get(first)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "part_failed")
    for told in ("07.csv", "failed 3 times", "'x' is not a whole number"):
        assert told in failed.error.message
    assert staged(large) == len(first.parts) - 1
    assert large.query("select to_regclass('orders')") != [(None,)]
    assert large.rows == []
    put(bucket, 7)
    leases.resume(jobs.service(), run.id, "ann")
    worker.work(run.id)
    second = StateMachine(run.id, attempt=2)
    assert len(second.parts) == 1
    second.run()
    assert get(second).state == "succeeded"
    assert large.rows == EVERY_ROW


def test_a_failed_run_that_is_cancelled_gives_up_what_is_aside(
    handed_over: StateMachine, large: Pipeline
) -> None:
    handed_over.part(handed_over.parts[0])
    handed_over.end()
    run_id = handed_over.given["run_id"]
    assert (get(handed_over).state, staged(large)) == ("failed", 1)
    assert jobs.cancel(jobs.service(), run_id).state == "cancelled"
    assert staged(large) == 0
    for _ in range(2):
        with pytest.raises(Conflict):
            jobs.cancel(jobs.service(), run_id)


def test_parts_that_were_never_begun_are_named_with_what_step_functions_says(
    handed_over: StateMachine,
) -> None:
    handed_over.end({"Error": "States.ItemReaderFailed", "Cause": "access denied"})
    error = get(handed_over).error
    assert error is not None
    assert "part 1 (local: 00.csv" in error.message
    assert "was not begun" in error.message
    assert "States.ItemReaderFailed: access denied" in error.message


def test_a_cancelled_run_stops_its_execution_and_leaves_nothing(
    handed_over: StateMachine, large: Pipeline
) -> None:
    handed_over.part(handed_over.parts[0])
    assert staged(large) == 1
    cancelled = jobs.cancel(jobs.service(), handed_over.given["run_id"])
    assert cancelled.state == "cancelled"
    described = boto3.client("stepfunctions").describe_execution(executionArn=handed_over.execution)
    assert described["status"] == "ABORTED"
    assert staged(large) == 0
    handed_over.run()  # what was in flight
    assert (get(handed_over).state, staged(large)) == ("cancelled", 0)
    assert large.query("select to_regclass('orders')") in ([(None,)], [("orders",)])


def test_another_runs_table_is_left_alone_by_parts_that_come_late(
    handed_over: StateMachine, large: Pipeline, queue: Callable[..., Run]
) -> None:
    large.query("update elt_service.runs set lease_until = now() - interval '1 s'")
    jobs.settle(jobs.service())
    assert get(handed_over).state == "interrupted"
    other = queue()
    worker.work(other.id)
    second = StateMachine(other.id)
    second.map()
    handed_over.run()
    second.end()
    assert get(second).state == "succeeded"
    assert get(handed_over).state != "succeeded"
    assert large.rows == EVERY_ROW


def test_an_object_too_large_for_one_part_is_refused_at_once_by_name(
    large: Pipeline, bucket: str, queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_PART_LIMIT", "1000")
    put(bucket, 5, "5,a long name\n" * 100)
    run = queue()
    worker.work(run.id)
    failed = runs.get(jobs.service(), run.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "source")
    assert "05.csv has 1,408 bytes" in failed.error.message
    assert not boto3.client("stepfunctions").list_executions(
        stateMachineArn=fanout.settings.fanout_machine()
    )["executions"]


def test_many_small_files_are_cut_into_parts_of_so_many(
    large: Pipeline, queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"FANOUT_BYTES": 10**9, "FANOUT_FILES": 10, "PART_BYTES": 10**9}.items():
        monkeypatch.setenv(f"ELT_{name}", str(value))
    monkeypatch.setenv("ELT_PART_FILES", "5")
    run = queue()
    worker.work(run.id)
    machine = StateMachine(run.id)
    assert len(machine.parts) == 3
    machine.run()
    assert large.rows == EVERY_ROW


def test_what_could_not_be_published_in_time_is_not_read(
    large: Pipeline, queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chalicelib.jobs.handover.FINISH_SECONDS", 100)
    monkeypatch.setenv("ELT_PUBLISH_BYTES_PER_SECOND", "1")
    run = queue()
    worker.work(run.id)
    error = runs.get(jobs.service(), run.id).error
    assert error is not None
    assert error.message.startswith("there are 736 bytes to load, and of more than 200 ")


def test_what_is_aside_is_refused_with_its_size_when_it_takes_too_long_and_stays(
    handed_over: StateMachine, large: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    handed_over.map()
    monkeypatch.setattr(invoked, "left", lambda: 800.0)
    with monkeypatch.context() as slow:
        slow.setenv("ELT_PUBLISH_BYTES_PER_SECOND", "10")
        handed_over.end()
    refused = get(handed_over)
    assert refused.error is not None
    assert (refused.state, refused.error.code) == ("failed", "publish_refused")
    bytes_aside = large.query("select sum(pg_table_size(c.oid)) from pg_class c "
                              "where relname like 'stage_%'")  # fmt: skip
    assert f"{bytes_aside[0][0]:,} bytes" in refused.error.message
    assert "8,000 can be published" in refused.error.message
    leases.resume(jobs.service(), handed_over.given["run_id"], "ann")
    worker.work(handed_over.given["run_id"])
    again = StateMachine(handed_over.given["run_id"], attempt=2)
    assert again.parts == []
    again.run()
    assert large.rows == EVERY_ROW


def test_a_machine_that_cannot_be_asked_fails_the_run_which_can_be_resumed(
    large: Pipeline, queue: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queue()
    with monkeypatch.context() as wrong:
        wrong.setenv("ELT_FANOUT_MACHINE", f"{fanout.settings.fanout_machine()}-gone")
        worker.work(run.id)
    failed = runs.get(jobs.service(), run.id)
    assert failed.error is not None
    assert (failed.state, failed.error.code) == ("failed", "launch")
    leases.resume(jobs.service(), run.id, "ann")
    worker.work(run.id)
    StateMachine(run.id, attempt=2).run()
    assert large.rows == EVERY_ROW


def test_an_empty_prefix_is_a_run_with_no_rows_and_a_warning(
    large: Pipeline, queue: Callable[..., Run]
) -> None:
    run = queue(CONFIG.replace("orders/", "nothing/"))
    worker.work(run.id)
    ended = runs.get(jobs.service(), run.id)
    assert (ended.state, ended.read) == ("succeeded", 0)
    assert ended.result is not None
    assert "no file matches" in " ".join(ended.result["warnings"])


def test_what_the_parts_wrote_is_listed_in_the_bucket(
    handed_over: StateMachine, bucket: str
) -> None:
    handed_over.run()
    s3, prefix = boto3.client("s3"), f"runs/{handed_over.given['run_id']}/"
    listed = json.load(s3.get_object(Bucket=bucket, Key=f"{prefix}combined.json")["Body"])["parts"]
    names = [part["file"] for part in listed]
    assert names == [f"part-{number}/combined.csv" for number in handed_over.parts]
    written = [s3.get_object(Bucket=bucket, Key=prefix + name)["Body"].read() for name in names]
    assert [text.count(b"\n") - 1 for text in written] == [part["rows"] for part in listed]
    assert sum(part["rows"] for part in listed) == FILES * ROWS


def test_parts_do_not_publish_what_is_not_all_there(
    handed_over: StateMachine, large: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoked, "put_aside", lambda *_: (_ for _ in ()).throw(MemoryError))
    handed_over.run()
    error = get(handed_over).error
    assert error is not None
    assert "failed 3 times: there is not enough memory" in error.message
