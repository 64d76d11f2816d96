"""How a list goes on over several answers: one class and one line of `PAGINATION` a type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.config.jsonpath import steps
from chalicelib.config.model.api import CursorPagination, OffsetPagination, PagePagination
from chalicelib.errors import SourceError
from chalicelib.extract.answers import value_at
from chalicelib.extract.link_pages import AutoPages, Leads, LinkHeaders, NextUrls
from chalicelib.extract.pages import OneAnswer, Page, Paginator, Request, unfit


class NumberedPages(OneAnswer):
    """Pages counted by a parameter.

    Asked until a page is empty, or as many as the answer says were. A page that is shorter than
    `size` is no end: a server may cap the size, have one of its own, or leave records out of a
    page that the one who asks may not see. That costs one more request.
    """

    missing_is_end = True

    def __init__(self, config: PagePagination) -> None:
        self._config = config

    def first(self, request: Request) -> Request:
        """`page_param` at `first_page`, and the size if the API takes one."""
        params = {**request.params, self._config.page_param: str(self._config.first_page)}
        if self._config.size_param:
            params[self._config.size_param] = str(self._config.size)
        return Request(request.url, params)

    def following(self, page: Page) -> Request | None:
        """The next number."""
        asked, least = page.request.page, min(len(page.records), 1)
        total = _total(page, self._config.total_path, least)
        self.doubt = _doubt(page, self._config.total_path, asked, total)
        if not page.records or (total is not None and asked >= total):
            return None
        number = self._config.first_page + asked
        return page.request.following(self._config.page_param, str(number))


class Offsets(OneAnswer):
    """Records counted by a parameter: as many as came are passed over, whatever was asked for."""

    missing_is_end = True

    def __init__(self, config: OffsetPagination) -> None:
        self._config = config
        self._passed = 0

    def first(self, request: Request) -> Request:
        """From 0 on, as many at a time as `limit` if the API takes that."""
        params = {**request.params, self._config.offset_param: "0"}
        if self._config.limit_param:
            params[self._config.limit_param] = str(self._config.limit)
        return Request(request.url, params)

    def following(self, page: Page) -> Request | None:
        """From the first record that did not come; None when none came, or all that there are."""
        self._passed += len(page.records)
        total = _total(page, self._config.total_path, len(page.records))
        self.doubt = _doubt(page, self._config.total_path, self._passed, total)
        if not page.records or (total is not None and self._passed >= total):
            return None
        return page.request.following(self._config.offset_param, str(self._passed))


class Cursors(Leads):
    """The answer holds what to send for the next page."""

    def __init__(self, config: CursorPagination) -> None:
        super().__init__(config.cursor_path, "cursor_path")
        self._param = config.cursor_param

    def following(self, page: Page) -> Request | None:
        """With the cursor of this page; None when it has none."""
        cursor = self.lead(page)
        if cursor is None:
            return None
        if isinstance(cursor, dict | list | bool):
            raise self.unfit(page, cursor, "a cursor")
        return page.request.following(self._param, str(cursor))


def _total(page: Page, path: str | None, least: int) -> int | None:
    """The number at the path; SourceError for less than `least`, which came already."""
    if path is None:
        return None
    total = value_at(page.body, steps(path))
    if isinstance(total, str) and total.isdecimal():
        total = int(total)
    if isinstance(total, bool) or not isinstance(total, int):
        raise unfit(page, path, total, "a number", "total_path")
    if total < least:
        raise SourceError(
            f"{path} is {total:,}, though {len(page.records):,} records came",
            where=page.request.origin,
            fix="Correct pagination.total_path.",
        )
    return total


def _doubt(page: Page, path: str | None, passed: int, total: int | None) -> str:
    """Why an empty page may not be the end."""
    if page.records or total is None or passed >= total:
        return ""
    return (
        f"{page.request.origin}: this page was empty and taken for the end, though {path} is "
        f"{total:,} and the list was at {passed:,}"
    )


PAGINATION: dict[str, Callable[[Any], Paginator]] = {
    "none": OneAnswer,
    "auto": AutoPages,
    "page": NumberedPages,
    "offset": Offsets,
    "cursor": Cursors,
    "link_header": LinkHeaders,
    "next_url": NextUrls,
}
