"""Versions of the configuration: every upload is the next one, and none ever changes."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from io import StringIO

from sqlalchemy import Connection, Engine

from chalicelib.errors import NotFound, UsageError
from chalicelib.history.statements import execute, run, take_turns

MAX_COMMENT = 255
MAX_AUTHOR = 100
"""Characters. Both lie in the index that the pages are read from, whose entries are bounded."""

LAST_VERSION = 2**31 - 1
"""What the column holds; a greater number is a version that nobody can have."""

SUMMARY = "version, sha256, author, comment, created_at"
VERSION = f"{SUMMARY}, yaml"

ADD = f"""
    insert into {{elt}}.configs (version, yaml, sha256, author, comment, upload_id)
    select coalesce(max(version), 0) + 1, :yaml, :sha256, :author, :comment, :upload_id
    from {{elt}}.configs
    returning {VERSION}
"""

UPLOADED = f"select {VERSION} from {{elt}}.configs where upload_id = :upload_id"

LATEST = f"select {VERSION} from {{elt}}.configs order by version desc limit 1"

GET = f"select {VERSION} from {{elt}}.configs where version = :version"

FIRST_PAGE = f"select {SUMMARY} from {{elt}}.configs order by version desc limit :limit"

PAGE = f"""
    select {SUMMARY} from {{elt}}.configs
    where version < :before order by version desc limit :limit
"""


@dataclass(frozen=True)
class VersionSummary:
    """A version without its text. `sha256` is of the YAML in UTF-8, in hexadecimal digits."""

    version: int
    sha256: str
    author: str
    comment: str
    created_at: datetime


@dataclass(frozen=True)
class Version(VersionSummary):
    """A version as it was stored."""

    yaml: str


def add(engine: Engine, yaml: str, author: str, comment: str = "") -> Version:
    """Store the next version: numbers have no gaps and no doubles, however many upload at once.

    Raises UsageError for a comment or an author that is too long.
    """
    _refuse_long("comment", comment, MAX_COMMENT)
    _refuse_long("author", author, MAX_AUTHOR)
    sha256 = hashlib.sha256(yaml.encode()).hexdigest()
    upload_id = uuid.uuid4().hex

    def work(connection: Connection) -> Version:
        take_turns(connection, "configs")
        row = execute(connection, UPLOADED, upload_id=upload_id).one_or_none()
        row = row or execute(
            connection, ADD,
            yaml=yaml, sha256=sha256, author=author, comment=comment, upload_id=upload_id,
        ).one()  # fmt: skip
        return Version(**row._mapping)

    return run(engine, "storing a version", work)


def latest(engine: Engine) -> Version | None:
    """The newest version, None before the first."""

    def work(connection: Connection) -> Version | None:
        row = execute(connection, LATEST).one_or_none()
        return Version(**row._mapping) if row else None

    return run(engine, "reading the newest version", work)


def get(engine: Engine, version: int) -> Version:
    """This version. Raises NotFound."""

    def work(connection: Connection) -> Version:
        if row := execute(connection, GET, version=_bounded(version)).one_or_none():
            return Version(**row._mapping)
        raise NotFound(
            f"there is no version {version} of the configuration",
            fix="The history of versions lists those there are.",
        )

    return run(engine, f"reading version {version}", work)


def page(engine: Engine, before: int | None, limit: int) -> list[VersionSummary]:
    """The newest `limit` versions, or the newest of those before one."""

    def work(connection: Connection) -> list[VersionSummary]:
        if before is None:
            rows = execute(connection, FIRST_PAGE, limit=limit)
        else:
            rows = execute(connection, PAGE, before=_bounded(before), limit=limit)
        return [VersionSummary(**row._mapping) for row in rows]

    return run(engine, "reading the versions", work)


def diff(one: Version, other: Version) -> str:
    """What `diff -u` says of the two; empty when they are the same text."""
    lines = unified_diff(
        _lines(one), _lines(other), f"version {one.version}", f"version {other.version}"
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def restore(engine: Engine, version: int, author: str) -> Version:
    """Store the text of an old version as the newest one. Raises NotFound."""
    old = get(engine, version)
    return add(engine, old.yaml, author, f"restored from version {version}")


def _bounded(version: int) -> int:
    return max(0, min(version, LAST_VERSION))


def _lines(version: Version) -> list[str]:
    return StringIO(version.yaml, newline="\n").readlines()


def _refuse_long(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise UsageError(
            f"the {name} has {len(text)} characters",
            where=name,
            fix=f"{most} at most are kept; make it shorter.",
        )
