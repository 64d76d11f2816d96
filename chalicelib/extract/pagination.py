"""How a list goes on over several answers: one class and one line of `PAGINATION` a type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

from chalicelib.config.model.api import NoPagination, PagePagination
from chalicelib.errors import SourceError


@dataclass(frozen=True)
class Request:
    """One page to ask for; `params` are the cursor's and the pagination's, none of them secret."""

    url: str
    params: Mapping[str, str] = field(default_factory=dict)
    page: int = 1

    @property
    def origin(self) -> str:
        """The URL and `params` as they may be shown, without what else the URL may carry."""
        query = urlencode(self.params, safe=":")
        return bare(self.url) + ("?" + query if query else "")


@dataclass(frozen=True)
class Page:
    """An answer: its records, the whole JSON they were in, and the bytes it took."""

    request: Request
    records: Sequence[Any]
    body: Any
    size: int


def bare(url: str) -> str:
    """The URL without user, query and fragment, where secrets may be."""
    return re.sub(r"//[^/@]*@", "//", re.split(r"[?#]", url, maxsplit=1)[0])


class Paginator(Protocol):
    """Says what to ask; made anew for each run."""

    missing_is_end: bool
    """Whether a 404 after the first page can mean that there are no more."""

    def first(self, request: Request) -> Request:
        """The first request, given the source's own."""

    def following(self, page: Page) -> Request | None:
        """What to ask after this page; None at the end. SourceError for a list without end."""


class OneAnswer:
    """Everything comes at once."""

    missing_is_end = False

    def __init__(self, _: NoPagination) -> None: ...

    def first(self, request: Request) -> Request:
        """The request as it is."""
        return request

    def following(self, _: Page) -> Request | None:
        """None."""
        return None


class NumberedPages:
    """Pages counted by a parameter.

    Asked until a page is empty. A page that is shorter than `size` ends the list at once only
    when the server is known to keep to the size that it is sent: an earlier page was exactly as
    long. Otherwise it may be a server that caps the size (100 records although 500 were asked
    for) or has one of its own, and one more request finds out.
    """

    missing_is_end = True

    def __init__(self, config: PagePagination) -> None:
        self._config = config
        self._keeps_size = False

    def first(self, request: Request) -> Request:
        """`page_param` at `first_page`, and the size if the API takes one."""
        return self._numbered(request, self._config.first_page)

    def following(self, page: Page) -> Request | None:
        """The next number. SourceError when that is more than `max_pages`."""
        count, size = len(page.records), self._config.size
        if not count or (self._keeps_size and count < size):
            return None
        self._keeps_size |= self._config.size_param is not None and count == size
        number = page.request.page + 1
        if number - self._config.first_page >= self._config.max_pages:
            raise SourceError(
                f"the list has more than {self._config.max_pages:,} pages",
                where=page.request.origin,
                fix="If that is right, raise pagination.max_pages.",
            )
        return self._numbered(page.request, number)

    def _numbered(self, request: Request, page: int) -> Request:
        params = {**request.params, self._config.page_param: str(page)}
        if self._config.size_param:
            params[self._config.size_param] = str(self._config.size)
        return Request(request.url, params, page)


PAGINATION: dict[str, Callable[[Any], Paginator]] = {"none": OneAnswer, "page": NumberedPages}
