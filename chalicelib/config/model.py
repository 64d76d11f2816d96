"""The configuration as frozen values. Field descriptions end up in the JSON Schema for editors."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)

from chalicelib.config.patterns import re2

MAX_IDENTIFIER_BYTES = 63
"""PostgreSQL cuts longer names silently, and then two of them may be the same."""

ColumnKind = Literal["text", "integer", "decimal", "float", "boolean", "date", "timestamp", "json"]
OnInvalid = Literal["fail", "quarantine", "null"]
ORDERED_KINDS = {"integer", "decimal", "float", "date", "timestamp"}
DATED_KINDS = {"date", "timestamp"}
BOOLEAN_WORDS = {
    "true": ("true", "t", "yes", "y", "on", "1"),
    "false": ("false", "f", "no", "n", "off", "0"),
}


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
RecordsPath = Annotated[
    str | None,
    Field(pattern=r"^\$(\.[^.\[\]*]+)*$", description="JSONPath of the records, as $.data.items"),
]
Scalar = bool | int | Decimal | str


class Frozen(BaseModel):
    """Unknown keys are mistakes; values never change."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True
    )


class CsvOptions(Frozen):
    """How delimited files are written. `auto` is found in the file."""

    delimiter: str = Field("auto", description="One character, or auto")
    null_values: tuple[str, ...] = Field(("",), description="Unquoted texts that mean NULL")

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str) -> str:
        if value != "auto" and (len(value) != 1 or not value.isascii() or value in '"\r\n'):
            raise ValueError(f"{value!r} is not a single ASCII character or auto")
        return value


class LocalSource(Frozen):
    """Files of a folder, optionally synced from S3 first."""

    type: Literal["local"]
    name: str = Field("", description="Unique; the type when it is the only source of its type")
    path: str = Field(description="Folder, relative to the configuration file")
    s3: str | None = Field(
        None, pattern=r"^s3://[^/]+(/.*)?$", description="s3://bucket/prefix synced into path"
    )
    pattern: str = Field("*", description="Glob on the file's path below the folder")
    incremental: bool = Field(True, description="Load a file once; false loads all, every run")
    on_change: Literal["fail", "append"] = Field(
        "fail", description="A loaded file that has other content now"
    )
    on_file_error: Literal["fail", "skip"] = Field(
        "fail", description="A file that cannot be read: fail the run, or leave it for the next"
    )
    csv: CsvOptions = CsvOptions()
    records: RecordsPath = Field(None, description="Where JSON files hold their records")


class NoAuth(Frozen):
    """No credentials."""

    type: Literal["none"] = "none"


class BearerAuth(Frozen):
    """`Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: SecretStr


class NoPagination(Frozen):
    """The first answer holds all records."""

    type: Literal["none"] = "none"


class PagePagination(Frozen):
    """Pages counted by a parameter, until one comes back empty."""

    type: Literal["page"]
    page_param: str = "page"
    size_param: str | None = None
    size: int = Field(100, ge=1)
    first_page: int = 1
    max_pages: int = Field(10_000, ge=1, description="More pages than this are a mistake")


class ApiIncremental(Frozen):
    """Ask only for records whose cursor field is at or past the greatest one loaded."""

    cursor: str = Field(description="Field of the record that only grows: an id or a time")
    param: str = Field(description="Query parameter that carries it")
    start: str | None = Field(None, description="Value for the first run")


Auth = Annotated[NoAuth | BearerAuth, Field(discriminator="type")]
Pagination = Annotated[NoPagination | PagePagination, Field(discriminator="type")]


class ApiSource(Frozen):
    """Records of a JSON API."""

    type: Literal["api"]
    name: str = Field("", description="Unique; the type when it is the only source of its type")
    url: str = Field(pattern=r"^https?://[^/\s]+", description="http:// or https:// address")
    auth: Auth = NoAuth()
    headers: dict[str, SecretStr] = {}
    params: dict[str, Scalar] = {}
    records: RecordsPath = None
    pagination: Pagination = NoPagination()
    incremental: ApiIncremental | None = None
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds to connect, and between two bytes"
    )


SourceConfig = Annotated[LocalSource | ApiSource, Field(discriminator="type")]


class Target(Frozen):
    """The PostgreSQL table to load."""

    host: str | None = Field(
        None, description="Name, or /folder of a unix socket; left out: ELT_TARGET_URL"
    )
    port: int = Field(5432, ge=1, le=65535)
    database: str = "postgres"
    user: str = "postgres"
    password: SecretStr | None = None
    sslmode: Literal["disable", "require", "verify-full"] | None = Field(
        None, description="Default: require over a network, none over a unix socket"
    )
    table: TableName = Field(description="table or schema.table, made when it does not exist")
    mode: Literal["append", "replace"] = "append"
    allow_empty: bool = Field(False, description="replace: a run without rows empties the table")

    @property
    def qualified_table(self) -> str:
        """`schema.table`, with PostgreSQL's default schema when none is given."""
        return self.table if "." in self.table else f"public.{self.table}"


