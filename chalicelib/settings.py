"""What the environment decides, read at the moment it is needed."""

from __future__ import annotations

import os
from pathlib import Path

BATCH_BYTES = 1 << 20
"""Input read at a time. 1 MB keeps a run near 230 MB of memory; 4 MB is no faster."""

BATCH_RECORDS = 5_000
"""JSON records gathered into one batch."""

MAX_FIELD_BYTES = 16 << 20
"""A longer field is a mistake in the file (most often a quote that is never closed)."""


def on_lambda() -> bool:
    """True inside AWS Lambda."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def target_url() -> str | None:
    """The database to use when the configuration names no host."""
    return os.environ.get("ELT_TARGET_URL")


def ledger_schema() -> str:
    """The schema in the target that holds our own tables; two stages can share a database."""
    return os.environ.get("ELT_SCHEMA", "elt")


def database_timeout() -> float:
    """Seconds of silence after which a database connection is given up."""
    return float(os.environ.get("ELT_DATABASE_TIMEOUT", "300"))


def work_folder(base: Path) -> Path:
    """Where runs leave their output: beside the configuration, or what Lambda may write."""
    if folder := os.environ.get("ELT_WORK_DIR"):
        return Path(folder)
    return Path("/tmp/elt") if on_lambda() else base / ".elt"  # noqa: S108 - Lambda's only disk
