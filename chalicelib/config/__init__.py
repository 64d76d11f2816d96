"""The configuration: YAML text to frozen values, with every mistake named at its line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from chalicelib.config.document import MAX_BYTES, parse
from chalicelib.config.explain import Explainer
from chalicelib.config.mistakes import KeyPath, Mistake
from chalicelib.config.model import Config, SourceConfig
from chalicelib.config.model.api import (
    ApiIncremental,
    ApiKeyAuth,
    ApiSource,
    Auth,
    AutoPagination,
    BasicAuth,
    BearerAuth,
    CursorPagination,
    LinkHeaderPagination,
    NextUrlPagination,
    NoAuth,
    NoPagination,
    OAuth2ClientCredentials,
    OffsetPagination,
    PagePagination,
    Pagination,
)
from chalicelib.config.model.files import CsvOptions, JsonOptions, LocalSource
from chalicelib.config.model.schema import Column, ColumnKind, Schema
from chalicelib.config.model.target import LINEAGE, Target
from chalicelib.config.model.transform import Check, RowCount, Transform
from chalicelib.config.references import Reference, Secrets, resolve
from chalicelib.errors import ConfigError

__all__ = [
    "ApiIncremental",
    "ApiKeyAuth",
    "ApiSource",
    "Auth",
    "AutoPagination",
    "BasicAuth",
    "BearerAuth",
    "Check",
    "Column",
    "ColumnKind",
    "Config",
    "CsvOptions",
    "CursorPagination",
    "JsonOptions",
    "LinkHeaderPagination",
    "LINEAGE",
    "LocalSource",
    "NextUrlPagination",
    "NoAuth",
    "NoPagination",
    "OAuth2ClientCredentials",
    "OffsetPagination",
    "PagePagination",
    "Pagination",
    "RowCount",
    "Schema",
    "SourceConfig",
    "Target",
    "Transform",
    "json_schema",
    "load_config",
    "parse_config",
]

MAX_LISTED = 100

_Json = Any


def load_config(
    path: Path, env: Mapping[str, str] = os.environ, secrets: Secrets | None = None
) -> Config:
    """The configuration in a file. ConfigError with all its mistakes, or why it cannot be read."""
    config = parse_config(_text(path), env, str(path), secrets)
    config._base = path.resolve().parent
    config._is_own = True
    return config


def parse_config(
    text: str,
    env: Mapping[str, str],
    where: str = "config.yaml",
    secrets: Secrets | None = None,
) -> Config:
    """The configuration in a text. ConfigError names all mistakes, in the order of their lines.

    `secrets` tells what `${secret:…}` and `${ssm:…}` stand for; without it they are mistakes.
    """
    document = parse(text, where)
    try:
        resolved = resolve(document, env, secrets)
    except ConfigError as error:
        raise ConfigError(error.problems, where=where) from None
    mistakes = [*document.mistakes, *resolved.mistakes]
    unexplained = 0
    try:
        config = Config.model_validate(resolved.data, by_alias=True, by_name=False)
    except ValidationError as error:
        known = {mistake.path for mistake in mistakes}
        found = Explainer(document, resolved.references, known).mistakes(error, MAX_LISTED)
        mistakes += [_discreet(mistake, resolved.references) for mistake in found]
        unexplained = max(0, error.error_count() - MAX_LISTED)
    if mistakes:
        raise ConfigError(_listed(mistakes, unexplained), where=where) from None
    return config


@cache
def json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration, for editors. A reference may stand for any value."""
    schema = Config.model_json_schema(by_alias=True)
    schema = {**_with_references(schema), "title": "ELT pipeline configuration"}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # One byte more than allowed is enough to be refused.
            return file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except FileNotFoundError:
        problem = "there is no such file; create it, or name another one with --config"
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"line {line}: not UTF-8 text; save the file as UTF-8"
    except OSError as error:
        problem = f"cannot be read ({error.strerror}); it must be a file that you may read"
    raise ConfigError([problem], where=str(path))


def _discreet(mistake: Mistake, references: Mapping[KeyPath, Reference]) -> Mistake:
    """The mistake without the model's own words on a secret, which may quote a part of it."""
    reference = references.get(mistake.path)
    if reference is None or not reference.secret:
        return mistake
    return replace(mistake, text="what the reference stands for does not fit here")


def _listed(mistakes: list[Mistake], unexplained: int) -> list[str]:
    in_order = sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.line)
    lines = list(dict.fromkeys(map(str, in_order[:MAX_LISTED])))
    more = len(in_order[MAX_LISTED:]) + unexplained
    return [*lines, f"and {more:,} more"] if more > 0 else lines


def _with_references(schema: _Json) -> _Json:
    """Let `port: ${env:ELT_PORT}` pass where a number, a boolean or one of some words is due."""
    if isinstance(schema, list):
        return [_with_references(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _with_references(value) for key, value in schema.items()}
    narrow = schema.get("type") in ("integer", "number", "boolean") or "enum" in schema
    if narrow or isinstance(schema.get("pattern"), str):
        about = {k: inner.pop(k) for k in ("title", "description", "default") if k in inner}
        return {**about, "anyOf": [inner, {"type": "string", "pattern": r"\$\{"}]}
    return inner
