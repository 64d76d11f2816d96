"""How long what runs leave behind is kept."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from chalicelib.config.model.common import Frozen

MAX_DAYS = 36_500


def _days(text: object) -> object:
    """`90d` is ninety days."""
    if isinstance(text, str) and text.endswith("d") and text[:-1].isascii() and text[:-1].isdigit():
        return int(text[:-1])
    raise ValueError(f"{text!r} is not a number of days such as 90d")


def _bounded(days: int) -> int:
    if not 1 <= days <= MAX_DAYS:
        raise ValueError(f"{days}d is not between 1d and {MAX_DAYS}d")
    return days


Days = Annotated[
    int,
    BeforeValidator(_days, json_schema_input_type=Annotated[str, Field(pattern="^[0-9]+d$")]),
    AfterValidator(_bounded),
]


class Retention(Frozen):
    """Each tick of the schedule deletes what is older; what was loaded is remembered for ever."""

    runs: Days = Field(400, description="History of runs, in days, as 400d")
    rejects: Days = Field(90, description="Rows kept out of the target, in days, as 90d")
