"""Rows that runs kept out of the target."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint

HANDLERS = "chalicelib.routes.handlers.rejects:"
ERRORS = ("not_found", "invalid_configuration", "secrets", "target")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/runs/{run_id}/rejects",
        HANDLERS + "list_rejects",
        role="viewer",
        summary="The rows that a run kept out, with the reasons",
        errors=ERRORS,
    ),
    Endpoint(
        "GET",
        "/runs/{run_id}/rejects/kinds",
        HANDLERS + "list_reject_kinds",
        role="viewer",
        summary="How many rows a run kept out, by column and reason",
        errors=ERRORS,
    ),
    Endpoint(
        "GET",
        "/runs/{run_id}/rejects/csv",
        HANDLERS + "get_rejects_csv",
        role="viewer",
        summary="Where the rejects, or those of a column or reason, can be fetched as one CSV",
        errors=(*ERRORS, "storage"),
    ),
    Endpoint(
        "GET",
        "/rejects",
        HANDLERS + "waiting_rejects",
        role="viewer",
        summary="How many rows wait in quarantine, by run",
        errors=("invalid_configuration", "secrets", "target"),
    ),
)
