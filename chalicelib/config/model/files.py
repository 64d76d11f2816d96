"""Sources of files."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from chalicelib.config.model.common import Frozen, RecordsPath

OnChange = Literal["fail", "append", "replace_rows"]


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
    on_change: OnChange = Field("fail", description="A loaded file that has other content now")
    on_file_error: Literal["fail", "skip"] = Field(
        "fail", description="A file that cannot be read: fail the run, or leave it for the next"
    )
    csv: CsvOptions = CsvOptions()
    records: RecordsPath = Field(None, description="Where JSON files hold their records")
