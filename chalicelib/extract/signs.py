"""Signs in an answer that its list goes on, however the API spells them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from chalicelib.errors import SourceError
from chalicelib.extract.pages import Page

AROUND = frozenset({
    "cursor", "d", "data", "hits", "info", "link", "links", "meta", "metadata", "page", "pageinfo",
    "pages", "pagination", "paging", "response", "responsemetadata", "result", "results",
})  # fmt: skip
"""Objects at the top that tell about the page."""

# All of these are matched with a key in small letters, without what stands between its words.

NEXT_URL = re.compile(r"(odata)?next(page|records?|results?|batch|set)?(url|uri|link|href|path)?")

MORE = re.compile(
    r"(has|have)?more(items|records|results|pages|data)?|hasa?next(page)?|(is)?truncated"
)
LAST = re.compile(r"(is)?(last|lastpage|done|end)")
FLAGS = (
    (MORE, {"true": True, "1": True, "false": False, "0": False}),
    (LAST, {"true": False, "false": True}),
)

PAGES = re.compile(
    r"(total|num|nb|numberof|max)pages?|pages(total|count)?|page(total|count)|lastpage(number)?"
)

CURSOR = re.compile(
    r"(odata)?next(page|records?|results?|batch|set)?"
    r"(url|uri|link|href|path|offset|start|id|key|number|index|skip)?"
    r"|(?!prev|first|start|end|last|self|current|before)"
    r"(?!.*(access|auth|api|csrf|xsrf|id|refresh|session|sync|delta)token).*(token|cursor|marker)"
    r"|scroll(id)?|bookmark|after|lastevaluatedkey"
)
"""A sync token or the cursor of a page's own end comes with the last page, too."""

TOTALS = re.compile(
    r"total(count|results?|records?|items?|rows?|elements?|hits|size|entries)?|nbhits"
    r"|(odata|records?|items?|rows?|results?)?count|(records|items|rows)total|num(found|results)"
)

NOTHING = frozenset({"", "0", "-1", "false", "none", "null"})


class Told(NamedTuple):
    """A value beside the records, where it is, and its key in the plain form."""

    path: str
    key: str
    value: Any


class Sign(NamedTuple):
    """Where an answer tells that there is more, and what pagination that may be."""

    path: str
    types: str


def told(body: Any) -> list[Told]:
    """What is at the top, and then in the objects that tell about the page."""
    if not isinstance(body, dict):
        return []
    within = [(_joined("$", key), value) for key, value in body.items() if _plain(key) in AROUND]
    places = [("$", body), *((path, value) for path, value in within if isinstance(value, dict))]
    return [
        Told(_joined(path, key), _plain(key), value)
        for path, place in places
        for key, value in place.items()
    ]


def sign_of_more(body: Any) -> Sign | None:
    """The first of the surest signs: a flag, a number of pages, what only leads to a next page.

    A flag that says the end is believed more than a cursor, which some APIs send with each page.
    """
    about = told(body)
    flags = list(_flags(about))
    for path, goes_on in flags:
        if goes_on:
            return Sign(path, "page, offset or cursor")
    for path, key, value in about:
        if PAGES.fullmatch(key) and (_count(value) or 0) > 1:
            return Sign(path, f"page (total_path: {path})")
    return None if flags else _cursor(about) or _link(body)


def says_the_end(body: Any) -> bool:
    """Whether a flag, as `has_more: false`, tells that this is all."""
    flags = [goes_on for _, goes_on in _flags(told(body))]
    return bool(flags) and not any(flags)


def refuse_early_end(page: Page) -> None:
    """SourceError when a list would end at a page that itself says that it goes on."""
    for path, goes_on in _flags(told(page.body)):
        if goes_on:
            raise SourceError(
                f"nothing leads on from here, though there are more records, as {path} tells",
                where=page.request.origin,
                fix="Correct pagination, as the API's manual says; or report it to those who run "
                "the API.",
            )


def total_beyond(page: Page) -> tuple[str, int] | None:
    """Where a total is that is more than came, and how much; it may count something else."""
    for path, key, value in told(page.body):
        if TOTALS.fullmatch(key) and (total := _count(value) or 0) > len(page.records):
            return path, total
    return None


def is_sign(key: str) -> bool:
    """Whether APIs tell by this key, in the plain form, about their pages."""
    return any(sort.fullmatch(key) for sort in (NEXT_URL, MORE, LAST, PAGES, CURSOR, TOTALS))


def _flags(about: list[Told]) -> Iterator[tuple[str, bool]]:
    """Where a flag is, and whether it says that there is more."""
    for path, key, value in about:
        for sort, meanings in FLAGS:
            goes_on = meanings.get(str(value).lower()) if sort.fullmatch(key) else None
            if goes_on is not None:
                yield path, goes_on


def _cursor(about: list[Told]) -> Sign | None:
    for path, key, value in about:
        is_opaque_offset = key == "offset" and isinstance(value, str) and not value.isdecimal()
        if (CURSOR.fullmatch(key) or is_opaque_offset) and _says_something(value):
            place = f"{path}.…" if isinstance(value, dict) else path
            return Sign(path, f"cursor (cursor_path: {place}), page or offset")
    return None


def _link(body: Any) -> Sign | None:
    """In a list of links, each with its relation."""
    for key in ("link", "links", "_links"):
        links = body.get(key) if isinstance(body, dict) else None
        for number, link in enumerate(links if isinstance(links, list) else []):
            if isinstance(link, dict) and "next" in (link.get("rel"), link.get("relation")):
                return Sign(f"$.{key}[{number}]", "page, offset or cursor")
    return None


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    return isinstance(value, str | int) and str(value).lower() not in NOTHING


def _count(value: Any) -> int | None:
    """A number, or a text of digits, as it is."""
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _plain(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


def _joined(path: str, key: str) -> str:
    return f"{path}['{key}']" if re.search(r"[.\[\]*\"]", key) else f"{path}.{key}"
