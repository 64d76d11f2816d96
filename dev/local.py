"""What `make local` does once before it serves."""

from __future__ import annotations

import os
from collections.abc import Mapping
from unittest.mock import patch

from chalicelib import auth, jobs, uploads
from chalicelib.errors import UsageError
from chalicelib.history import configs
from dev.stack import LOCAL, is_taken


def prepare(environment: Mapping[str, str]) -> str:
    """Store config.yaml as version 1 when there is none; a new token for whoever started it."""
    with patch.dict(os.environ, environment, clear=True):
        engine = jobs.service()
        if configs.latest(engine) is None:
            text = (LOCAL.parent / "config.yaml").read_text()
            uploads.add(engine, text, "make local", "the sample")
        return auth.make_token("admin", "make local")


def refuse_taken(port: int) -> None:
    """UsageError when something listens on the port."""
    if is_taken(port):
        raise UsageError(f"port {port} is taken", fix=f"Say make local PORT={port + 1}.")
