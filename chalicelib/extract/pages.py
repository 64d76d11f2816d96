"""A page of an API's list: what is asked, what came, and what tells how to go on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode, urljoin, urlsplit

from chalicelib.errors import SourceError
from chalicelib.extract.records import kind_of


@dataclass(frozen=True)
class Request:
    """One page to ask for; `params` are the cursor's and the pagination's, none of them secret.

    `page` counts from 1. A URL that the API gave is `complete`: it has all other parameters.
    """

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    page: int = 1
    complete: bool = False

    @property
    def origin(self) -> str:
        """The URL and `params` as they may be shown, without what else the URL may carry."""
        if self.complete:
            return f"{bare(self.url)} page {self.page}"
        query = urlencode(self.params, safe=":")
        return bare(self.url) + ("?" + query if query else "")

    def following(self, param: str, value: str) -> Request:
        """The request for the next page, by a parameter."""
        return Request(self.url, {**self.params, param: value}, self.page + 1)


@dataclass(frozen=True)
class Page:
    """An answer: its records, the whole JSON they were in, and the bytes it took.

    `url` is where it came from in the end, `links` the URLs of its header Link by relation.
    """

    request: Request
    records: Sequence[Any]
    body: Any
    size: int
    url: str = ""
    links: Mapping[str, str] = field(default_factory=dict)

    def leading_to(self, url: str) -> Request:
        """The request for the next page, by the URL that this one gave."""
        try:
            leads_to = urljoin(self.url, url)
            _ = urlsplit(leads_to).port
        except ValueError:
            raise SourceError(
                "the URL that it gives for the next page is none",
                where=self.request.origin,
                fix="Report it to those who run the API.",
            ) from None
        return Request(leads_to, page=self.request.page + 1, complete=True)


def bare(url: str) -> str:
    """The URL without user, query and fragment, where secrets may be."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", url, maxsplit=1)[0])


class Paginator(Protocol):
    """Says what to ask; made anew for each run."""

    missing_is_end: bool
    """Whether a 404 after the first page can mean that there are no more."""

    found: str
    """What pagination there is, when nobody described it."""

    doubt: str
    """Why there may be more than was read, when nobody can tell."""

    def first(self, request: Request) -> Request:
        """The first request, given the source's own."""

    def following(self, page: Page) -> Request | None:
        """What to ask after this page; None at the end. SourceError when nobody can tell."""


class OneAnswer:
    """Everything comes at once."""

    missing_is_end = False
    found = ""
    doubt = ""

    def __init__(self, _: Any = None) -> None: ...

    def first(self, request: Request) -> Request:
        """The request as it is."""
        return request

    def following(self, _: Page) -> Request | None:
        """None."""
        return None


def unfit(page: Page, path: str, found: Any, wanted: str, key: str) -> SourceError:
    """What `pagination.<key>` leads to is of another kind."""
    return SourceError(
        f"{path} is {kind_of(found)}, not {wanted}",
        where=page.request.origin,
        fix=f"Correct pagination.{key}.",
    )
