"""Secrets by name: those that a configuration refers to, and those of the service itself.

They are two stores, and no name leads from one to the other.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Literal, Protocol

from chalicelib import settings
from chalicelib.secrets.names import checked

__all__ = ["SecretStore", "lookup", "naming_key", "service_store", "user_store"]


class SecretStore(Protocol):
    """Texts by name. SecretError when the store cannot be used, UsageError for no name."""

    def get(self, name: str) -> str | None:
        """The value, None when there is none."""

    def put(self, name: str, value: str) -> None:
        """Store a value, in place of an earlier one."""

    def update(self, name: str, change: Callable[[str | None], str]) -> str:
        """Replace the value by what `change` makes of it, in one step; the new value.

        No other writer's change is lost. `change` may be called more than once.
        """

    def names(self) -> list[str]:
        """The names of all secrets, sorted."""


def user_store() -> SecretStore:
    """What `${secret:name}` in a configuration stands for."""
    return _store("user")


def service_store() -> SecretStore:
    """What the service keeps for itself, out of reach of any configuration."""
    return _store("service")


def lookup(kind: str, name: str) -> str | None:
    """What `${secret:name}` or `${ssm:name}` stands for, None for nothing.

    Raises UsageError for what is no name, SecretError when nobody can tell.
    """
    if kind == "ssm":
        from chalicelib.secrets import aws

        return aws.parameter(f"/elt/{settings.stage()}/user/{checked(name)}")
    return user_store().get(name)


def naming_key() -> bytes:
    """The random key that names secrets after their values; made once for all writers."""
    key = service_store().update("naming-key", lambda old: old or secrets.token_hex(32))
    return key.encode()


def _store(owner: Literal["user", "service"]) -> SecretStore:
    if settings.secrets_on_aws():
        from chalicelib.secrets.aws import AwsSecrets

        return AwsSecrets(f"elt/{settings.stage()}/{owner}/")
    from chalicelib.secrets.files import FileSecrets

    return FileSecrets(settings.secrets_folder() / f"{owner}.json")
