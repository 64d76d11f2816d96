"""One line an event: JSON on AWS, for people in a terminal."""

from __future__ import annotations

import logging
import sys
from functools import cache
from typing import TextIO

from chalicelib import settings

LOGGER = logging.getLogger("elt")


def configure(*, verbose: bool, stream: TextIO | None = None) -> None:
    """Send events to `stream` (standard error); only warnings unless `verbose`."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_JsonFormatter() if settings.on_lambda() else _ReadableFormatter())
    LOGGER.handlers = [handler]
    LOGGER.setLevel(logging.INFO if verbose else logging.WARNING)
    LOGGER.propagate = False


def event(message: str, **fields: object) -> None:
    """Log what happened, with fields such as run_id, step, source, rows and milliseconds."""
    LOGGER.info(message, extra=about(**fields))


def about(**fields: object) -> dict[str, object]:
    """What a line of the log is about, as `extra` of any of the logger's methods."""
    return {"fields": fields}


class _JsonFormatter(logging.Formatter):
    """Powertools', imported with the first line: it takes 0.15 s, and most requests log none."""

    def format(self, record: logging.LogRecord) -> str:
        known = dict(vars(record))
        return _powertools().format(logging.makeLogRecord(known | known.pop("fields", {})))


@cache
def _powertools() -> logging.Formatter:
    from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

    return LambdaPowertoolsFormatter(service="elt", use_rfc3339=True, utc=True)


class _ReadableFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record).replace(" INFO ", " ")
        fields = getattr(record, "fields", {})
        return " ".join([line, *(f"{key}={value}" for key, value in fields.items())])
