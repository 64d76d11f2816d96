"""What every kind of source promises to the pipeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from chalicelib.batch import Batch
from chalicelib.reports import SourceReport


class Source(Protocol):
    """One entry of `sources:`, ready to be read.

    After the last batch `report.loaded` and `report.cursor` hold what the load's transaction
    must record. `pending` is false when `plan` found nothing new.
    """

    report: SourceReport
    pending: bool

    def plan(self) -> int | None:
        """Sync, and find out what there is to read: the bytes of it, None when nobody can know."""

    def batches(self) -> Iterator[Batch]:
        """The rows, in the order of the input. Raises SourceError."""
