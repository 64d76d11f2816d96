"""The console: the service in a browser, and who is using it."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint

HANDLERS = "chalicelib.routes.handlers.console:"

ENDPOINTS = (
    Endpoint(
        "GET",
        "/",
        HANDLERS + "console_page",
        role="public",
        summary="The console",
        produces=("text/html",),
    ),
    Endpoint(
        "GET",
        "/web/{edition}/{name}",
        HANDLERS + "console_file",
        role="public",
        summary="A file that the console is made of",
        errors=("not_found",),
        produces=("text/css", "text/javascript", "text/x-yaml"),
    ),
    Endpoint(
        "GET",
        "/me",
        HANDLERS + "whoami",
        role="viewer",
        summary="Whose token it is, and its role",
    ),
)
