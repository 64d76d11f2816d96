"""Previews: a configuration tried on real data before it is stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.history import previews as stored
from chalicelib.history.previews import PreviewState
from chalicelib.jobs import previews
from chalicelib.jobs.common import service
from chalicelib.routes.handler import Call, Model
from chalicelib.routes.handlers.configs import Upload
from chalicelib.routes.handlers.jobs import Failure
from chalicelib.routes.handlers.rejects import Problem


class Asked(Model):
    """The preview, and where to find it in some seconds.

    `moved_secrets` are the names under which secrets of the text are kept now.
    """

    preview_id: str
    url: str
    moved_secrets: list[str]


class PreviewRow(Model):
    """A row as it was extracted; with problems it would be kept out of the table."""

    file: str
    line: int
    values: dict[str, str | None]
    problems: list[Problem]


class SourcePreview(Model):
    """The first rows of a source, or why it cannot be read.

    `columns` are those of the table with their types, `ignored` those of the source that the
    schema leaves out, `files` what was found out of each file. `complete`: there are no more rows.
    """

    name: str
    type: str
    columns: dict[str, str]
    ignored: list[str]
    files: dict[str, dict[str, str]]
    rows: list[PreviewRow]
    complete: bool
    error: Failure | None


class Preview(Model):
    """A look at all sources of a configuration; `sources` are there when it has succeeded."""

    id: str
    state: PreviewState
    sources: list[SourcePreview] | None
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None


def ask_preview(call: Call[None, Upload]) -> Asked:
    """Check the configuration, and let the job function look."""
    asked, moved = previews.ask(service(), call.body.yaml, call.actor)
    return Asked(preview_id=asked.id, url=f"{call.base}/previews/{asked.id}", moved_secrets=moved)


def get_preview(call: Call[None, None]) -> Preview:
    """What was seen so far."""
    seen = stored.get(service(), call.path["preview_id"])
    return Preview(
        id=seen.id,
        state=seen.state,
        sources=_sources(seen.result),
        error=Failure(**vars(seen.error)) if seen.error else None,
        created_at=seen.created_at,
        finished_at=seen.finished_at,
    )


def _sources(result: list[dict[str, Any]] | None) -> list[SourcePreview] | None:
    return None if result is None else [SourcePreview.model_validate(each) for each in result]
