"""What every kind of source promises to the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from chalicelib.batch import Batch
from chalicelib.config import Config
from chalicelib.reports import SourceReport


@dataclass(frozen=True)
class Listed:
    """What a source may read: a file or an object of `size` bytes.

    Those with the same `content` hold the same.
    """

    name: str
    size: int
    content: str


@dataclass(frozen=True)
class Listing:
    """What there may be to read of a source, in order; None of an API, which alone knows.

    `whole`: one part must read all of it.
    """

    report: SourceReport
    files: Sequence[Listed] | None = None
    whole: bool = True


@dataclass(frozen=True)
class Share:
    """What one part of a run reads of its sources: these names of each, None for all of it.

    Objects are synced into `folder`, which is the part's own. `claimed` tells of contents of a
    source, by their hashes, which of them other parts read.
    """

    names: Mapping[str, Collection[str] | None]
    folder: Path
    claimed: Callable[[str, Collection[str]], set[str]]

    def folder_of(self, source: str) -> Path:
        """Where the objects of a source go; its name may be no name for a folder."""
        return self.folder / sha256(source.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Surroundings:
    """What a source is opened in: the configuration, and where its paths begin.

    `first_files`: no more files than these are looked at, when a look is all that is wanted.
    `share`: what is read, when it is not all.
    """

    config: Config
    base: Path
    first_files: int | None = None
    share: Share | None = None


class Source(Protocol):
    """One entry of `sources:`, ready to be read.

    After the last batch `report.loaded` and `report.cursor` hold what the load's transaction
    must record. `pending` is false when `plan` found nothing new. `at_hand`: the next batch is
    never long in coming.
    """

    report: SourceReport
    pending: bool
    at_hand: bool

    def plan(self) -> int | None:
        """Sync, and find out what there is to read: the bytes of it, None when nobody can know."""

    def batches(self) -> Iterator[Batch]:
        """The rows, in the order of the input. Raises SourceError."""
