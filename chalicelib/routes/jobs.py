"""Runs: start, watch, stop, go on, and load what was left in quarantine."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint, Header

HANDLERS = "chalicelib.routes.handlers.jobs:"
KEY = Header("idempotency-key", "The same key is the same run, however often it is sent")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/trigger-job",
        HANDLERS + "trigger_job",
        role="operator",
        summary="Start a run",
        status=202,
        errors=("conflict", "run_active", "no_configuration", "not_found", "target", "launch"),
        headers=(KEY,),
    ),
    Endpoint(
        "GET",
        "/runs",
        HANDLERS + "list_runs",
        role="viewer",
        summary="The history of runs, newest first",
        errors=("not_found", "target"),
    ),
    Endpoint(
        "GET",
        "/runs/{run_id}",
        HANDLERS + "get_run",
        role="viewer",
        summary="One run: state, progress, report",
        errors=("not_found", "target"),
    ),
    Endpoint(
        "GET",
        "/runs/{run_id}/output",
        HANDLERS + "get_output",
        role="viewer",
        summary="Where the combined CSV can be fetched",
        errors=("not_found", "storage", "target"),
    ),
    Endpoint(
        "POST",
        "/runs/{run_id}/cancel",
        HANDLERS + "cancel_run",
        role="operator",
        summary="Stop a run; nothing of it is loaded",
        status=202,
        errors=("not_found", "conflict", "target"),
    ),
    Endpoint(
        "POST",
        "/runs/{run_id}/resume",
        HANDLERS + "resume_run",
        role="operator",
        summary="Go on with an interrupted or failed run",
        status=202,
        errors=("not_found", "conflict", "run_active", "target", "launch"),
    ),
    Endpoint(
        "POST",
        "/runs/{run_id}/replay",
        HANDLERS + "replay_run",
        role="operator",
        summary="Load what the run left in quarantine, corrected or under a newer configuration",
        status=202,
        errors=(
            "not_found",
            "conflict",
            "run_active",
            "no_configuration",
            "invalid_configuration",
            "target",
            "launch",
        ),
        limit=1 << 20,
    ),
)
