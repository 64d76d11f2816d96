"""A run of several parts: which of them reads what, and what each says of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from chalicelib.batch import Reject
from chalicelib.extract.base import Listed, Listing
from chalicelib.reports import SourceReport

Names = Mapping[str, Sequence[str] | None]
"""By source what is read of it; None for all of it."""


SHOWN = 5
"""Names that a message has."""


@dataclass(frozen=True)
class PlannedPart:
    """What one part reads, of `size` bytes as far as they are known."""

    number: int
    names: Names
    size: int = 0

    def __str__(self) -> str:
        return "; ".join(_briefly(source, names) for source, names in self.names.items())


@dataclass(frozen=True)
class Plan:
    """The parts of a run, numbered from 1, and what listing its sources has told.

    `full`: what earlier runs loaded is read again.
    """

    mode: str
    full: bool
    parts: tuple[PlannedPart, ...]
    reports: tuple[SourceReport, ...]

    @property
    def numbers(self) -> list[int]:
        """Of all parts, in order."""
        return [part.number for part in self.parts]

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(part.size for part in self.parts)

    def to_json(self) -> str:
        """For the target to keep."""
        return _adapter(Plan).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> Plan:
        """What was kept."""
        plan: Plan = _adapter(Plan).validate_json(text)
        return plan


@dataclass(frozen=True)
class PartReport:
    """What a part has read, kept with its rows until all are published.

    `rejects` are the first ones; `possible` and `valued` are its evidence of columns that nobody
    declared (`schema.infer`).
    """

    sources: list[SourceReport]
    nulled: int = 0
    rejects: list[tuple[str, Reject]] = field(default_factory=list)
    possible: dict[str, set[str]] = field(default_factory=dict)
    valued: set[str] = field(default_factory=set)

    def to_json(self) -> str:
        """For the target to keep."""
        return _adapter(PartReport).dump_json(self).decode()

    @classmethod
    def from_json(cls, text: str) -> PartReport:
        """What was kept."""
        report: PartReport = _adapter(PartReport).validate_json(text)
        return report


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    """Made when a run has parts: most have none, and it takes its time."""
    return TypeAdapter(kind)


def _briefly(source: str, names: Sequence[str] | None) -> str:
    if names is None:
        return source
    more = [f"and {len(names) - SHOWN:,} more"] if len(names) > SHOWN else []
    return f"{source}: {', '.join([*names[:SHOWN], *more])}"


def cut(listings: Sequence[Listing], share: int, most: int | None = None) -> Iterator[PlannedPart]:
    """Whole files, in their order, in parts of about `share` bytes: rather too few than too many.

    Files of the same content are in one part, where it is read once. `most`: files of a part, as
    each takes its time, however small it is.
    """
    number = 0
    for listing in listings:
        for files in _groups(listing, share, most):
            number += 1
            names = None if files is None else [file.name for file in files]
            yield PlannedPart(number, {listing.report.name: names}, _size(files))


def _groups(listing: Listing, share: int, most: int | None) -> Iterator[Sequence[Listed] | None]:
    if listing.files is None:
        yield None
    elif listing.whole and listing.files:
        yield listing.files
    else:
        yield from _cut(listing.files, share, most)


def _cut(files: Sequence[Listed], share: int, most: int | None) -> list[list[Listed]]:
    groups: list[list[Listed]] = []
    group_of: dict[str, list[Listed]] = {}
    filled = 0
    for file in files:
        group = group_of.get(file.content)
        if group is None:
            full = filled + file.size / 2 > share  # farther from its share than it is
            if not groups or full or len(groups[-1]) == most:
                groups.append([])
                filled = 0
            group = group_of[file.content] = groups[-1]
        group.append(file)
        filled += file.size if group is groups[-1] else 0
    return groups


def _size(files: Sequence[Listed] | None) -> int:
    return sum(file.size for file in files or ())
