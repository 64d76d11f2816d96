"""What all parts of the configuration are made of: frozen models, names, texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from chalicelib.config.jsonpath import records_path, value_path

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL cuts longer names silently, and then two of them may be the same."""


def identifier(name: str) -> str:
    """A name that PostgreSQL keeps as it is."""
    if not name or "\x00" in name:
        raise ValueError("a name needs at least one character")
    if len(name.encode()) > MAX_IDENTIFIER_BYTES:
        raise ValueError(
            f"{name!r} is longer than the {MAX_IDENTIFIER_BYTES} bytes PostgreSQL keeps of a name"
        )
    return name


def _table_name(name: str) -> str:
    parts = name.split(".")
    if len(parts) > 2:  # noqa: PLR2004
        raise ValueError(f"{name!r} is not a table or schema.table")
    for part in parts:
        identifier(part)
    return name


def _in_a_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Identifier = Annotated[str, AfterValidator(identifier)]
TableName = Annotated[str, AfterValidator(_table_name)]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(_in_a_tuple, json_schema_input_type=str | tuple[str, ...])
]
Names = Annotated[
    tuple[Identifier, ...],
    BeforeValidator(_in_a_tuple, json_schema_input_type=str | tuple[str, ...]),
]
RecordsPath = Annotated[
    Annotated[str, AfterValidator(records_path)] | None,
    Field(description="JSONPath of the records, as $.data.items"),
]
ValuePath = Annotated[str, AfterValidator(value_path)]
Scalar = bool | int | Decimal | str


class Frozen(BaseModel):
    """Unknown keys are mistakes; values never change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        hide_input_in_errors=True,
        defer_build=True,
    )
