"""A file to read: opened, decompressed, and refused when it is not what its suffix says."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from chalicelib.batch import Batch
from chalicelib.config import Column, CsvOptions, JsonOptions
from chalicelib.errors import SourceError

GZIP = b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"(\xb5/\xfd": "compressed with zstd",
}


@dataclass(frozen=True)
class InputFile:
    """One file below a source's folder.

    `columns` are those the schema declares, to check a header against. `detected` collects what
    the reader found out.
    """

    source: str
    name: str
    path: Path
    options: CsvOptions = field(default_factory=CsvOptions)
    json: JsonOptions = field(default_factory=JsonOptions)
    records: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    detected: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's content, gunzipped; whatever the disk says becomes a SourceError."""
        try:
            with self.path.open("rb") as raw:
                compressed = raw.read(2) == GZIP
                raw.seek(0)
                stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if compressed else raw
                yield stream
        except FileNotFoundError:
            raise SourceError(
                "the file is gone", where=self.name, fix="Run again to read what is there now."
            ) from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise SourceError(
                f"the gzip data is damaged ({error})",
                where=self.name,
                fix="Export or upload it again.",
            ) from error
        except OSError as error:
            raise SourceError(
                f"cannot be read: {error.strerror or error}",
                where=self.name,
                fix="Check the file's permissions.",
            ) from error

    def head(self, size: int = 1 << 16) -> bytes:
        """The first bytes, checked to be text of some kind."""
        with self.open() as stream:
            start = stream.read(size)
        for magic, kind in FOREIGN.items():
            if start.startswith(magic):
                raise SourceError(
                    f"the file is {kind}, not what its name says",
                    where=self.name,
                    fix="Export it as UTF-8 text, or rename it to what it is.",
                )
        if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
            raise SourceError(
                "the file is an HTML or XML page, not what its name says",
                where=self.name,
                fix="Often this is the error page of a failed download: fetch it again.",
            )
        return start


Reader = Callable[[InputFile], Iterator[Batch]]
