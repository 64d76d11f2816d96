"""Lists that do not end: a page that was asked for, or came, before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.errors import SourceError
from chalicelib.extract.cursor import fingerprint
from chalicelib.extract.pages import Page, Request


class Repetitions:
    """Remembers the pages of one run; a page is counted from 1."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._asked: dict[tuple[str, frozenset[tuple[str, str]]], int] = {}
        self._came: dict[str, int] = {}
        self._last: Sequence[Any] = []
        self._has_overlap = False

    def check_request(self, request: Request) -> None:
        """SourceError for a page that was asked for before, or is one too many."""
        key = (request.url, _items(request.params))
        if before := self._asked.get(key):
            raise SourceError(
                f"page {request.page} would be page {before} again",
                where=request.origin,
                fix="The API leads in a circle: correct pagination, or report it to those who "
                "run the API.",
            )
        if request.page > self._most:
            raise SourceError(
                f"the list has more than {self._most:,} pages",
                where=request.origin,
                fix="If that is right, raise pagination.max_pages.",
            )
        self._asked[key] = request.page

    def check(self, page: Page) -> None:
        """SourceError for a page with the records of an earlier one."""
        if not page.records:
            return
        number = page.request.page
        before = self._came.setdefault(fingerprint(page.records), number)
        if before != number:
            raise SourceError(
                f"page {number} repeats page {before}",
                where=page.request.origin,
                fix="The API seems to ignore a parameter, or to begin anew after the last page: "
                "correct the parameters of pagination, set pagination.total_path, or set "
                "pagination.type: none if it sends all at once.",
            )

    def overlap(self, page: Page) -> str:
        """A warning, the first time that the last record of a page comes on the next one again."""
        again = bool(self._last) and self._last[0] in page.records and not self._has_overlap
        self._last = page.records[-1:] or self._last
        self._has_overlap |= again
        return (
            f"{page.request.origin}: the last record of the page before came again, as if records "
            "had been added meanwhile; unless it is merged by its key, it is loaded twice"
            if again
            else ""
        )


def _items(params: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(params.items())
