"""Versions of the configuration: upload, check, list, compare, restore."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from chalicelib import uploads
from chalicelib.config import json_schema
from chalicelib.history import configs
from chalicelib.jobs import common as jobs
from chalicelib.routes.handler import Call, Model, split


class Upload(Model):
    """A configuration."""

    yaml: str


class NewVersion(Upload):
    """A configuration, and why it is uploaded; the header X-Comment may say so, too."""

    comment: str = Field("", max_length=500)


class VersionSummary(Model):
    """A version without its text."""

    version: int
    sha256: str
    author: str
    comment: str
    created_at: datetime


class Version(VersionSummary):
    """A version as it was uploaded."""

    yaml: str


class StoredUpload(Version):
    """The version, with references in place of secrets that were written out.

    `moved_secrets` are their names in the secret store.
    """

    moved_secrets: list[str]
    warnings: list[str]


class Page(Model):
    """Where to go on: before this version."""

    before: int | None = Field(None, ge=1, le=10**9)
    limit: int = Field(50, ge=1, le=200)


class ConfigHistory(Model):
    """A page of versions; `next` is the `before` of the next page, null on the last one."""

    configs: list[VersionSummary]
    next: int | None


class Valid(Model):
    """The configuration has no mistakes; the warnings name what is seldom meant."""

    valid: bool
    warnings: list[str]


class Diff(Model):
    """Empty when both are the same."""

    diff: str


def upload_config(call: Call[None, NewVersion]) -> StoredUpload:
    """Store it when it has no mistakes; its secrets go to the secret store."""
    comment = call.body.comment or call.headers.get("x-comment", "")
    done = uploads.add(jobs.service(), call.body.yaml, call.actor, comment)
    return StoredUpload(**vars(done.version), moved_secrets=done.moved, warnings=done.warnings)


def validate_config(call: Call[None, Upload]) -> Valid:
    """Check it as an upload would."""
    return Valid(valid=True, warnings=uploads.check(call.body.yaml).warnings)


def list_configs(call: Call[Page, None]) -> ConfigHistory:
    """A page of the history."""
    asked = call.query
    page, more = split(configs.page(jobs.service(), asked.before, asked.limit + 1), asked.limit)
    return ConfigHistory(
        configs=[VersionSummary(**vars(entry)) for entry in page],
        next=page[-1].version if more else None,
    )


def get_config(call: Call[None, None]) -> Version:
    """One version; it holds references, never secrets."""
    return _version(configs.get(jobs.service(), call.path["version"]))


def diff_configs(call: Call[None, None]) -> Diff:
    """From one version to the other."""
    engine = jobs.service()
    one, other = (configs.get(engine, call.path[name]) for name in ("version", "other"))
    return Diff(diff=configs.diff(one, other))


def restore_config(call: Call[None, None]) -> Version:
    """The old text under a new number."""
    return _version(configs.restore(jobs.service(), call.path["version"], call.actor))


def config_schema(call: Call[None, None]) -> dict[str, Any]:  # noqa: ARG001
    """For editors."""
    return json_schema()


def _version(stored: configs.Version) -> Version:
    return Version(**vars(stored))
