"""Bearer tokens and their roles. Only hashes are stored: who reads the store can call nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Literal, get_args

from chalicelib.errors import UsageError
from chalicelib.secrets import service_store

Role = Literal["viewer", "operator", "admin"]
STORE = "tokens"
PREFIX = "elt_"
FRESH = 30.0
"""Seconds that the hashes are kept in memory, so that not each request asks the store."""

_known: tuple[float, dict[str, Identity]] | None = None


@dataclass(frozen=True)
class Identity:
    """Whose token it is, and what it may do."""

    name: str
    role: Role


def make_token(role: str, name: str) -> str:
    """A new token; it is shown this once. An earlier one of the same name is no longer valid."""
    if role not in get_args(Role):
        raise UsageError(f"{role!r} is not a role", fix=f"Use {', '.join(get_args(Role))}.")
    token = PREFIX + secrets.token_urlsafe(32)

    def add(stored: str | None) -> str:
        others = {k: v for k, v in json.loads(stored or "{}").items() if v["name"] != name}
        return json.dumps({**others, _hashed(token): {"name": name, "role": role}})

    service_store().update(STORE, add)
    forget()
    return token


def role_of(token: str) -> Identity | None:
    """Whose token it is; None for a token that nobody has."""
    offered = _hashed(token)
    found = None
    for stored, identity in _identities().items():  # all of them: time tells nothing
        if hmac.compare_digest(stored, offered):
            found = identity
    return found


def forget() -> None:
    """Ask the store again at the next request."""
    global _known  # noqa: PLW0603 - one cache a process
    _known = None


def _identities() -> dict[str, Identity]:
    global _known  # noqa: PLW0603
    if _known is None or time.monotonic() - _known[0] > FRESH:
        stored = json.loads(service_store().get(STORE) or "{}")
        identities = {hashed: Identity(**entry) for hashed, entry in stored.items()}
        _known = (time.monotonic(), identities)
    return _known[1]


def _hashed(token: str) -> str:
    """A token is 256 random bits, so a fast hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
