"""A file to read: opened, decompressed, and refused when it is not what its suffix says."""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from chalicelib.batch import Batch
from chalicelib.config import Column, CsvOptions, JsonOptions
from chalicelib.errors import SourceError
from chalicelib.extract.readers.encoding import Utf8Stream
from chalicelib.reports import Repair
from chalicelib.settings import MAX_FIELD_BYTES

if TYPE_CHECKING:
    from chalicelib.extract.readers.alike import Precedent

GZIP = b"\x1f\x8b"
FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"SQLite format 3": "an SQLite database",
    b"BZh": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"(\xb5/\xfd": "compressed with zstd",
}
SAMPLE_BYTES = 1 << 16
"""Enough of a file to find out how it is written."""

PRECEDENTS = 8
"""Files of a source that others may be alike: it may hold several kinds, in turns."""

UTF16 = {b"\xff\xfe": "UTF-16 text", b"\xfe\xff": "UTF-16 text"}


def precedents() -> deque[Precedent]:
    """For the files of one source."""
    return deque(maxlen=PRECEDENTS)


@dataclass(frozen=True)
class InputFile:
    """One file below a source's folder.

    `columns` are those the schema declares, to find and check a header. `detected` collects what
    the reader found out, `repaired` what it mended, `warnings` what a person should look at.
    `precedents` are what earlier files of its source were found to be, and are the source's own;
    there are none for files that are not delimited.
    """

    source: str
    name: str
    path: Path
    options: CsvOptions = field(default_factory=CsvOptions)
    json: JsonOptions = field(default_factory=JsonOptions)
    records: str | None = None
    columns: Mapping[str, Column] = field(default_factory=dict)
    detected: dict[str, str] = field(default_factory=dict)
    repaired: dict[str, Repair] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    precedents: deque[Precedent] = field(default_factory=precedents)

    def note(self, what: str, line: int) -> None:
        """Count something that was mended, and where."""
        self.repaired.setdefault(what, Repair()).add(line)

    def warn(self, what: str) -> None:
        """Tell once what was decided, but might be meant otherwise."""
        if what not in self.warnings:
            self.warnings.append(what)

    @property
    def wanted(self) -> set[str]:
        """Every name that the schema knows a column of a source by."""
        return {name for own, column in self.columns.items() for name in column.spellings(own)}

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file's content, gunzipped; whatever the disk says becomes a SourceError."""
        try:
            with self.path.open("rb") as raw:
                compressed = raw.peek(2).startswith(GZIP)
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

    @contextmanager
    def utf8(self) -> Iterator[Utf8Stream]:
        """The content of a text file as UTF-8, whatever encoding it is in."""
        with self.open() as stream:
            text = Utf8Stream(stream, self.name, self.options.encoding)
            yield text
        if text.doubt:
            self.warn(text.doubt)

    def start(self, size: int) -> bytes:
        """The first bytes, as they are."""
        with self.open() as stream:
            return stream.read(size)

    def head(self, size: int = 1 << 16) -> bytes:
        """The first bytes, checked to be text in UTF-8."""
        start = self.start(size)
        self._refuse(start, FOREIGN | UTF16)
        return start

    def sample(self, least: int = SAMPLE_BYTES, newlines: int = 100) -> tuple[str, bool]:
        """The first text: `least` bytes or more, as `newlines` take, and whether that is all of it.

        What is not in the file's encoding is kept as surrogates.
        """
        with self.open() as stream:
            self._refuse(stream.read(512), FOREIGN)
        with self.utf8() as text:
            start = b""
            while more := text.read(least):
                start += more
                lines = start.count(b"\n") + start.count(b"\r")
                self.detected["encoding"] = text.encoding
                if len(start) >= MAX_FIELD_BYTES or (len(start) >= least and lines > newlines):
                    break
        return start.decode("utf-8", "surrogateescape"), not more

    def _refuse(self, start: bytes, kinds: Mapping[bytes, str]) -> None:
        for magic, kind in kinds.items():
            if start.startswith(magic):
                raise SourceError(
                    f"the file is {kind}, not what its name says",
                    where=self.name,
                    fix="Export it as text, or rename it to what it is.",
                )
        if start.lstrip()[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
            raise SourceError(
                "the file is an HTML or XML page, not what its name says",
                where=self.name,
                fix="Often this is the error page of a failed download: fetch it again.",
            )


Reader = Callable[[InputFile], Iterator[Batch]]
