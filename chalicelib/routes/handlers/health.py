"""Whether the service is there, and what it can do."""

from __future__ import annotations

from typing import Any, Literal

from chalicelib import __version__
from chalicelib.routes.handler import Call, Model
from chalicelib.routes.openapi import describe


class Health(Model):
    """The service answers."""

    status: Literal["ok"]
    version: str


def health(call: Call[None, None]) -> Health:  # noqa: ARG001 - all handlers take a call
    """Liveness and version; no database is asked."""
    return Health(status="ok", version=__version__)


def openapi(call: Call[None, None]) -> dict[str, Any]:
    """The description of all endpoints, as seen from where it was asked for."""
    return {**describe(call.endpoints), "servers": [{"url": call.base or "/"}]}