class Column(Frozen):
    """One column of the target: its type, how to read it and what it must satisfy."""

    type: ColumnKind
    from_: Texts = Field((), alias="from", description="Names of this column in the sources")
    required: bool = False
    default: Scalar | None = Field(None, description="Instead of an empty value")
    format: Texts = Field((), description="strptime formats of dates and times, tried in order")
    timezone: str = Field("UTC", description="Zone of times that carry none; none: keep no zone")
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
            except ValueError:
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


class Config(Frozen):
    """One pipeline: sources, the target table and its schema."""

    _base: Path = PrivateAttr(default=Path())

    sources: tuple[SourceConfig, ...] = Field(min_length=1)
    target: Target
    schema_: Schema | None = Field(None, alias="schema")

    @model_validator(mode="before")
    @classmethod
    def _name_the_sources(cls, data: Any) -> Any:
        sources = data.get("sources") if isinstance(data, dict) else None
        if not isinstance(sources, list) or not all(isinstance(s, dict) for s in sources):
            return data
        types = [s.get("type") for s in sources]
        named = [
            {"name": s["type"], **s} if types.count(s.get("type")) == 1 and s.get("type") else s
            for s in sources
        ]
        return {**data, "sources": named}

    @model_validator(mode="after")
    def _names_are_unique(self) -> Config:
        names = [source.name for source in self.sources]
        if "" in names:
            raise ValueError("each source of a type that occurs twice needs a name")
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two sources are called {', '.join(doubles)}")
        return self

    @model_validator(mode="after")
    def _replace_reads_everything(self) -> Config:
        steps = [
            source.name
            for source in self.sources
            if "incremental" in source.model_fields_set and source.incremental
        ]
        if self.target.mode == "replace" and steps:
            raise ValueError(
                f"mode replace always reads everything: remove incremental from {', '.join(steps)}"
            )
        skipping = [s.name for s in self.sources if getattr(s, "on_file_error", "") == "skip"]
        if self.target.mode == "replace" and skipping:
            raise ValueError(
                "mode replace would delete the rows of a file that it skips: remove "
                f"on_file_error: skip from {', '.join(skipping)}"
            )
        return self

    @property
    def base(self) -> Path:
        """The folder of the configuration file: paths are relative to it."""
        return self._base

    @property
    def warnings(self) -> list[str]:
        """What is allowed, and seldom meant."""
        return [
            f"source {source.name}: without incremental every run adds all of its records again"
            for source in self.sources
            if source.type == "api" and not source.incremental and self.target.mode == "append"
        ]

    @property
    def declared(self) -> dict[str, Column]:
        """The declared columns, none without a schema."""
        return self.schema_.columns if self.schema_ else {}

    @property
    def strict(self) -> bool:
        """Whether the columns of the target are known before the first row is read."""
        return self.schema_ is not None and self.schema_.strict_mode

    @property
    def on_invalid(self) -> OnInvalid:
        """What becomes of a row that does not fit; without a schema none can fail to."""
        return self.schema_.on_invalid if self.schema_ else "fail"
