"""What becomes of a record that is not as wide as the table: mended where that is certain."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.batch import RAW, Problem, Reject
from chalicelib.extract.readers.dialect import SPOKEN, Dialect
from chalicelib.extract.readers.kinds import Kind, fits, typed_cells
from chalicelib.extract.readers.lenient import Field, Grammar, Record
from chalicelib.extract.readers.sniff import DELIMITERS

SHORT = "last field missing, read as NULL"
LONG = "empty fields at the end left out"
EMPTY = Field("")
WORD = re.compile(r"[(#*=]|[^\W\d_]")
UNREADABLE = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Mender:
    """Knows how wide a row is, and what each column's cells look like."""

    dialect: Dialect
    kinds: Sequence[Kind]

    @property
    def width(self) -> int:
        """How many fields a row has."""
        return len(self.kinds)

    def mended(self, record: Record) -> Record | None:
        """The record with as many fields as the table has columns; None where that is a guess."""
        if record.fault or not is_readable(record.raw):
            return None
        if len(record.fields) == self.width:
            return record
        return self._shortened(record) or self._lengthened(record) or self._respelled(record)

    def _shortened(self, record: Record) -> Record | None:
        more = record.fields[self.width :]
        if not more or any(field != EMPTY for field in more):
            return None
        return _with(record, record.fields[: self.width], LONG)

    def _respelled(self, record: Record) -> Record | None:
        """Split at another delimiter, if that gives a row without doubt."""
        for delimiter in DELIMITERS:
            if record.raw.count(delimiter) < self.width - 1 or delimiter == self.dialect.delimiter:
                continue
            other = Grammar(replace(self.dialect, delimiter=delimiter, padded=False))
            fields = other.split(record.raw)
            if len(fields) == self.width and self._fit(fields):
                return _with(record, fields, f"another delimiter, {SPOKEN[delimiter]}")
        return None

    def _lengthened(self, record: Record) -> Record | None:
        """With NULL for a last field that is not there. The end of a file may be cut off."""
        if len(record.fields) != self.width - 1 or not record.whole:
            return None
        if not self._is_proven(record.texts):
            return None
        return _with(record, (*record.fields, EMPTY), SHORT)

    def _fit(self, fields: Sequence[Field]) -> bool:
        """Whether the fields look like the columns' cells; two words alone prove nothing."""
        texts = [field.text for field in fields]
        return self._is_proven(texts) or (len(texts) > 2 and fits(texts, self.kinds))  # noqa: PLR2004

    def _is_proven(self, texts: Sequence[str]) -> bool:
        """Whether each cell fits its column, and one does so that words would not."""
        return any(typed_cells(texts, self.kinds)) and fits(texts, self.kinds)

    def reject(self, record: Record, encoding: str) -> Reject:
        """The record as it stands in the file, and why it is no row."""
        raw = visible(record.raw)
        reason = (
            record.fault or f"has {len(record.fields)} fields where the header has {self.width}"
        )
        if not is_readable(record.raw):
            reason = f"holds bytes that are not {encoding}"
        return Reject(record.line, {RAW: raw}, (Problem(None, raw, reason),))

    def is_remark(self, record: Record) -> bool:
        """Whether the record may be a footer rather than a row: a sum, a count, a rule."""
        if self._is_row_like(record):
            return False
        first, *others = record.texts
        if self.width == 1 or len(record.fields) == self.width or any(others):
            return record.after_blank and len(record.fields) < self.width
        odd = not fits([first], self.kinds) or any(sign in first for sign in " \t:#=*-")
        return odd or record.after_blank

    def _is_row_like(self, record: Record) -> bool:
        """Whether the cells fit their columns, or the end of the file may have cut them off.

        Such a row begins as its column does: one of numbers, dates or times with no word.
        """
        texts = record.texts
        if self._is_proven(texts):
            return True
        typed = self.kinds[0] in ("number", "date", "time")
        return not record.whole and not (typed and len(texts) == 1 and WORD.match(texts[0]))

    def is_other_table(self, record: Record, following: Record | None) -> bool:
        """Whether a record after a blank line is the first of a table of its own.

        It is as wide as the next one but not as this table; or names stand in it where this
        table's columns have numbers and dates, in all of them or with another table's row below.
        """
        if record.fault:
            return False
        typed = typed_cells(record.texts, self.kinds)
        if len(record.fields) == self.width:
            names = [text.strip() for text in record.texts]
            unlike = bool(typed) and not any(typed) and all(names)
            foreign = len(typed) == self.width or not self._is_row(following)
            return unlike and foreign and len(set(names)) == len(names)
        if len(record.fields) == 1 or following is None or (typed and all(typed)):
            return False
        return len(following.fields) == len(record.fields)

    def _is_row(self, record: Record | None) -> bool:
        """Whether a record could be one of this table; what is not there proves nothing."""
        if record is None:
            return True
        return len(record.fields) == self.width and fits(record.texts, self.kinds)


def _with(record: Record, fields: Sequence[Field], note: str) -> Record:
    return replace(record, fields=tuple(fields), notes=(*record.notes, note))


def is_readable(text: str) -> bool:
    """Whether all of it was in the file's encoding."""
    return not UNREADABLE.search(text)


def visible(text: str) -> str:
    """The text with bytes that were not in the file's encoding written out, as `\\xff`."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
