"""Which PostgreSQL types take which data, and which type would when one does not."""

from __future__ import annotations

import re

INTEGERS = {"smallint", "integer", "bigint"}
INEXACT = {"numeric", "real", "double precision"}
NUMBERS = INTEGERS | INEXACT
TIMES = {"timestamp with time zone", "timestamp without time zone"}
TEXTS = {"text", "character varying", "character", "bpchar"}

FITS = {
    "bigint": NUMBERS,
    "numeric": INEXACT,
    "double precision": INEXACT,
    "boolean": {"boolean"},
    "date": {"date", *TIMES},
    "timestamp with time zone": {"timestamp with time zone"},
    "timestamp without time zone": {"timestamp without time zone"},
    "jsonb": {"json", "jsonb"},
}
"""Type of the data to the column types that take it, beside text. A value that is too large for
the column fails by itself. Text also goes into all types that no data of ours has, as uuid."""

OURS = {
    "smallint": {"type": "integer"},
    "integer": {"type": "integer"},
    "bigint": {"type": "integer"},
    "numeric": {"type": "decimal"},
    "real": {"type": "float"},
    "double precision": {"type": "float"},
    "boolean": {"type": "boolean"},
    "date": {"type": "date"},
    "timestamp with time zone": {"type": "timestamp"},
    "timestamp without time zone": {"type": "timestamp", "timezone": "none"},
    "json": {"type": "json"},
    "jsonb": {"type": "json"},
}
"""Type of a column to what declares data of that type; of all others the data is text."""

TYPED = NUMBERS | TIMES | {"boolean", "date", "json", "jsonb"}

MODIFIER = re.compile(r"\((.*?)\)")
SCALE = re.compile(r"numeric\(\d+,(\d+)\)")


def is_text(existing: str) -> bool:
    """Whether a column keeps all data as it is written."""
    return MODIFIER.sub("", existing) in TEXTS


def fits(wanted: str, existing: str) -> bool:
    """Whether a column takes data of the wanted type."""
    if is_text(existing):
        return True
    bare = MODIFIER.sub("", existing)
    return bare not in TYPED if wanted == "text" else bare in FITS.get(wanted, {wanted})


def wider(wanted: str, existing: str, *, evolve: bool) -> str | None:
    """The type that takes what is in the column and the data; None when there is no safe one.

    Whole numbers become numeric; with `evolve`, all else becomes text.
    """
    if existing in INTEGERS and wanted in INEXACT:
        return "numeric"
    return "text" if evolve else None


def declaration(existing: str) -> dict[str, str]:
    """What `schema.columns` says of data that is of a column's own type."""
    return OURS.get(MODIFIER.sub("", existing), {"type": "text"})


def scale(existing: str) -> int | None:
    """How many digits after the point a column keeps; None when it keeps all, or has none."""
    found = SCALE.fullmatch(existing)
    return int(found[1]) if found else None
