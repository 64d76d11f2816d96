"""What the environment decides, read at the moment it is needed."""

from __future__ import annotations

import os
import tempfile
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


def service_url() -> str | None:
    """The database of the service: configuration versions and runs."""
    return os.environ.get("ELT_SERVICE_URL")


def service_schema() -> str:
    """The schema in the service database that holds its tables."""
    return f"{ledger_schema()}_service"


def database_timeout() -> float:
    """Seconds of silence after which a database connection is given up."""
    return float(os.environ.get("ELT_DATABASE_TIMEOUT", "300"))


def work_folder(base: Path) -> Path:
    """Where runs leave their output; by default beside the configuration."""
    return Path(os.environ.get("ELT_WORK_DIR") or base / ".elt")


def stage() -> str:
    """Which deployment this is: `local` on a laptop."""
    return os.environ.get("ELT_STAGE", "local")


def schedule_target() -> str | None:
    """The ARN of the function that the EventBridge rule starts."""
    return os.environ.get("ELT_SCHEDULE_TARGET_ARN")


def schedule_rule() -> str:
    """The EventBridge rule's name, when none is found by its target."""
    return os.environ.get("ELT_SCHEDULE_RULE", f"elt-pipeline-{stage()}-tick")


def state_folder() -> Path:
    """Where a laptop keeps what must last, and what AWS keeps in its own services."""
    return Path(os.environ.get("ELT_STATE_DIR", ".local"))


def secrets_folder() -> Path:
    """Where a laptop keeps secrets; no source may reach it."""
    return state_folder() / "secrets"


def secrets_on_aws() -> bool:
    """Whether secrets live in Secrets Manager; otherwise in a file of the state folder."""
    return on_lambda() or os.environ.get("ELT_SECRETS") == "aws"


def cors_origins() -> tuple[str, ...]:
    """The origins whose pages may call the service; `*` is any, none only its own."""
    given = os.environ.get("ELT_CORS_ORIGINS", "").split(",")
    return tuple(origin.strip().rstrip("/") for origin in given if origin.strip())


def allowed_hosts() -> tuple[str, ...]:
    """Hosts and networks that APIs may be asked at although they are not public."""
    given = os.environ.get("ELT_ALLOW_HOSTS", "").split(",")
    return tuple(host.strip().lower() for host in given if host.strip())


def part_bytes() -> int | None:
    """What one part of a run reads about; runs with more have several. None: never."""
    if given := os.environ.get("ELT_PART_BYTES"):
        return int(given)
    return 1 << 30 if on_lambda() else None


def part_files() -> int:
    """How many files one part of a run reads at most, where runs have parts."""
    return _number("ELT_PART_FILES", 500)


def job_function() -> str | None:
    """The Lambda function that works on runs; without one a thread of this process does."""
    return os.environ.get("ELT_JOB_FUNCTION")


def bucket() -> str | None:
    """The service's bucket, in which runs keep their files; without one nothing is kept."""
    return os.environ.get("ELT_BUCKET")


def fanout_machine() -> str | None:
    """The ARN of the state machine that large runs are handed to; without one none is."""
    return os.environ.get("ELT_FANOUT_MACHINE")


def fanout_bytes() -> int:
    """A run of more bytes is large."""
    return _number("ELT_FANOUT_BYTES", 2_000_000_000)


def fanout_files() -> int:
    """A run of more files is large."""
    return _number("ELT_FANOUT_FILES", 1_000)


def part_limit() -> int:
    """Bytes of a file, or of files that must be read together, that one function can take."""
    return _number("ELT_PART_LIMIT", 2_000_000_000)


def publish_bytes_per_second() -> int:
    """How fast the target takes rows that are aside; `make bench-scale` measures it."""
    return _number("ELT_PUBLISH_BYTES_PER_SECOND", 30_000_000)


def fanout_concurrency() -> int:
    """How many parts of a large run are worked on at once."""
    return _number("ELT_FANOUT_CONCURRENCY", 8)


def fanout_tolerated() -> int:
    """How many of a hundred parts may fail before no others are begun."""
    return _number("ELT_FANOUT_TOLERATED", 5)


def data_folder() -> Path:
    """What paths in a stored configuration are relative to; Lambda's only disk is its /tmp."""
    return Path(tempfile.gettempdir()) / "elt" if on_lambda() else Path.cwd()


def _number(name: str, default: int) -> int:
    return int(os.environ.get(name) or default)
