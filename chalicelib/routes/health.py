"""Whether the service is there, and what it can do."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        "GET",
        "/health",
        "chalicelib.routes.handlers.health:health",
        role="public",
        summary="Liveness and version",
    ),
    Endpoint(
        "GET",
        "/openapi.json",
        "chalicelib.routes.handlers.health:openapi",
        role="public",
        summary="This description of the API",
    ),
)
