"""What an error came from, whoever wrapped it on its way."""

from __future__ import annotations

from collections.abc import Iterator


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from, the outermost first.

    SQLAlchemy's wrappers stand for what they wrap.
    """
    while error is not None:
        if wrapped := getattr(error, "orig", None):
            error = wrapped
            continue
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def in_one_line(error: BaseException) -> str:
    """What a library's error says, to stand within a sentence."""
    return " ".join(str(error).split()).rstrip(".")


def server_fields(error: BaseException | None) -> dict[str, str]:
    """The fields of PostgreSQL's message (M message, C SQLSTATE, …); none without one.

    Of several messages it is the innermost: the others are what came of it.
    """
    said: dict[str, str] = {}
    for one in chain(error):
        fields = one.args[0] if one.args else None
        if isinstance(fields, dict) and "C" in fields:
            said = fields
    return said


def sqlstate(error: BaseException | None) -> str | None:
    """PostgreSQL's code of five characters, None when it was not the server that refused."""
    return server_fields(error).get("C")
