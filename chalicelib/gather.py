"""Extract → validate → combine: all rows of a part into its combined CSV and its quarantine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing

import pyarrow as pa

from chalicelib.ahead import ahead
from chalicelib.batch import Batch
from chalicelib.combine import CombinedCsv
from chalicelib.config import Config
from chalicelib.config.model.schema import OnInvalid
from chalicelib.extract.base import Source
from chalicelib.progress import Progress
from chalicelib.quarantine import Quarantine
from chalicelib.reports import SourceReport
from chalicelib.schema import TableSchema, unclaimed
from chalicelib.schema.infer import Evidence
from chalicelib.schema.together import grouped, joined, validate_together
from chalicelib.schema.validate import Validated, refusal
from chalicelib.spool import Spool

Mark = Callable[[Validated, Batch], pa.Table]

Groups = Generator[list[Batch], None, None]
"""Closed by whoever takes them, or a thread might go on reading."""

MAX_REJECTS_WHEN_FAILING = 1_000
"""With `on_invalid: fail` the run goes on to find other bad rows, but not for ever."""


def plan(sources: Sequence[Source], progress: Progress) -> bool:
    """Find out what is new. Whether there is anything."""
    with progress.timed("plan"):
        sizes = [source.plan() for source in sources]
    known = [size for size in sizes if size is not None]
    progress.begin("extract", sum(known) if len(known) == len(sizes) else None, "bytes")
    return any(source.pending for source in sources)


def extracted(sources: Sequence[Source], progress: Progress) -> Groups:
    """The batches of all sources that have something new, in groups of the same columns.

    One source comes after the other. What is at hand is read ahead; an API may keep one waiting.
    """
    groups = grouped(_batches(sources, progress))
    at_hand = all(source.at_hand for source in sources if source.pending)
    return ahead(groups) if at_hand else groups


def _batches(sources: Sequence[Source], progress: Progress) -> Iterator[Batch]:
    for source in sources:
        if source.pending:
            current = None
            for batch in progress.pulling("extract", source.batches()):
                if (file := source.report.of(batch.origin)) is not current:
                    current = file
                    progress.next_file()
                progress.advance("extract", batch.size)
                yield batch


def infer(groups: Groups, config: Config, spool: Spool) -> Evidence:
    """Take all batches through the spool to learn which columns there are, and of which types."""
    evidence = Evidence(config.declared, config.target.primary_key)
    with closing(groups):
        for group in groups:
            evidence.see(joined(group))
            for batch in group:
                spool.append(batch)
    return evidence


class Gatherer:
    """Validates batches and writes the clean rows and the rejects to their files."""

    def __init__(
        self,
        schema: TableSchema,
        on_invalid: OnInvalid,
        reports: Sequence[SourceReport],
        quarantine: Quarantine,
        progress: Progress,
    ) -> None:
        self.nulled = 0
        self._schema = schema
        self._on_invalid = on_invalid
        self._reports = {report.name: report for report in reports}
        self._quarantine = quarantine
        self._progress = progress

    def gather(
        self,
        groups: Groups,
        combined: CombinedCsv,
        stop: Callable[[], bool],
        mark: Mark | None = None,
    ) -> None:
        """Fill the combined CSV. InvalidRows when there are rejects and that fails the run.

        `stop` is asked now and then: true when nobody will read what is written. `mark`
        adds what is to be written of the batch beside its valid rows.
        """
        with closing(groups):
            for group in groups:
                self._take(group, combined, mark)
                if stop() or (self._fails and self._quarantine.count >= MAX_REJECTS_WHEN_FAILING):
                    break
        if self._fails and self._quarantine.count:
            raise refusal(self._quarantine.first, self._quarantine.count)

    @property
    def _fails(self) -> bool:
        return self._on_invalid == "fail"

    def _take(self, batches: Sequence[Batch], combined: CombinedCsv, mark: Mark | None) -> None:
        with self._progress.timed("validate"):
            checked = validate_together(batches, self._schema, self._on_invalid)
        self._progress.advance("validate", sum(batch.rows for batch in batches))
        combined.wait_for_reader()
        pairs = list(zip(checked, batches, strict=True))
        with self._progress.timed("combine"):
            tables = [mark(valid, batch) if mark else valid.table for valid, batch in pairs]
            written = combined.append(pa.concat_tables(tables))
            for valid, batch in pairs:
                self._quarantine.add(batch, valid.rejects)
        self._progress.advance("combine", written)
        for valid, batch in pairs:
            self.nulled += valid.nulled
            self._note(batch, len(valid.rejects))

    def _note(self, batch: Batch, rejects: int) -> None:
        entry = self._reports[batch.source].of(batch.origin)
        entry.quarantined += rejects
        for name in unclaimed(batch.table.column_names, self._schema.columns):
            if name not in entry.ignored:
                entry.ignored.append(name)
