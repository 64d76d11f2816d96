"""What the progress of a run says, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import Cancelled, LeaseLost, SecretError
from chalicelib.jobs.heartbeat import StoredProgress


@pytest.fixture
def progress() -> StoredProgress:
    return StoredProgress(lambda _: False)


def done(progress: StoredProgress, **steps: int) -> Any:
    for step, amount in steps.items():
        progress.advance(step, amount)
    return progress.snapshot()


def test_half_of_a_run_is_to_read_and_half_to_send_what_was_read(progress: StoredProgress) -> None:
    progress.begin("extract", 1_000, "bytes")
    assert done(progress, extract=500)["percent"] == 25
    assert done(progress, combine=80, load=80)["percent"] == 50
    assert done(progress, extract=500)["percent"] == 100
    assert done(progress, combine=80)["percent"] == 75


def test_without_a_total_nobody_knows_how_long_it_takes(progress: StoredProgress) -> None:
    progress.begin("extract", None, "bytes")
    seen = done(progress, extract=500, validate=10)
    assert (seen["percent"], seen["seconds_left"], seen["total_bytes"]) == (None, None, None)
    assert (seen["bytes"], seen["rows"]) == (500, 10)


def test_a_run_that_has_loaded_is_done_whatever_was_counted(progress: StoredProgress) -> None:
    progress.begin("extract", 1_000, "bytes")
    progress.end("load")
    assert (progress.snapshot()["percent"], progress.snapshot()["seconds_left"]) == (100, 0)


def test_the_step_is_the_last_that_did_something(progress: StoredProgress) -> None:
    for step in ("extract", "validate", "load"):
        progress.begin(step, None, "rows")
    assert progress.step == "plan"
    progress.advance("validate", 1)
    progress.advance("extract", 1)
    assert progress.step == "validate"


def test_rate_and_time_left_come_from_what_was_done(
    progress: StoredProgress, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress.begin("extract", 100, "bytes")
    monkeypatch.setattr("time.monotonic", lambda: progress._started + 10)
    seen = done(progress, extract=50, validate=5_000, combine=7, load=7)
    assert (seen["rows_per_second"], seen["seconds_left"]) == (500, 10)


def test_a_wish_to_cancel_stops_the_next_step() -> None:
    progress = StoredProgress(lambda _: True)
    with pytest.raises(Cancelled):
        progress.begin("extract", 1, "bytes")


def test_a_run_that_is_no_longer_ours_stops_and_was_not_cancelled() -> None:
    def lost(_: StoredProgress) -> bool:
        raise LeaseLost("given up")

    with pytest.raises(LeaseLost):
        StoredProgress(lost).begin("extract", 1, "bytes")


def test_a_heartbeat_that_is_not_heard_does_not_stop_the_run() -> None:
    def unheard(_: StoredProgress) -> bool:
        raise SecretError("nobody answers")

    StoredProgress(unheard).begin("extract", 1, "bytes")
