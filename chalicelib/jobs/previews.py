"""Previews of the service: asked for over HTTP, made by the job function."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Engine

from chalicelib import log, secrets, settings, uploads
from chalicelib.config import parse_config
from chalicelib.errors import EltError
from chalicelib.history import previews
from chalicelib.history.previews import Preview
from chalicelib.history.records import Failure
from chalicelib.jobs.launch import launch
from chalicelib.run_id import new_run_id


def ask(engine: Engine, text: str, actor: str) -> tuple[Preview, list[str]]:
    """Let somebody look at the sources of a configuration; it is checked, but is no version.

    Also the names under which secrets of the text are kept now, as those of an upload are.
    Raises ConfigError, SecretError and LaunchError.
    """
    uploads.check(text)
    harmless, moved = uploads.without_secrets(text)
    asked = previews.ask(engine, new_run_id(), harmless, actor)
    launch({"preview_id": asked.id})
    return asked, moved


def make(engine: Engine, preview_id: str) -> None:
    """Look, and store what was seen. However it ends, the preview says so."""
    asked = previews.get(engine, preview_id)
    try:
        previews.finish(engine, preview_id, _look(asked.yaml))
    except EltError as error:
        previews.finish(engine, preview_id, None, Failure.of(error))
    except Exception as bug:
        log.LOGGER.exception("the preview %s broke", preview_id)
        unforeseen = Failure("internal", f"unforeseen: {type(bug).__name__}")
        previews.finish(engine, preview_id, None, unforeseen)


def _look(text: str) -> list[dict[str, Any]]:
    from chalicelib.preview import SourcePreview, preview

    def stored(seen: SourcePreview) -> dict[str, Any]:
        error = asdict(Failure.of(seen.error)) if seen.error else None
        return {**asdict(replace(seen, error=None)), "error": error}

    config = parse_config(text, os.environ, "the configuration", secrets.lookup)
    return [stored(seen) for seen in preview(config, settings.data_folder())]
