"""What Lambda's Python brings besides the standard library: boto3, and nothing else of ours."""

from __future__ import annotations

import re
from importlib.metadata import PackagePath, distribution
from pathlib import Path


def lambda_libraries(folder: Path) -> Path:
    """Make a folder that holds boto3 and what it needs, as links to what is installed here."""
    folder.mkdir()
    for name in _needed("boto3"):
        for entry in {file.parts[0] for file in _files(name)}:
            target = Path(str(distribution(name).locate_file(entry)))
            (folder / entry).symlink_to(target)
    return folder


def _needed(name: str) -> set[str]:
    """A distribution and all that it requires, extras left out."""
    required = distribution(name).requires or []
    names = [re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line]
    return {name}.union(*map(_needed, names))


def _files(name: str) -> list[PackagePath]:
    """The files of a distribution that can be imported."""
    files = distribution(name).files or []
    return [file for file in files if file.parts[0] not in ("..", "__pycache__")]
