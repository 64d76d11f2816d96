"""Secrets that stand in a configuration as they are, which what is stored must not hold."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from chalicelib.config.document import Document, leaves, parse
from chalicelib.config.mistakes import (
    MAX_SHOWN,
    KeyPath,
    Mistake,
    is_secret,
    is_secret_param,
    notation,
    shortened,
)
from chalicelib.config.references import (
    MAX_SECRETS,
    has_literal,
    has_reference,
    may_be_secret,
    written_out,
)
from chalicelib.errors import ConfigError

STORE_IT = (
    "a secret may not be stored as it is; store it with `python -m chalicelib secret NAME` and "
    "write ${secret:NAME}, or write ${env:ELT_NAME}"
)
IN_A_URL = (
    "a URL with a password in it; addresses are shown in messages, so credentials belong under auth"
)
IN_A_QUERY = (
    "{name!r} may be a key, which may not be stored as it is; write it as auth: {{type: api_key,"
    " location: query, name: {name}, api_key: …}}, or its value as ${{env:ELT_NAME}}"
)
SHARED = "an alias (*…) of a secret, where none may stand; write the value out"
REPEATED = "the secret of {place} is repeated here; delete it"

TELLING = 12
"""Characters from which on a value that occurs twice is no coincidence, as `postgres` may be."""

_BREAKS = "\r\n\x85\u2028\u2029"
_ANCHOR = re.compile(rf"(?:&\S+(?:[ \t{_BREAKS}]|#[^{_BREAKS}]*)*)?")
_BLOCK_HEADER = re.compile(rf"[|>][-+0-9]*([^{_BREAKS}]*)")
_URL_PASSWORD = re.compile(r"://[^/?#\s@:]*:[^/?#\s@]+@")
_PUBLIC_HEADERS = {"accept", "accept-language", "content-type", "user-agent"}
"""Any other header may be how an API wants its key, whatever it is called."""

_SECRET_FIELD = re.compile(
    "assertion|auth|cookie|key|token|secret|passw|credential|session|signature", re.IGNORECASE
)


Texts = Mapping[KeyPath, str]
"""All texts and numbers of a document by their place, those behind aliases included."""


@dataclass(frozen=True)
class _Literal:
    """A value on its way into the store, under its new name."""

    path: KeyPath
    name: str
    value: str

    @property
    def reference(self) -> str:
        return f"${{secret:{self.name}}}"


def move_literals(text: str, key: bytes, where: str = "config.yaml") -> tuple[str, dict[str, str]]:
    """The text with references in place of literal secrets, and the value of each new name.

    All else stays as it was written, comments included. A name tells the place, and one value at
    one place always has the same name; `key`, the store's own, keeps others from finding a value
    by its name. The text must be a valid configuration. ConfigError when a secret would stay in it.
    """
    bare = text.removeprefix("\ufeff")
    document = parse(bare, where)
    before = _texts(document)
    literals = _literals(document, before, key)
    if len(literals) > MAX_SECRETS:
        raise ConfigError([f"more than {MAX_SECRETS} secrets written out"], where=where)
    moved = _rewritten(bare, document, literals)
    document = parse(moved, where)
    after = _texts(document)
    mistakes = [*_unstorable(document, after), *_shared(document, before, after)]
    _refuse([*mistakes, *_repeated(moved, document, after, literals)], where)
    mark = "\ufeff" if bare != text else ""
    return mark + moved, {literal.name: literal.value for literal in literals}


def _refuse(mistakes: list[Mistake], where: str) -> None:
    if mistakes:
        in_order = sorted(mistakes, key=lambda mistake: mistake.line)
        raise ConfigError(list(dict.fromkeys(map(str, in_order))), where=where)


def _unstorable(document: Document, texts: Texts) -> list[Mistake]:
    found = [(path, _why_unstorable(path, text)) for path, text in texts.items()]
    return [Mistake(document.line(path), path, why) for path, why in found if why]


def _why_unstorable(path: KeyPath, text: str) -> str:
    if _is_literal(path, text):
        return STORE_IT
    if name := next(_keys_in_query(path, text), None):
        return IN_A_QUERY.format(name=shortened(name, MAX_SHOWN))
    return IN_A_URL if _has_url_password(path, text) else ""


def _is_literal(path: KeyPath, text: str) -> bool:
    if path[2:3] == ("headers",) and str(path[-1]).lower() in _PUBLIC_HEADERS:
        return False
    if path[3:4] == ("access_token_request_data",) and not _SECRET_FIELD.search(str(path[-1])):
        return False
    return may_be_secret(path) and is_secret(path) and has_literal(text)


def _keys_in_query(path: KeyPath, text: str) -> Iterator[str]:
    """The names of what would be sent in a query, has a value, and may be a secret."""
    sent: list[tuple[str, str]] = []
    if path[2:3] == ("params",) and has_literal(text):
        sent = [(str(path[-1]), text)]
    elif path[:1] == ("sources",) and path[-1] in ("url", "access_token_url"):
        sent = parse_qsl(written_out(text).partition("?")[2])
    return (name for name, _ in sent if is_secret_param(name))


def _has_url_password(path: KeyPath, text: str) -> bool:
    return path[:1] != ("schema",) and bool(_URL_PASSWORD.search(written_out(text)))


def _literals(document: Document, texts: Texts, key: bytes) -> list[_Literal]:
    return [
        _Literal(path, _name(texts, path, key), written_out(text))
        for path, text in texts.items()
        if path in document.spans and _is_literal(path, text) and not has_reference(text)
    ]


def _name(texts: Texts, path: KeyPath, key: bytes) -> str:
    """`config/web-orders/token-` and a keyed hash: from a plain one a weak password is found."""
    owner, place = "target", path[1:]
    if path[0] == "sources":
        source, place = path[:2], path[2:]
        owner = texts.get((*source, "name")) or texts.get((*source, "type")) or str(path[1])
    told = repr((owner, place, texts[path]))
    digest = hmac.new(key, told.encode(), hashlib.sha256).hexdigest()[:16]
    return f"config/{_slug(owner)}/{_slug(str(place[-1]))}-{digest}"


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "unnamed"


def _rewritten(text: str, document: Document, literals: list[_Literal]) -> str:
    """From the last to the first, so that the spans of the others stay right."""
    for literal in sorted(literals, key=lambda literal: document.spans[literal.path], reverse=True):
        start, end = document.spans[literal.path]
        text = text[:start] + _scalar(text[start:end], literal.reference) + text[end:]
    return text


def _scalar(written: str, reference: str) -> str:
    """The reference, with the anchor, comment and line breaks that belonged to the old scalar."""
    anchor = _ANCHOR.match(written)
    before = anchor[0] if anchor else ""
    content = written[len(before) :]
    header = _BLOCK_HEADER.match(content)
    if not header:
        return f'{before}"{reference}"'
    breaks = content[len(content.rstrip(" \t" + _BREAKS)) :].lstrip(" \t")
    return f'{before}"{reference}"{header[1]}{breaks}'


def _shared(document: Document, before: Texts, after: Texts) -> Iterator[Mistake]:
    for path, text in after.items():
        if text != before.get(path) and not may_be_secret(path):
            yield Mistake(document.line(path), path, SHARED)


def _repeated(
    text: str, document: Document, texts: Texts, literals: list[_Literal]
) -> Iterator[Mistake]:
    """Where a value that was moved also stands in a comment, a key or another value."""
    places = {value: path for path, value in texts.items()}
    comments = "\n".join(line.partition("#")[2] for line in text.split("\n"))
    for literal in literals:
        value, said = literal.value.strip(), REPEATED.format(place=notation(literal.path))
        tells = len(value) >= TELLING
        if line := _line_with(value, text if tells else comments):
            yield Mistake(line, (), said)
        for other, path in places.items():
            if tells and value in other:
                yield Mistake(document.line(path), (), said)


def _line_with(value: str, text: str) -> int | None:
    """The first line with the value as a word of its own."""
    found = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text) if value in text else None
    return text.count("\n", 0, found.start()) + 1 if value and found else None


def _texts(document: Document) -> Texts:
    return dict(leaves(document.data))
