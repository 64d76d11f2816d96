"""Pages that lead on by a URL, whether that was described or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.config.jsonpath import steps
from chalicelib.config.model.api import AutoPagination, LinkHeaderPagination, NextUrlPagination
from chalicelib.errors import SourceError
from chalicelib.extract.answers import value_at
from chalicelib.extract.pages import OneAnswer, Page, Paginator, Request, unfit

AROUND = ("", "links", "_links", "meta", "_meta", "paging", "pagination", "page", "pageInfo",
          "page_info", "info", "response_metadata", "data", "result")  # fmt: skip
"""Objects at the top that tell about the page; the first is the top itself."""

NEXT_URLS = ("next", "next_url", "nextUrl", "next_page_url", "nextPageUrl", "next_page",
             "next_link", "nextLink", "@odata.nextLink", "@nextLink")  # fmt: skip

MORE = ("has_more", "hasMore", "has_next", "hasNext", "has_next_page", "hasNextPage")
CURSORS = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token",
           "nextToken", "next_page", "nextPage", "next")  # fmt: skip
PAGES = ("total_pages", "totalPages", "page_count", "pageCount", "last_page", "lastPage")
TOTALS = ("total", "total_count", "totalCount", "total_results", "totalResults", "total_records",
          "totalRecords", "total_items", "totalItems")  # fmt: skip


class LinkHeaders(OneAnswer):
    """The header Link names the next page."""

    def __init__(self, config: LinkHeaderPagination) -> None:
        self._key = config.links_next_key

    def following(self, page: Page) -> Request | None:
        """Where the link leads."""
        url = page.links.get(self._key)
        return page.leading_to(url) if url else None


class NextUrls(OneAnswer):
    """The answer names the URL of the next page."""

    def __init__(self, config: NextUrlPagination) -> None:
        self._path = config.next_url_path

    def following(self, page: Page) -> Request | None:
        """Where the URL leads."""
        url = value_at(page.body, steps(self._path))
        if url is None or url is False or url == "":
            return None
        if not isinstance(url, str):
            raise unfit(page, self._path, url, "a URL", "next_url_path")
        return page.leading_to(url)


class AutoPages(OneAnswer):
    """Follows a Link header or a URL in the answer, as the first page shows.

    An answer that says otherwise that there are more is refused: how to ask for them is unknown,
    and to load the first page alone would be to lose the rest.
    """

    def __init__(self, _: AutoPagination) -> None:
        self._paginator: Paginator | None = None

    def following(self, page: Page) -> Request | None:
        """Where the page leads. SourceError when there is more, and no telling where."""
        if self._paginator is None:
            self._paginator = self._look(page)
        return self._paginator.following(page)

    def _look(self, page: Page) -> Paginator:
        if "next" in page.links:
            self.found = "link_header"
            return LinkHeaders(LinkHeaderPagination(type="link_header"))
        for path, value in _values(page.body, NEXT_URLS):
            place = f"{path}.href" if isinstance(value, dict) else path
            if _is_url(value_at(page.body, steps(place))):
                self.found = f"next_url at {place}"
                return NextUrls(NextUrlPagination(type="next_url", next_url_path=place))
        _refuse_lonely_page(page)
        self.found, self.doubt = "none", _doubt(page)
        return OneAnswer()


def _doubt(page: Page) -> str:
    came = len(page.records)
    for path, value in _values(page.body, TOTALS):
        if isinstance(value, int) and value > came:
            return (
                f"{page.request.origin}: {path} is {value:,}, and {came:,} records came. If there "
                "are more pages, set pagination.type; if not, set it to none"
            )
    return ""


def _refuse_lonely_page(page: Page) -> None:
    signs = [(path, value) for path, value in _values(page.body, PAGES) if str(value) != "1"]
    for path, value in [*signs, *_values(page.body, (*MORE, *CURSORS))]:
        if value and isinstance(value, str | int):
            raise SourceError(
                f"there are more records, as {path} tells, and no telling how to ask for them",
                where=page.request.origin,
                fix="Set pagination.type to page, offset or cursor, as the API's manual says; "
                "or to none to read this answer alone.",
            )


def _values(body: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """What the keys hold, at the top or in an object that tells about the page, and where."""
    if not isinstance(body, dict):
        return
    for name in AROUND:
        place = body.get(name) if name else body
        if isinstance(place, dict):
            prefix = f"$.{name}" if name else "$"
            yield from ((_joined(prefix, key), place[key]) for key in keys if key in place)


def _joined(prefix: str, key: str) -> str:
    return f"{prefix}['{key}']" if "." in key else f"{prefix}.{key}"


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))
