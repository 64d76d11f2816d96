"""Pages that lead on by a URL, whether that was described or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.config.jsonpath import steps
from chalicelib.config.model.api import AutoPagination, LinkHeaderPagination, NextUrlPagination
from chalicelib.errors import SourceError
from chalicelib.extract.answers import value_at
from chalicelib.extract.pages import OneAnswer, Page, Paginator, Request, unfit
from chalicelib.extract.signs import (
    NEXT_URL,
    Told,
    is_sign,
    says_the_end,
    sign_of_more,
    told,
    total_beyond,
)

URLS = ("href", "url", "link", "uri")
"""Keys of a URL in an object that leads on."""

MISSING = object()


class LinkHeaders(OneAnswer):
    """The header Link names the next page."""

    def __init__(self, config: LinkHeaderPagination) -> None:
        self._key = config.links_next_key

    def following(self, page: Page) -> Request | None:
        """Where the link leads."""
        url = page.links.get(self._key)
        return page.leading_to(url) if url else None


class Leads(OneAnswer):
    """At a path, the answer holds what leads to the next page; `key` is that of the path."""

    def __init__(self, path: str, key: str) -> None:
        self._path, self._key = path, key

    def lead(self, page: Page) -> Any:
        """What is there, None at the end.

        The last page may lack the key, and with it the only one. But a path that is mistyped
        would end each list at its first page. So that is refused when the page tells of more by
        another key, and otherwise doubted.
        """
        value = value_at(page.body, steps(self._path), MISSING)
        if value is MISSING and page.request.page == 1 and page.records:
            self._look_elsewhere(page)
        is_end = value is MISSING or value is False or value == ""
        return None if is_end else value

    def unfit(self, page: Page, value: Any, wanted: str) -> SourceError:
        """What is there is of another kind."""
        return unfit(page, self._path, value, wanted, self._key)

    def _look_elsewhere(self, page: Page) -> None:
        origin, key = page.request.origin, f"pagination.{self._key}"
        if sign := sign_of_more(page.body):
            raise SourceError(
                f"there is nothing at {self._path}, and there are more records, as {sign.path} "
                "tells",
                where=origin,
                fix=f"Correct {key}.",
            )
        if not says_the_end(page.body):
            self.doubt = (
                f"{origin}: there is nothing at {self._path}, which was taken for the end. If "
                f"there are more pages, correct {key}"
            )


class NextUrls(Leads):
    """The answer names the URL of the next page."""

    def __init__(self, config: NextUrlPagination) -> None:
        super().__init__(config.next_url_path, "next_url_path")

    def following(self, page: Page) -> Request | None:
        """Where the URL leads."""
        url = self.lead(page)
        if url is None:
            return None
        if not isinstance(url, str):
            raise self.unfit(page, url, "a URL")
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
        about = told(page.body)
        for path in _urls(about):
            self.found = f"next_url at {path}"
            return NextUrls(NextUrlPagination(type="next_url", next_url_path=path))
        _refuse_lonely_page(page)
        is_told = any(is_sign(key) for _, key, _ in about)
        self.found = "none" if is_told else "none: one answer, which tells nothing of pages"
        self.doubt = _doubt(page)
        return OneAnswer()


def _urls(about: list[Told]) -> Iterator[str]:
    """Where URLs of the next page are."""
    for path, key, value in about:
        if NEXT_URL.fullmatch(key):
            within = value if isinstance(value, dict) else {}
            places = {path: value, **{f"{path}.{name}": within.get(name) for name in URLS}}
            yield from (place for place, url in places.items() if _is_url(url))


def _doubt(page: Page) -> str:
    if not (beyond := total_beyond(page)):
        return ""
    path, total = beyond
    return (
        f"{page.request.origin}: {path} is {total:,}, and {len(page.records):,} records came. If "
        "there are more pages, set pagination.type; if not, set it to none"
    )


def _refuse_lonely_page(page: Page) -> None:
    if sign := sign_of_more(page.body):
        raise SourceError(
            f"there are more records, as {sign.path} tells, and no telling how to ask for them",
            where=page.request.origin,
            fix=f"Set pagination.type to {sign.types}, as the API's manual says; or to none to "
            "read this answer alone.",
        )


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://", "/", "?"))
