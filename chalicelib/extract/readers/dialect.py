"""Which delimiter a file uses."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from chalicelib.settings import MAX_FIELD_BYTES

DELIMITERS = "\t;|,"
"""In the order of trust: a comma also stands in prose."""

SAMPLE_RECORDS = 50


def find_delimiter(head: bytes) -> str | None:
    """The delimiter that splits the first records into equally many fields; None without one.

    `head` is the start of the file; its last line may be cut and is left out.
    """
    lines = head.decode("utf-8-sig", "replace")
    whole = lines[: lines.rfind("\n") + 1] or lines
    scores = {delimiter: _agreement(whole, delimiter) for delimiter in DELIMITERS}
    best = max(DELIMITERS, key=lambda delimiter: scores[delimiter])
    return best if scores[best] > 0 else None


def split_record(text: str, delimiter: str) -> list[str]:
    """The fields of one record."""
    return next(_records(text, delimiter), [])


def _agreement(text: str, delimiter: str) -> float:
    """How many of the records have as many fields as the first; 0 when it has one, or few agree."""
    counts = [len(record) for record in islice(_records(text, delimiter), SAMPLE_RECORDS) if record]
    if not counts or counts[0] == 1:
        return 0
    share = counts.count(counts[0]) / len(counts)
    return share * counts[0] if share >= 0.8 else 0  # noqa: PLR2004 - a few rows may be ragged


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MAX_FIELD_BYTES)
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
