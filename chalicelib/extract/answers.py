"""From the bytes of an API's answer to its records."""

from __future__ import annotations

import json
from typing import Any

from chalicelib.config.jsonpath import Step, steps
from chalicelib.errors import SourceError
from chalicelib.extract.decoding import Decoder, FlawedError
from chalicelib.extract.records import json_text, kind_of

SHOWN_KEYS = 10

ERRORS = ("error", "errors", "error_message", "errorMessage", "fault", "exception")
FAILED = ("error", "fail", "failed", "failure")


def parse(content: bytes, where: str) -> Any:
    """The JSON, numbers with a point as Decimal. SourceError says where it breaks."""
    try:
        return Decoder().whole(content.decode(json.detect_encoding(content)))
    except json.JSONDecodeError as error:
        what = (
            f"the JSON is broken or cut off at character {error.pos + 1:,} "
            f"of {len(error.doc):,}: {error.msg}"
        )
    except UnicodeDecodeError as error:
        what = f"the answer is not UTF-8 at byte {error.start + 1:,}"
    except FlawedError as error:
        what = f"the JSON cannot be kept as it is: {error}"
    raise SourceError(what, where=where, fix="Report it to those who run the API.")


def value_at(body: Any, way: tuple[Step, ...], missing: Any = None) -> Any:
    """What is at the end of the way; None by a null on it, `missing` where it leads nowhere."""
    for step in way:
        if body is None:
            return None
        if isinstance(step, str):
            reaches = isinstance(body, dict) and step in body
        else:
            reaches = isinstance(body, list) and -len(body) <= (step or 0) < len(body)
        if not reaches:
            return missing
        body = body[step]
    return body


def error_in(body: Any) -> str:
    """What an answer without records says is wrong, though its status was 200; else nothing."""
    if not isinstance(body, dict):
        return ""
    for key in ERRORS:
        if error := body.get(key):
            return f"{key} is {error if isinstance(error, str) else json_text(error)}"
    failed = (str(body.get("status")).lower() in FAILED, body.get("success"), body.get("ok"))
    if failed[0] or False in failed[1:]:
        return json_text(body)
    return ""


def find_records(body: Any, path: str | None, where: str) -> tuple[list[Any], str | None]:
    """The records at `path` (`$.data.items`), and the path to look at on the next page.

    Without a path: the list at the top, or the only list of objects under a key of the top;
    None comes back while no page has told which. Null is a list without records. Raises
    SourceError, naming the keys there are, when it is not clear where the records are.
    """
    if body is None:
        return [], path
    if path is not None:
        return _at(body, path, where), path
    return _at_the_top(body, where)


def _at(body: Any, path: str, where: str) -> list[Any]:
    way = steps(path)
    found = [body]
    for step in way[:-1] if way[-1:] == (None,) else way:
        below = [child for one in found for child in _below(one, step)]
        if found and not below and not _is_in_a_list(found, step):
            raise SourceError(
                f"there is no {'list' if step is None else repr(step)} on the way to {path}; "
                f"{_what_is_there(found[0])}",
                where=where,
                fix="Correct the source's `records`.",
            )
        found = below
    return [record for one in found for record in _list(one, path, where)]


def _below(value: Any, step: Step) -> list[Any]:
    if isinstance(step, str):
        return [value[step]] if isinstance(value, dict) and step in value else []
    items = value if isinstance(value, list) else []
    return items if step is None else items[step : step + 1]


def _is_in_a_list(found: list[Any], step: Step) -> bool:
    """A list may be empty or short; that is no mistake of the path."""
    return not isinstance(step, str) and any(isinstance(one, list) for one in found)


def _list(found: Any, path: str, where: str) -> list[Any]:
    if found is None or isinstance(found, list):
        return found or []
    raise SourceError(
        f"{path} is {kind_of(found)}, not a list of records; {_what_is_there(found)}",
        where=where,
        fix="Set `records` to the list, as in `records: $.data`.",
    )


def _at_the_top(body: Any, where: str) -> tuple[list[Any], str | None]:
    if isinstance(body, list):
        return body, "$"
    lists = _lists(body) if isinstance(body, dict) else {}
    full = [key for key, records in lists.items() if records]
    if len(full) == 1 and "." not in full[0]:
        return lists[full[0]], f"$.{full[0]}"
    if lists and not full:
        return [], None
    raise SourceError(
        f"the answer is {kind_of(body)}, not a list of records; {_what_is_there(body)}",
        where=where,
        fix="Say where the records are, as in `records: $.data`.",
    )


def _lists(body: dict[str, Any]) -> dict[str, list[Any]]:
    """Values that are lists of objects; an empty list may be one."""
    return {
        key: value
        for key, value in body.items()
        if isinstance(value, list) and all(isinstance(record, dict) for record in value)
    }


def _what_is_there(value: Any) -> str:
    if not isinstance(value, dict):
        return f"there is {kind_of(value)}"
    names = ", ".join(str(key)[:40] for key in list(value)[:SHOWN_KEYS])
    return f"the keys are: {names or 'none'}{', …' if len(value) > SHOWN_KEYS else ''}"
