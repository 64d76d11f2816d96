"""The bytes of a body to the fields of its model, as JSON, as text or as a form."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from email.message import Message
from email.parser import BytesParser
from typing import Any

from chalicelib.routes.answers import RequestError
from chalicelib.routes.endpoint import FORM, Endpoint

UTF_8 = {"utf-8", "utf8", "us-ascii"}


def check_size(body: bytes, limit: int) -> None:
    """Raises RequestError before anything is parsed."""
    if len(body) > limit:
        what = f"The body has {len(body):,} bytes, more than the {limit:,} that are taken here"
        raise RequestError("too_large", what)


def check_text(text: str, limit: int) -> None:
    """Raises RequestError for a text that is longer than its endpoint takes, however it came."""
    if (size := len(text.encode("utf-8", "replace"))) > limit:
        what = f"The text has {size:,} bytes, more than the {limit:,} that are taken here"
        raise RequestError("too_large", what)


def media_type(content_type: str, endpoint: Endpoint) -> str:
    """The type without its parameters. RequestError when the endpoint does not take it."""
    media = content_type.partition(";")[0].strip().lower()
    if media not in endpoint.accepts:
        what, taken = f"Content-Type {content_type[:100]!r} is not taken here", endpoint.accepts
        raise RequestError("unsupported_media_type", what, fix=f"Send {' or '.join(taken)}.")
    charset = _charset(content_type)
    if media != FORM and charset not in UTF_8:
        what = f"The character set {charset[:40]!r} is not taken here"
        raise RequestError("unsupported_media_type", what, fix="Send UTF-8.")
    return media


def text_of(body: bytes, name: str = "The body") -> str:
    """The body as text, without a byte order mark. RequestError when it is not UTF-8."""
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        byte = body[error.start]
        what = f"{name} is not UTF-8: byte 0x{byte:02x} at position {error.start}, line {line}"
        raise RequestError("invalid_request", what, fix="Save it as UTF-8.") from None


def plain_json(text: str) -> str:
    """The same JSON with whole numbers as integers: 2.0 is one, says JSON Schema.

    What is no JSON stays as it is, for its reader to refuse. RequestError for a key given twice,
    of which other readers take the first, or the last.
    """
    with suppress(ValueError, RecursionError):
        return json.dumps(json.loads(text, object_pairs_hook=_unique, parse_float=_number))
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        what = f"The body has {twice[:40]!r} twice"
        raise RequestError("invalid_request", what, fix="Say it once.")
    return found


def _number(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() else number


def form_fields(body: bytes, content_type: str, text_field: str) -> dict[str, str]:
    """The fields of a form; a file, or a field `file`, is the `text_field`. Raises RequestError."""
    fields: dict[str, str] = {}
    for part in _parts(body, content_type):
        given = part.get_param("name", header="content-disposition")
        if not isinstance(given, str) or part.is_multipart():
            raise _broken_form("a part of it has no name")
        name = text_field if given == "file" or part.get_filename() is not None else given
        if name in fields:
            raise _broken_form(f"it has {name[:40]} twice")
        content = part.get_payload(decode=True)
        fields[name] = text_of(content if isinstance(content, bytes) else b"", name[:40])
    return fields


def _parts(body: bytes, content_type: str) -> list[Message]:
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    try:
        message = BytesParser().parsebytes(head + body)
    except RecursionError:
        raise _broken_form("it is a form within a form, many times over") from None
    parts = message.get_payload()
    if not isinstance(parts, list):
        raise _broken_form("its parts are not where the boundary in Content-Type says")
    return [part for part in parts if isinstance(part, Message)]


def _broken_form(why: str) -> RequestError:
    what = f"The form cannot be read: {why}"
    return RequestError("invalid_request", what, fix="Send the file as one field named file.")


def _charset(content_type: str) -> str:
    header = Message()
    header["Content-Type"] = content_type
    return header.get_content_charset("utf-8")
