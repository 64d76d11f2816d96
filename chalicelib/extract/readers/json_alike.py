"""Records of JSON that are written alike: each as the first one, but for its values.

Most files consist of such records. Their signs have a period, which tells where the values of a
member are, so that a column is cut out at once. The first record is decoded; of the others, what
stands between the values is compared with it, and of the values themselves `texts_of` makes sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from chalicelib.extract.decoding import Decoder
from chalicelib.extract.readers.json_marks import Marks, Positions
from chalicelib.extract.readers.json_members import Members
from chalicelib.extract.readers.json_values import texts_of
from chalicelib.extract.readers.marks import count

MOST_SIGNS = 1 << 13
"""A record has fewer, or it is not compared with others."""

_WHITE = b" \t\r\n"


@dataclass(frozen=True)
class Alike:
    """`rows` records at the beginning of `data`, up to `end`.

    `first` is the text of the first of them, and `members` are its members; `between` is what
    stands between two. `starts` and `ends` cut the values: a row a member, a column a record.
    """

    data: bytes
    first: bytes
    members: Members
    starts: Positions
    ends: Positions
    end: int
    between: bytes

    @classmethod
    def lines(cls, data: bytes, marks: Marks) -> Alike | None:
        """Records of which each has a line, and nothing else follows; None for anything else."""
        found = cls._of(data, marks, separators=0)
        if found is None or (found.between + data[found.end :]).strip(_WHITE):
            return None
        within = count(data, b"\n") - data.count(b"\n", found.end)
        return found if found.between.count(b"\n") == 1 and within == found.rows - 1 else None

    @classmethod
    def items(cls, data: bytes, marks: Marks) -> Alike | None:
        """All items of a list that are there in whole; None if any is no such record."""
        found = cls._of(data, marks, separators=1)
        return found if found and found.between.strip(_WHITE) == b"," else None

    @classmethod
    def _of(cls, data: bytes, marks: Marks, separators: int) -> Alike | None:
        """Two or more of them, with so many signs between two."""
        marks = marks.outside_lists()
        if not (signs := _signs_of_one(marks)):
            return None
        period, at = signs + separators, marks.at
        rows = (len(at) + separators) // period
        kinds = marks.kind[: rows * period - separators]
        if rows <= 1 or (kinds[period:] != kinds[:-period]).any():
            return None
        first = data[: at[signs - 1] + 1]
        if not _is_record(first):
            return None
        members = Members.of(first, Marks(marks.text[: len(first)], at[:signs]))
        if any("\\" in key for key in members.keys):
            return None
        starts, ends = _places(members, at, np.arange(rows) * period)
        end = int(at[(rows - 1) * period + signs - 1]) + 1
        found = cls(data, first, members, starts, ends, end, data[len(first) : at[period]])
        return found if found._are_alike() else None

    @property
    def rows(self) -> int:
        """How many records there are."""
        return int(self.starts.shape[1])

    def columns(self) -> list[pa.StringArray] | None:
        """The values of each member; None where one is no value, or decoding it loses something."""
        columns = []
        for starts, ends in zip(self.starts, self.ends, strict=True):
            if (texts := texts_of(self.data, starts, ends)) is None:
                return None
            columns.append(texts)
        return columns

    def _are_alike(self) -> bool:
        is_empty = self.starts == self.ends
        return bool(
            len(self.starts)
            and (self.starts <= self.ends).all()
            and (is_empty == is_empty[:, :1]).all()
            and self._are_alike_outside()
        )

    def _are_alike_outside(self) -> bool:
        """Whether all that is outside of values is as in the first record."""
        data, first, starts, ends = self.data, self.first, self.starts, self.ends
        head, tail = first[: starts[0, 0]], first[ends[-1, 0] :]
        return (
            data[ends[-1, -1] : self.end] == tail
            and _all_are(data, ends[-1, :-1], starts[0, 1:], tail + self.between + head)
            and all(
                _all_are(data, before, after, first[before[0] : after[0]])
                for before, after in zip(ends[:-1], starts[1:], strict=True)
            )
        )


def _signs_of_one(marks: Marks) -> int:
    """How many signs the first record has; 0 where its end is not found."""
    closes = marks.first(MOST_SIGNS).level == 0
    return int(closes.argmax()) + 1 if closes.any() else 0


def _is_record(text: bytes) -> bool:
    """Whether it is one that a decoder keeps whole."""
    try:
        return isinstance(Decoder().whole(text.decode()), dict)
    except ValueError:
        return False


def _places(members: Members, at: Positions, records: Positions) -> tuple[Positions, Positions]:
    """Where values begin and end, given which mark each record begins with: as in the first."""
    colons = np.searchsorted(at, members.starts) - 1
    before = members.starts - at[colons]
    after = at[colons + 1] - members.ends
    marks = colons[:, np.newaxis] + records
    return at[marks] + before[:, np.newaxis], at[marks + 1] - after[:, np.newaxis]


def _all_are(data: bytes, starts: Positions, ends: Positions, what: bytes) -> bool:
    """Whether it stands at each of these places, which are in the data."""
    if (ends - starts != len(what)).any():
        return False
    windows = np.ndarray(len(data) - len(what) + 1, f"V{len(what)}", data, strides=(1,))
    return bool(windows[starts].tobytes() == what * len(starts))
