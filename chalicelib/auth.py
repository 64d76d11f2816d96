"""Bearer tokens and their roles. Only hashes are stored: who reads the store can call nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from chalicelib.errors import NotFound, SecretError, UsageError
from chalicelib.secrets import service_store

Role = Literal["viewer", "operator", "admin"]
STORE = "tokens"
PREFIX = "elt_"
MAX_NAME = 100

FRESH = 30.0
"""Seconds that the hashes are kept in memory, so that not each request asks the store."""

DOUBTFUL = 2.0
"""Seconds after which a token that is not among them may be a new one."""

_Entries = dict[str, dict[str, Any]]
"""Name, role and time of making of each token, by its hash."""

_known: tuple[float, dict[str, Identity]] | None = None


@dataclass(frozen=True)
class Identity:
    """Whose token it is, and what it may do."""

    name: str
    role: Role


def make_token(role: str, name: str) -> str:
    """A new token; it is shown this once. An earlier one of the same name is no longer valid.

    UsageError for another role or a name that is none, SecretError when it cannot be stored.
    """
    if role not in get_args(Role):
        raise UsageError(f"{role!r} is not a role", fix=f"Use {', '.join(get_args(Role))}.")
    if not (name.strip() and name.isprintable() and len(name) <= MAX_NAME):
        raise UsageError("this is no name for a token", fix=f"Use 1 to {MAX_NAME} characters.")
    token = PREFIX + secrets.token_urlsafe(32)
    entry = {"name": name, "role": role, "created": datetime.now(UTC).isoformat()}
    _change(lambda entries: {**_without(entries, name), _hashed(token): entry})
    return token


def revoke(name: str) -> None:
    """End the token of this name: here at once, in other processes within FRESH seconds.

    A gateway that keeps answers of the authorizer adds its own time. Raises NotFound.
    """
    if name not in [identity.name for identity in tokens()]:
        raise NotFound(f"there is no token called {name!r}", fix="Look at the names of the tokens.")
    _change(lambda entries: _without(entries, name))


def tokens() -> list[Identity]:
    """Whose tokens there are, by name."""
    return sorted(_read().values(), key=lambda identity: identity.name)


def role_of(token: str) -> Identity | None:
    """Whose token it is; None for a token that nobody has."""
    offered = _hashed(token)
    return _match(offered, _identities(FRESH)) or _match(offered, _identities(DOUBTFUL))


def forget() -> None:
    """Ask the store again at the next request."""
    global _known  # noqa: PLW0603 - one cache a process
    _known = None


def _match(offered: str, identities: dict[str, Identity]) -> Identity | None:
    found = None
    for stored, identity in identities.items():  # all of them: time tells nothing
        if hmac.compare_digest(stored, offered):
            found = identity
    return found


def _identities(age: float) -> dict[str, Identity]:
    """The tokens as they were at most `age` seconds ago."""
    global _known  # noqa: PLW0603
    known = _known
    if known is None or time.monotonic() - known[0] > age:
        known = _known = (time.monotonic(), _read())
    return known[1]


def _read() -> dict[str, Identity]:
    entries = _entries(service_store().get(STORE))
    return {hashed: Identity(entry["name"], entry["role"]) for hashed, entry in entries.items()}


def _change(change: Callable[[_Entries], _Entries]) -> None:
    service_store().update(STORE, lambda stored: json.dumps(change(_entries(stored))))
    forget()


def _entries(stored: str | None) -> _Entries:
    """No tokens yet when nothing is stored."""
    with suppress(ValueError, LookupError, TypeError, AttributeError):
        entries: _Entries = json.loads(stored or "{}")
        if all(entry["name"] and entry["role"] in get_args(Role) for entry in entries.values()):
            return entries
    raise SecretError(
        "the stored tokens are damaged",
        where=f"service/{STORE}",
        fix="Restore an earlier version of this secret, or delete it and make new tokens.",
    )


def _without(entries: _Entries, name: str) -> _Entries:
    return {hashed: entry for hashed, entry in entries.items() if entry["name"] != name}


def _hashed(token: str) -> str:
    """A token is 256 random bits, so a fast hash is enough: there is nothing to guess."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
