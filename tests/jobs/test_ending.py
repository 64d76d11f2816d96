"""What is told of a run when it has ended."""

from __future__ import annotations

from pathlib import Path

from chalicelib.jobs.ending import as_json
from chalicelib.reports import Cursor, RunResult, SourceReport


def test_a_report_has_plain_values_and_no_path_of_the_worker() -> None:
    source = SourceReport("web", "api", cursor=Cursor("2026", frozenset({"b", "a"})))
    report = as_json(RunResult("r", "orders", "append", [source], output=Path("all.csv")))
    assert report["sources"][0]["cursor"] == {"value": "2026", "hashes": ["a", "b"]}
    assert report["output"] is True
