"""The columns of the target: their types, how they are read and what they must satisfy."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from chalicelib.config.model.common import Frozen, Identifier, Scalar, Texts
from chalicelib.config.patterns import re2

ColumnKind = Literal["text", "integer", "decimal", "float", "boolean", "date", "timestamp", "json"]
OnInvalid = Literal["fail", "quarantine", "null"]
ORDERED_KINDS = {"integer", "decimal", "float", "date", "timestamp"}
NUMERIC_KINDS = {"integer", "decimal", "float"}
DATED_KINDS = {"date", "timestamp"}
BOOLEAN_WORDS = {
    "true": ("true", "t", "yes", "y", "on", "1"),
    "false": ("false", "f", "no", "n", "off", "0"),
}


class Column(Frozen):
    """One column of the target: its type, how to read it and what it must satisfy."""

    type: ColumnKind
    from_: Texts = Field((), alias="from", description="Names of this column in the sources")
    required: bool = False
    default: Scalar | None = Field(None, description="Instead of an empty value")
    format: Texts = Field((), description="strptime formats of dates and times, tried in order")
    timezone: str = Field("UTC", description="Zone of times that carry none; none: keep no zone")
    decimal_separator: Literal[".", ","] | None = Field(
        None, description="What parts a number's fraction; the other one parts thousands"
    )
    scale: int | None = Field(None, ge=0, description="Digits a decimal may have after the point")
    allowed: tuple[Scalar, ...] = ()
    min: Scalar | None = None
    max: Scalar | None = None
    pattern: Annotated[str, AfterValidator(re2)] | None = Field(
        None, description="RE2 expression that the whole value matches"
    )

    def spellings(self, name: str) -> tuple[str, ...]:
        """What the column `name` may be called in a source: its `from` names, then its own."""
        return tuple(dict.fromkeys((*self.from_, name)))

    @field_validator("format")
    @classmethod
    def _known_directives(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        for form in formats:
            try:
                datetime.strptime(datetime(2026, 1, 31, tzinfo=UTC).strftime(form), form)
            except (ValueError, re.error):  # re.error: a directive that stands twice
                raise ValueError(
                    f"{form!r} is not a strptime format such as %d.%m.%Y %H:%M"
                ) from None
        return formats

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != "none":
            try:
                ZoneInfo(value)
            except (KeyError, ValueError, OSError):
                raise ValueError(f"{value!r} is not a time zone such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _constraints_fit_the_type(self) -> Column:
        if self.format and self.type not in DATED_KINDS:
            raise ValueError(f"format is for date and timestamp, not {self.type}")
        if self.decimal_separator and self.type not in NUMERIC_KINDS:
            raise ValueError(f"decimal_separator is for numbers, not {self.type}")
        if self.scale is not None and self.type != "decimal":
            raise ValueError(f"scale: is for decimal, not {self.type}")
        if (self.min is not None or self.max is not None) and self.type not in ORDERED_KINDS:
            raise ValueError(f"min and max need a number, date or timestamp, not {self.type}")
        values = [(key, getattr(self, key)) for key in ("min", "max", "default")]
        for key, value in [*values, *(("allowed", word) for word in self.allowed)]:
            if value is not None and not fits(self.type, value):
                raise ValueError(f"{key}: {str(value)!r} is not of type {self.type}")
        return self


def fits(kind: ColumnKind, value: Scalar) -> bool:
    """Whether a value written in the configuration is one of this type."""
    text = str(value)
    try:
        match kind:
            case "integer":
                return -(2**63) <= int(text) < 2**63
            case "decimal" | "float":
                return Decimal(text).is_finite()
            case "boolean":
                return text.lower() in BOOLEAN_WORDS["true"] + BOOLEAN_WORDS["false"]
            case "date":
                date.fromisoformat(text)
            case "timestamp":
                datetime.fromisoformat(text)
    except (ValueError, InvalidOperation):
        return False
    return True


def _null_is_a_word(value: Any) -> Any:
    """In YAML null is nothing; here it names what becomes of a value."""
    return "null" if value is None else value


def _type_alone(columns: Any) -> Any:
    """`order_id: integer` is short for `order_id: {type: integer}`."""
    if not isinstance(columns, dict):
        return columns
    return {k: {"type": v} if isinstance(v, str) else v for k, v in columns.items()}


class Schema(Frozen):
    """Columns, types and what happens to a row that does not fit."""

    strict_mode: bool = Field(False, description="Keep only the columns below")
    on_invalid: Annotated[
        OnInvalid,
        BeforeValidator(_null_is_a_word, json_schema_input_type=OnInvalid | None),
    ] = "fail"
    columns: Annotated[
        dict[Identifier, Column],
        BeforeValidator(_type_alone, json_schema_input_type=dict[str, ColumnKind | Column]),
    ] = Field(min_length=1)
