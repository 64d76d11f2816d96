"""Versions of the configuration."""

from __future__ import annotations

from chalicelib.routes.endpoint import Endpoint, Header

HANDLERS = "chalicelib.routes.handlers.configs:"
BODY_LIMIT = 2 << 20
"""A configuration has 1 MB at most; JSON writes its quotes and newlines in two bytes."""

COMMENT = Header("x-comment", "Why this version; shown in the history")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/upload-config",
        HANDLERS + "upload_config",
        role="admin",
        summary="Check a configuration and store it as the next version",
        status=201,
        errors=("invalid_configuration", "target", "secrets"),
        headers=(COMMENT,),
        text_field="yaml",
        limit=BODY_LIMIT,
    ),
    Endpoint(
        "POST",
        "/validate-config",
        HANDLERS + "validate_config",
        role="viewer",
        summary="Check a configuration without storing it",
        errors=("invalid_configuration", "secrets"),
        text_field="yaml",
        limit=BODY_LIMIT,
    ),
    Endpoint(
        "GET",
        "/configs",
        HANDLERS + "list_configs",
        role="viewer",
        summary="The history, newest first",
        errors=("target",),
    ),
    Endpoint(
        "GET",
        "/configs/{version:int}",
        HANDLERS + "get_config",
        role="viewer",
        summary="One version",
        errors=("not_found", "target"),
    ),
    Endpoint(
        "GET",
        "/configs/{version:int}/diff/{other:int}",
        HANDLERS + "diff_configs",
        role="viewer",
        summary="A unified diff from one version to another",
        errors=("not_found", "target"),
    ),
    Endpoint(
        "POST",
        "/configs/{version:int}/restore",
        HANDLERS + "restore_config",
        role="admin",
        summary="Make an old version the newest",
        status=201,
        errors=("not_found", "target"),
    ),
    Endpoint(
        "GET",
        "/config-schema",
        HANDLERS + "config_schema",
        role="viewer",
        summary="JSON Schema of the configuration, for editors",
    ),
)
