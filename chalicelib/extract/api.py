"""A JSON API as batches: page after page, and only what is new."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pyarrow as pa

from chalicelib.batch import Batch
from chalicelib.config.model.api import ApiSource, Paged
from chalicelib.errors import SourceError
from chalicelib.extract.answers import error_in, find_records, parse
from chalicelib.extract.cursor import CursorWalk
from chalicelib.extract.failures import NotFoundError
from chalicelib.extract.fetch import Client
from chalicelib.extract.pages import Page, Paginator, Request, bare
from chalicelib.extract.pagination import PAGINATION
from chalicelib.extract.records import Fields, to_table
from chalicelib.extract.repetition import Repetitions
from chalicelib.extract.signs import refuse_early_end
from chalicelib.reports import FileReport, SourceReport, SourceState
from chalicelib.retry import Sleep
from chalicelib.settings import BATCH_RECORDS


class ApiReader:
    """Reads one `type: api` source. Its one file in the report is the URL without its query.

    The hosts that a person's own file names may be asked wherever they are (`is_own`); those of
    an uploaded configuration, and what an API leads to, only where all may.
    """

    def __init__(
        self,
        config: ApiSource,
        state: SourceState,
        *,
        is_own: bool = False,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.report = SourceReport(config.name, config.type)
        self.pending = True
        self.at_hand = False
        self._config = config
        self._state = state
        self._trusted = config.hosts if is_own else frozenset[str]()
        self._sleep = sleep
        self._records_path = config.records
        self._found: dict[str, str] = {}
        self._fields = Fields()

    def plan(self) -> int | None:
        """None: only the API knows how much there is."""
        return None

    def batches(self) -> Iterator[Batch]:
        """The records of each page; those an earlier run loaded are left out.

        A page is one batch, or more when it has over BATCH_RECORDS records; the first of them
        carries the page's size. Raises SourceError with the URL and page.
        """
        file = self.report.file(bare(self._config.url))
        progress = self._progress()
        dropped = 0
        for number, page in enumerate(self._pages(), start=1):
            file.detected = {
                "records": self._records_path or "$",
                "pages": str(number),
                **self._found,
            }
            for batch, known in self._cut(page, progress):
                dropped += known
                file.rows += batch.rows
                if batch.rows:
                    yield batch
            _tell(file, dropped)
        if progress:
            self.report.cursor = progress.cursor

    def _progress(self) -> CursorWalk | None:
        incremental = self._config.incremental
        return CursorWalk(incremental.cursor, self._state.cursor) if incremental else None

    def _cut(self, page: Page, progress: CursorWalk | None) -> Iterator[tuple[Batch, int]]:
        """Batches of the page, each with the number of records that were loaded before."""
        size = page.size
        for start in range(0, len(page.records), BATCH_RECORDS):
            records = page.records[start : start + BATCH_RECORDS]
            yield self._batch(page.request, records, start + 1, size, progress)
            size = 0

    def _batch(
        self,
        request: Request,
        records: Sequence[Any],
        first: int,
        size: int,
        progress: CursorWalk | None,
    ) -> tuple[Batch, int]:
        where = request.origin
        lines: Sequence[int] = range(first, first + len(records))
        table = to_table(
            records, self._config.json_, where=where, numbers=lines, fields=self._fields
        )
        if progress:
            new = progress.new_rows(table, records, where=where, first=first)
            table, lines = table.take(pa.array(new, pa.int64())), [lines[row] for row in new]
        return Batch(self.report.name, where, table, lines, size), len(records) - len(lines)

    # asking

    def _pages(self) -> Iterator[Page]:
        paginator = PAGINATION[self._config.pagination.type](self._config.pagination)
        request: Request | None = paginator.first(Request(self._config.url, self._since()))
        seen = Repetitions(getattr(self._config.pagination, "max_pages", 1))
        client = Client(self._config, trusted=self._trusted, sleep=self._sleep)
        with closing(client):
            while request:
                seen.check_request(request)
                try:
                    page = self._page(client, request)
                except NotFoundError as error:
                    if request.page == 1 or not paginator.missing_is_end:
                        raise
                    self.report.warnings.append(f"{error.where}: 404 was taken as the end")
                    return
                seen.check(page)
                request = paginator.following(page)
                if request is None and isinstance(self._config.pagination, Paged):
                    refuse_early_end(page)
                self._note(paginator, "" if self._config.incremental else seen.overlap(page))
                yield page

    def _note(self, paginator: Paginator, overlap: str) -> None:
        """What turned out about the pages, for the report."""
        if paginator.found:
            self._found = {"pagination": paginator.found}
        for doubt in (paginator.doubt, overlap):
            if doubt and doubt not in self.report.warnings:
                self.report.warnings.append(doubt)

    def _page(self, client: Client, request: Request) -> Page:
        answer = client.get(request)
        body = parse(answer.content, request.origin)
        records, self._records_path = find_records(body, self._records_path, request.origin)
        if not records and (error := error_in(body)):
            raise SourceError(
                f"the API answers with an error: {client.excerpt(error)}",
                where=request.origin,
                fix="Correct what it says; if it passes by itself, run again later.",
            )
        return Page(request, records, body, len(answer.content), answer.url, answer.links)

    def _since(self) -> dict[str, str]:
        """The parameter that asks for new records only, if there is anything to ask from."""
        incremental, cursor = self._config.incremental, self._state.cursor
        if not incremental:
            return {}
        value = cursor.value if cursor else incremental.start
        return {} if value is None else {incremental.param: value}


def _tell(file: FileReport, dropped: int) -> None:
    if dropped:
        file.detail = f"{dropped:,} already loaded"
