"""Sources of files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PositiveInt, field_validator, model_validator

from chalicelib.config.model.common import Frozen, RecordsPath

OnChange = Literal["fail", "append", "replace_rows"]


def _found_or(value: str, words: set[str], *, padded: bool = False) -> str:
    """One ASCII character (and a space, if padded), or one of the words."""
    single = value[0] if padded and len(value) == 2 and value[1] == " " else value  # noqa: PLR2004
    if value not in words and (len(single) != 1 or not single.isascii() or single in "\r\n"):
        also = ", or one and a space" if padded else ""
        choices = " or ".join(sorted(words))
        raise ValueError(f"{value!r} is not a single ASCII character{also}, or {choices}")
    return value


def _header(value: Any) -> Any:
    """Anything else would be explained as a mistake of each of the types that it can have."""
    rows = isinstance(value, int) and not isinstance(value, bool) and value > 0
    names = isinstance(value, list | tuple) and value and all(isinstance(n, str) for n in value)
    if not (rows or names or value in ("auto", "none")):
        raise ValueError(f"{value!r} is not auto, none, a number of rows, or a list of names")
    return tuple(value) if names else value


Header = Annotated[
    Literal["auto", "none"] | int | tuple[str, ...],
    BeforeValidator(
        _header, json_schema_input_type=Literal["auto", "none"] | PositiveInt | tuple[str, ...]
    ),
]


class CsvOptions(Frozen):
    """How delimited files are written. `auto` is found in each file."""

    delimiter: str = Field(
        "auto", description="One character, or one and a space; auto; none: a single column"
    )
    quote: str = Field("auto", description="One character, auto or none")
    escape: str = Field(
        "auto",
        description="What stands before a quote inside quotes: doubled (another quote), "
        "one character, auto or none",
    )
    header: Header = Field(
        "auto", description="auto, none, the number of header rows, or the names of the columns"
    )
    encoding: str = Field("auto", description="auto, or an encoding such as utf-8 or cp1252")
    skip_lines: int = Field(0, ge=0, description="Lines before the table, or before its header")
    null_values: tuple[str, ...] = Field(("",), description="Unquoted texts that mean NULL")

    @field_validator("delimiter")
    @classmethod
    def _is_a_delimiter(cls, value: str) -> str:
        return _found_or(value, {"auto", "none"}, padded=True)

    @field_validator("quote")
    @classmethod
    def _is_a_quote(cls, value: str) -> str:
        return _found_or(value, {"auto", "none"})

    @field_validator("escape")
    @classmethod
    def _is_an_escape(cls, value: str) -> str:
        return _found_or(value, {"auto", "doubled", "none"})

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, value: str) -> str:
        try:
            known = value == "auto" or "".encode(value) is not None
        except (LookupError, UnicodeError):
            known = False
        if not known:
            raise ValueError(f"{value!r} is not an encoding such as utf-8, cp1252 or utf-16")
        return value

    @model_validator(mode="after")
    def _characters_differ(self) -> CsvOptions:
        delimiter = "" if self.delimiter in ("auto", "none") else self.delimiter[0]
        used = [char for char in (delimiter, self.quote, self.escape) if len(char) == 1]
        if len(set(used)) < len(used):
            raise ValueError("delimiter, quote and escape must differ")
        return self


class JsonOptions(Frozen):
    """How objects within a record become columns."""

    depth: int | None = Field(
        None, ge=0, description="Levels of objects that become columns; deeper ones stay JSON"
    )
    separator: str = Field("_", description="Between the names of parent and child")


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
    on_change: OnChange = Field("fail", description="A loaded file that has other content now")
    on_file_error: Literal["fail", "skip"] = Field(
        "fail", description="A file that cannot be read: fail the run, or leave it for the next"
    )
    csv: CsvOptions = CsvOptions()
    json_: JsonOptions = Field(JsonOptions(), alias="json")
    records: RecordsPath = Field(None, description="Where JSON files hold their records")
