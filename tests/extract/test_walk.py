"""What is found below a folder, and what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chalicelib.errors import SourceError
from chalicelib.extract.walk import files_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.csv", "b/c.csv", "b/d/e.txt", ".hidden.csv", ".git/f.csv", "b/.g/h.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "data"


def names(folder: Path, own: Path | None = None) -> list[str]:
    return sorted(found.name for found in files_below(folder, own))


def test_files_are_found_at_any_depth_but_hidden_ones(folder: Path) -> None:
    assert names(folder) == ["a.csv", "b/c.csv", "b/d/e.txt"]


def test_a_hidden_folder_may_hold_the_folder(folder: Path) -> None:
    assert names(folder / ".git") == ["f.csv"]


def test_links_are_followed(folder: Path) -> None:
    (folder.parent / "other").mkdir()
    (folder.parent / "other" / "i.csv").write_text("i")
    (folder / "linked").symlink_to(folder.parent / "other")
    (folder / "j.csv").symlink_to(folder.parent / "other" / "i.csv")
    assert names(folder) == ["a.csv", "b/c.csv", "b/d/e.txt", "j.csv", "linked/i.csv"]


def test_our_own_folder_is_left_out_by_whatever_way(folder: Path) -> None:
    own = folder / "b"
    (folder / "linked").symlink_to(own / "d")
    (folder / "k.csv").symlink_to(own / "c.csv")
    (folder / "bb").mkdir()
    (folder / "bb" / "l.csv").write_text("l")
    assert names(folder, own) == ["a.csv", "bb/l.csv"]
    assert names(own / "d", own) == []


def test_links_that_lead_nowhere_or_to_themselves_are_files_that_cannot_be_read(
    folder: Path,
) -> None:
    (folder / "broken.csv").symlink_to(folder / "gone.csv")
    (folder / "loop.csv").symlink_to(folder / "loop.csv")
    os.mkfifo(folder / "pipe.csv")
    kinds = {found.name: found.is_file for found in files_below(folder, None)}
    assert kinds == {
        "a.csv": True,
        "b/c.csv": True,
        "b/d/e.txt": True,
        "broken.csv": True,
        "loop.csv": True,
        "pipe.csv": False,
    }


def test_a_folder_that_cannot_be_listed_is_no_empty_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("/d"):
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)  # root may read whatever the rights are
    with pytest.raises(SourceError, match=r"cannot be read: Permission denied"):
        names(folder)
