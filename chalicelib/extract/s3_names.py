"""Whether the keys of a bucket have a safe place in a folder."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from chalicelib.errors import SourceError
from chalicelib.extract.reach import is_out_of_reach

MAX_SEGMENT_BYTES = 255
"""The longest name of a file."""

OWN = ".elt-"
"""How the sync's own files begin."""


def reserved(name: str) -> str:
    """A name for a file of the sync's own; hidden, and never a key's."""
    return OWN + name


def check_names(keys: Mapping[str, str], folder: Path, where: str) -> None:
    """SourceError at the first key (given by its name in the folder) that has no safe place."""
    for name, key in keys.items():
        if problem := unsafe(name) or _clash(name, keys) or _place(name, folder):
            raise SourceError(
                f"the key {key!r} {problem}",
                where=where,
                fix="Rename or remove the object, or choose another prefix. Nothing was written.",
            )


def unsafe(name: str) -> str | None:
    """Why this is no name for a file below a folder; None when it is one."""
    segments = name.split("/")
    if "" in segments:
        return "has an empty part or begins with a slash"
    if "\\" in name or {".", ".."} & set(segments):
        return "holds .., . or a backslash"
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        return "holds a control character"
    if any(len(segment.encode()) > MAX_SEGMENT_BYTES for segment in segments):
        return f"has a part longer than {MAX_SEGMENT_BYTES} bytes"
    if any(segment.startswith(OWN) for segment in segments):
        return f"begins with {OWN}, as the sync's own files do"
    return None


def leads_out(name: str, folder: Path) -> bool:
    """Whether symbolic links take the folder of this name out of `folder`."""
    parent = Path(os.path.realpath(folder / PurePosixPath(name).parent))
    return not parent.is_relative_to(os.path.realpath(folder))


def _clash(name: str, keys: Mapping[str, str]) -> str | None:
    parents = map(str, PurePosixPath(name).parents)
    file = next((keys[parent] for parent in parents if parent in keys), None)
    return f"needs a folder where {file!r} needs a file" if file else None


def _place(name: str, folder: Path) -> str | None:
    if leads_out(name, folder):
        return "leads out of the folder through a symbolic link"
    return "leads to where secrets are kept" if is_out_of_reach(folder / name) else None
