"""A configuration on its way into the history: checked, and without the secrets in it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sqlalchemy import Engine

from chalicelib import secrets
from chalicelib.config import Config, parse_config
from chalicelib.config.literals import move_literals
from chalicelib.history import configs

WHERE = "the configuration"


@dataclass(frozen=True)
class Upload:
    """A stored version; `moved` are the names under which secrets of the text are kept now."""

    version: configs.Version
    moved: list[str]
    warnings: list[str]


def check(text: str) -> Config:
    """The configuration, if `add` would take the text. Raises ConfigError with all mistakes."""
    config = parse_config(text, os.environ, WHERE, secrets.lookup)
    move_literals(text, key=b"", where=WHERE)  # finds what cannot be moved; nothing is stored
    return config


def add(engine: Engine, text: str, author: str, comment: str = "") -> Upload:
    """Store the text as the next version, with references in place of secrets written out.

    The secrets are stored first: a version never refers to what is not there. Raises ConfigError,
    SecretError, and UsageError for a comment or an author that is too long.
    """
    config = check(text)
    harmless, moved = without_secrets(text)
    stored = configs.add(engine, harmless, author, comment)
    return Upload(stored, moved, config.warnings)


def without_secrets(text: str) -> tuple[str, list[str]]:
    """The valid text with references to the store, where its secrets are now; their names."""
    harmless, values = move_literals(text, secrets.naming_key(), WHERE)
    store = secrets.user_store()
    for name, value in values.items():
        store.put(name, value)
    return harmless, list(values)
