"""The files of a source's folder that a run may read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest

from chalicelib.config import LocalSource
from chalicelib.errors import SourceError
from chalicelib.extract.folder import Folder
from chalicelib.reports import SourceReport

NAMES = ["a.csv", "A.CSV", "b/a.csv", "b/c/d.csv", "x/b/[1].csv", "n.md"]


@pytest.fixture
def report() -> SourceReport:
    return SourceReport("shop", "local")


def candidates(folder: Path, report: SourceReport, pattern: str = "*") -> list[str]:
    config = LocalSource(type="local", path="data", pattern=pattern)
    found = Folder(config, folder, report).candidates(lambda _: False)
    return [candidate.name for candidate in found]


def write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id\n1\n")


@pytest.mark.parametrize(
    "pattern", ["*", "*.csv", "b/*", "b/*.csv", "*/*/*.csv", "[ab].csv", "./a.csv", "/a.csv"]
)
def test_a_pattern_means_what_it_means_to_pathlib(
    tmp_path: Path, report: SourceReport, pattern: str
) -> None:
    write(tmp_path, *NAMES)
    found = candidates(tmp_path, report, pattern)
    assert {*found, *report.files} == {n for n in NAMES if PurePosixPath(n).match(pattern)}


def test_other_kinds_of_files_are_skipped_and_reported(
    tmp_path: Path, report: SourceReport
) -> None:
    write(tmp_path, "a.csv", "notes.md")
    assert candidates(tmp_path, report) == ["a.csv"]
    assert report.files["notes.md"].detail == "not a .csv, .json or .txt file"


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path, report: SourceReport) -> None:
    write(tmp_path, "caf\udce9.csv")
    with pytest.raises(SourceError, match="the file's name is not UTF-8"):
        candidates(tmp_path, report)
