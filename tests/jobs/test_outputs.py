"""Files of runs in a real emulated bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from chalicelib.errors import NotFound
from chalicelib.jobs.outputs import FOR, StorageError, keep, link, of_run


@pytest.fixture
def folder(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ELT_BUCKET", bucket)
    (tmp_path / "combined.csv").write_text("id\n1\n")
    return tmp_path


def test_a_file_that_was_kept_is_fetched_without_a_token_for_some_minutes(folder: Path) -> None:
    assert keep("run-1", folder, ["combined.csv", "rejects.csv"]) == []
    found = link("run-1", "combined.csv")
    assert requests.get(found.url, timeout=10).text == "id\n1\n"
    assert datetime.now(UTC) < found.expires_at <= datetime.now(UTC) + FOR


def test_what_a_run_did_not_write_is_not_found(folder: Path) -> None:
    keep("run-1", folder, ["combined.csv", "rejects.csv"])
    for run_id, name in (("run-1", "rejects.csv"), ("run-2", "combined.csv")):
        with pytest.raises(NotFound, match=f"there is no {name} of run {run_id}"):
            link(run_id, name)


def test_without_a_bucket_nothing_is_kept_and_the_answer_says_how(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ELT_BUCKET")
    assert keep("run-1", folder, ["combined.csv"]) == []
    with pytest.raises(NotFound, match="Set ELT_BUCKET"):
        link("run-1", "combined.csv")


def test_a_run_of_several_parts_has_a_list_of_its_files_and_each_of_them(folder: Path) -> None:
    (folder / "part-2").mkdir()
    (folder / "part-2" / "combined.csv").write_text("id\n2\n")
    (folder / "combined.json").write_text('{"parts": [{"file": "part-2/combined.csv"}]}')
    (folder / "combined.csv").unlink()
    keep("run-1", folder, ["combined.csv", "combined.json", "part-2/combined.csv"])
    whole, parts = of_run("run-1", None)
    assert (requests.get(whole.url, timeout=10).json()["parts"], parts) == (
        [{"file": "part-2/combined.csv"}],
        1,
    )
    one, parts = of_run("run-1", 2)
    assert (requests.get(one.url, timeout=10).text, parts) == ("id\n2\n", None)
    with pytest.raises(NotFound, match="there is no part-3"):
        of_run("run-1", 3)


def test_a_run_of_one_part_has_no_list(folder: Path) -> None:
    keep("run-1", folder, ["combined.csv"])
    whole, parts = of_run("run-1", None)
    assert (requests.get(whole.url, timeout=10).text, parts) == ("id\n1\n", None)
    with pytest.raises(NotFound, match="of run run-2"):
        of_run("run-2", None)


def test_files_that_cannot_be_kept_are_a_warning_and_no_failure(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ELT_BUCKET", "no-such-bucket")
    (warning,) = keep("run-1", folder, ["combined.csv"])
    assert warning.startswith("the run's files were not kept: s3://no-such-bucket: ")


def test_a_bucket_that_cannot_be_reached_is_no_missing_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(StorageError, match="Check ELT_BUCKET"):
        link("run-1", "combined.csv")
