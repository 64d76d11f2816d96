"""Plain records of JSON to columns of text, without a Python value for any of theirs.

Most often records are alike, which is the fastest way. Else plain is what one regular expression
knows to be a record, down to objects in objects and lists. Then counting quotes, brackets and
colons finds each value, and Arrow gathers those of a column at the speed of memory.
What is not plain, and what may not be kept as it is, is left to `JsonText` and `to_table`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from chalicelib.config import JsonOptions
from chalicelib.extract.readers.encoding import is_utf8
from chalicelib.extract.readers.json_alike import Alike
from chalicelib.extract.readers.json_grammar import MAX_NESTING, RECORDS, SEPARATOR
from chalicelib.extract.readers.json_marks import Marks, Mask, matches, slices
from chalicelib.extract.readers.json_members import Members
from chalicelib.extract.readers.json_values import texts_of
from chalicelib.extract.records import MAX_COLUMNS, Fields

DOUBTFUL = 1 << 16
"""Bytes read record by record before another look whether the rest is plain."""


@dataclass(frozen=True)
class PlainRecords:
    """Reads those of one file, up to `most` bytes at once.

    `fields` are those of all its records, plain or not.
    """

    options: JsonOptions
    fields: Fields
    most: int

    def lines(self, data: bytes, first: int) -> tuple[pa.Table, Sequence[int]] | None:
        """A row a line, and their numbers, of which the first is given; blank lines are no rows.

        None unless all of them are plain.
        """
        if not is_utf8(data):
            return None
        marks = Marks.of(data)
        if (alike := Alike.lines(data, marks)) and (table := self._alike(alike)):
            return table, range(first, first + alike.rows)
        starts, ends = marks.lines()
        filled = np.flatnonzero(ends > starts)
        is_plain = _plain(slices(data, starts[filled], ends[filled]), marks)
        if not (len(is_plain) and is_plain.all()):
            return None
        table = self._gathered(data, marks)
        if len(filled) == len(ends):
            return table and (table, range(first, first + len(filled)))
        return table and (table, (first + filled).tolist())

    def leading(self, data: bytes) -> tuple[pa.Table, int] | None:
        """The first records of a list, of which `data` is what follows, and their length.

        None unless it begins with a plain one.
        """
        if not data.startswith(b"{"):
            return None
        marks = Marks.of(data)
        if (alike := Alike.items(data, marks)) and (table := self._alike(alike)):
            return table, alike.end
        starts, ends = marks.objects()
        is_plain = _plain(slices(data, starts, ends), marks)
        is_plain[1:] &= matches(slices(data, ends[:-1], starts[1:]), SEPARATOR)
        count = len(is_plain) if is_plain.all() else int(is_plain.argmin())
        if not count:
            return None
        length = int(ends[count - 1])
        table = self._gathered(data, marks.before(length))
        return table and (table, length)

    def _alike(self, records: Alike) -> pa.Table | None:
        """The columns of records that are alike; None where another way must be tried."""
        if not self._can_read(records.members) or (columns := records.columns()) is None:
            return None
        return self._table(records.members, columns)

    def _gathered(self, data: bytes, marks: Marks) -> pa.Table | None:
        """The columns of plain records; None where the other way must tell what is wrong."""
        members = Members.of(data, marks)
        if not self._can_read(members):
            return None
        if (values := texts_of(data, members.starts, members.ends)) is None:
            return None
        columns = [_column(values, members, number) for number, _ in enumerate(members.paths)]
        return self._table(members, columns)

    def _table(self, members: Members, columns: Sequence[pa.StringArray]) -> pa.Table | None:
        names = self._names(members)
        return pa.table(columns, names) if names else None

    def _can_read(self, members: Members) -> bool:
        if members.nested and self.options.depth is not None:
            return False
        most = max(len(members.keys), len(members.paths))
        return 0 < most <= MAX_COLUMNS and not members.repeated

    def _names(self, members: Members) -> list[str]:
        """The columns; none when two fields would share one."""
        names = []
        for *above, key in members.paths:
            parent, prefix = 0, ""
            for name in above:
                parent = self.fields.object_at(parent, name)
                prefix += name + self.options.separator
            if self.fields.is_taken(prefix + key, parent):
                return []
            names.append(prefix + key)
        return names


def _plain(records: pa.StringArray, marks: Marks) -> Mask:
    nesting = int(marks.level.max(initial=1)) - 1
    if nesting > MAX_NESTING:
        return np.zeros(len(records), np.bool_)
    return matches(records, RECORDS[nesting])


def _column(values: pa.StringArray, members: Members, column: int) -> pa.StringArray:
    """The values of one column, null where a record has none."""
    at = np.flatnonzero(members.column == column)
    if len(at) == members.rows:
        return values.take(pa.array(at))
    spread = np.full(members.rows, -1)
    spread[members.row[at]] = at
    return values.take(pa.array(spread, mask=spread < 0))
