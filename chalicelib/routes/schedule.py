"""The hourly rule of EventBridge."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint

HANDLERS = "chalicelib.routes.handlers.schedule:"

ENDPOINTS = (
    Endpoint(
        "POST",
        "/schedule-job",
        HANDLERS + "schedule_job",
        role="operator",
        summary="Turn the schedule on or off, or replace its rate",
        errors=("invalid_rate", "schedule", "target"),
    ),
    Endpoint(
        "GET",
        "/schedule-job",
        HANDLERS + "get_schedule",
        role="viewer",
        summary="Whether the schedule is on, its rate and the next run",
        errors=("schedule", "target"),
    ),
)
