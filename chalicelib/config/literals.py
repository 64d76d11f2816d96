"""Secrets that stand in a configuration as they are, which what is stored must not hold."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.config.document import parse
from chalicelib.config.mistakes import KeyPath, Mistake, Value, is_secret
from chalicelib.config.references import has_literal, may_be_secret
from chalicelib.errors import ConfigError

STORE_IT = (
    "a secret may not be stored as it is; store it with `python -m chalicelib secret NAME` and "
    "write ${secret:NAME}, or write ${env:ELT_NAME}"
)


def refuse_literal_secrets(text: str, where: str) -> None:
    """ConfigError for passwords and tokens written out: versions are read by many, and for long."""
    document = parse(text, where)
    literal = [
        Mistake(document.line(path), path, STORE_IT)
        for path, value in _leaves(document.data, ())
        if may_be_secret(path) and is_secret(path) and isinstance(value, str) and has_literal(value)
    ]
    if literal:
        raise ConfigError([str(mistake) for mistake in literal], where=where)


def _leaves(value: Value, path: KeyPath) -> Iterator[tuple[KeyPath, Value]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _leaves(item, (*path, key))
        case list():
            for position, item in enumerate(value):
                yield from _leaves(item, (*path, position))
        case _:
            yield path, value
