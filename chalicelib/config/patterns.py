"""Regular expressions as RE2 knows them, and means the same by them as people do."""

from __future__ import annotations

import re
import warnings

MAX_LENGTH = 1_000
"""Characters of a pattern: to compile a longer one takes its time."""

_CLASS = r"\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*(?:\]|\\?\Z)"
_ATOM = re.compile(rf"\\[pP]\{{\^?\w+\}}|\\[\s\S]|{_CLASS}")
_BACKREFERENCE = re.compile(r"\\[1-9]")
_FOREIGN = re.compile(r"\(\?(?:<?[=!]|P=|[(>#])|[*+?}]\+")
_RE2_ONLY = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\[:\^?\w+:\]|\\z")


def re2(pattern: str) -> str:
    """The pattern itself. ValueError when it is not one, or needs more than RE2 can do."""
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"longer than {MAX_LENGTH:,} characters")
    skeleton = _ATOM.sub("x", pattern)
    if _FOREIGN.search(skeleton) or any(map(_BACKREFERENCE.match, _ATOM.findall(pattern))):
        raise ValueError(
            f"{pattern!r} uses look-around, a back-reference or a possessive group,"
            " which RE2 expressions do not have"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Classes that only RE2 knows are given a stand-in; the rest is the same language.
            re.compile(_RE2_ONLY.sub(r"\\w", pattern))
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    _compile(pattern)
    return pattern


def _compile(pattern: str) -> None:
    """Ask the engine itself, which only a configuration with a pattern needs to load."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        reason = str(error).removeprefix("Invalid regular expression: ")
        raise ValueError(f"{pattern!r} is not an RE2 expression: {reason}") from None
