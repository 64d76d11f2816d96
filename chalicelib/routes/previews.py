"""Previews: a configuration tried on real data before it is stored."""

from __future__ import annotations

from chalicelib.routes.configs import BODY_LIMIT
from chalicelib.routes.endpoint import Endpoint

HANDLERS = "chalicelib.routes.handlers.previews:"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/previews",
        HANDLERS + "ask_preview",
        # Whoever writes a configuration decides where secrets are sent and which files are read.
        role="admin",
        summary="Look at the first rows of a configuration's sources; nothing is loaded",
        status=202,
        errors=("invalid_configuration", "target", "secrets", "launch"),
        text_field="yaml",
        limit=BODY_LIMIT,
    ),
    Endpoint(
        "GET",
        "/previews/{preview_id}",
        HANDLERS + "get_preview",
        role="admin",
        summary="What was seen of each source, and which rows would be rejected",
        errors=("not_found", "target"),
    ),
)
