"""A mistake in the configuration, and how its place and its value are written for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Union

KeyPath = tuple[str | int, ...]
"""Keys and positions from the top of the document: `("sources", 0, "auth", "type")`."""

Value = Union["dict[str, Value]", "list[Value]", str, int, Decimal, bool, None]
"""What YAML can say."""

MAX_SHOWN = 60
MAX_TEXT = 400

_WORD = re.compile(r"[\w-]+")
_SECRET_KEY = re.compile(r"auth|headers|.*(password|token|secret|credential).*", re.IGNORECASE)
_SECRET_PARAM = re.compile(
    "key|appid"
    "|.*(token(?!s)|secret|passw|passphrase|pwd|credential|signature|session[-_]?id).*"
    "|(.*[-_.])?(auth|authorization|bearer|hmac|jwt|pass|pin|sig)"
    "|(.*[-_.])?(access|account|api|app|auth|client|consumer|developer|license|master|private"
    "|service|shared|subscription|user)[-_.]?key",
    re.IGNORECASE | re.DOTALL,
)
_PLAIN_AUTH = {"type", "name", "location", "access_token_url", "client_id",
               "token_endpoint_auth_method"}  # fmt: skip
_URL_SECRETS = re.compile(r"^.*@|\?.*$", re.DOTALL)


@dataclass(frozen=True)
class Mistake:
    """What is wrong at one place. `line` counts from 1."""

    line: int
    path: KeyPath
    text: str

    def __str__(self) -> str:
        place = f"{notation(self.path)}: " if self.path else ""
        return f"line {self.line}: {place}{shortened(self.text, MAX_TEXT)}"


def notation(path: KeyPath) -> str:
    """A path as people write it: `sources[1].auth.type`, `schema.columns["net amount"].min`."""
    return "".join(_step(step) for step in path).removeprefix(".")


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    name = shortened(step, MAX_SHOWN)
    # repr keeps control characters, which a terminal would obey, out of the message.
    return f".{name}" if _WORD.fullmatch(step) else f'["{repr(name)[1:-1]}"]'


def is_secret(path: KeyPath) -> bool:
    """Whether a value at this place may be a password, a token or part of one."""
    if path[:1] == ("schema",) or (path[-2:-1] == ("auth",) and path[-1] in _PLAIN_AUTH):
        return False
    if path[2:3] == ("params",) and is_secret_param(str(path[-1])):
        return True
    return any(_SECRET_KEY.fullmatch(step) for step in path if isinstance(step, str))


def is_secret_param(name: str) -> bool:
    """Whether a parameter of this name in a query may be a key."""
    return bool(_SECRET_PARAM.fullmatch(name))


def shown(value: object, path: KeyPath) -> str:
    """A value as it may appear in a message: short, and never a secret."""
    if is_secret(path):
        return "the value"
    if isinstance(value, str):
        return repr(shortened(_without_credentials(value, path), MAX_SHOWN))
    if isinstance(value, bool | None):
        return {True: "true", False: "false", None: "null"}[value]
    return shortened(str(value), MAX_SHOWN) if isinstance(value, int | Decimal) else what(value)


def _without_credentials(text: str, path: KeyPath) -> str:
    return _URL_SECRETS.sub("…", text) if "//" in text or "url" in path else text


def what(value: object) -> str:
    """The kind of a value in a word or two."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | Decimal():
            return "a number"
        case list():
            return "a list"
        case dict():
            return "a group of keys"
    return "text"


def shortened(text: str, limit: int) -> str:
    """At most `limit` characters of it."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
