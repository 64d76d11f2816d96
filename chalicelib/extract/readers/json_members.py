"""The members of plain records of JSON: the text of each value, its row and its column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.extract.readers.json_marks import SPACE, Bytes, Marks, Positions, slices


@dataclass(frozen=True)
class Members:
    """Those whose values are not objects, in the order of the text, which `starts` and `ends` cut.

    An object without members is one too: its value is empty. `paths` are the columns: for each
    the keys that lead to it. `nested`: there are objects in records; `repeated`: an object has
    a key twice.
    """

    text: Bytes
    starts: Positions
    ends: Positions
    row: Positions
    rows: int
    column: Positions
    paths: Sequence[Sequence[str]]
    keys: Sequence[str]
    nested: bool
    repeated: bool

    @classmethod
    def of(cls, data: bytes, marks: Marks) -> Members:
        """All of them in whole records."""
        marks = marks.outside_lists()
        colons = marks.where(b":")
        codes, keys = _coded(_keys(data, marks, colons))
        paths = _paths(codes, marks.depth[colons], len(keys))
        row = marks.record[colons]
        is_object = marks.kind[colons + 1] == ord("{")
        is_empty = is_object.copy()
        is_empty[is_object] = marks.kind[colons[is_object] + 2] == ord("}")
        is_own = ~is_object | is_empty
        ends = marks.at[colons + 1]
        starts = np.where(is_empty, ends, marks.at[colons] + 1)
        column, distinct = _coded(pa.array(paths[is_own]))
        return cls(
            marks.text,
            *_trimmed(marks.text, starts[is_own], ends[is_own]),
            row[is_own],
            int(marks.record[-1]) + 1,
            column,
            [_keys_of(path, keys) for path in distinct],
            keys,
            nested=bool(is_object.any()),
            repeated=_repeat(row, paths),
        )


def _keys(data: bytes, marks: Marks, colons: Positions) -> pa.StringArray:
    """The texts before these marks, without their quotes."""
    starts, ends = _trimmed(marks.text, marks.at[colons - 1] + 1, marks.at[colons])
    return slices(data, starts + 1, ends - 1)


def _coded(values: pa.Array) -> tuple[Positions, list[Any]]:
    """A number for each different value, and those values in the order of their numbers."""
    coded = values.dictionary_encode()
    return coded.indices.to_numpy().astype(np.intp), coded.dictionary.to_pylist()


def _paths(codes: Positions, depth: Positions, keys: int) -> Positions:
    """One number for the key of each member and those of the objects that it is in."""
    paths = codes.copy()
    for level in range(2, int(depth.max(initial=0)) + 1):
        outer = np.where(depth == level - 1, np.arange(len(depth)), 0)
        inner = depth == level
        paths[inner] += (paths[np.maximum.accumulate(outer)[inner]] + 1) * keys
    return paths


def _repeat(row: Positions, paths: Positions) -> bool:
    pairs = row * (int(paths.max(initial=0)) + 1) + paths
    if (pairs[1:] > pairs[:-1]).all():  # as in records that have the same keys in the same order
        return False
    return int(pc.count_distinct(pa.array(pairs)).as_py()) < len(pairs)


def _keys_of(path: int, keys: Sequence[str]) -> list[str]:
    outer, key = divmod(path, len(keys))
    return [*(_keys_of(outer - 1, keys) if outer else ()), keys[key]]


def _trimmed(text: Bytes, starts: Positions, ends: Positions) -> tuple[Positions, Positions]:
    """Without white space around; most often that is one space before."""
    starts = starts + ((text[starts] == SPACE) & (starts < ends))
    if (text[starts] <= SPACE).any() or (text[ends - 1] <= SPACE).any():
        filled = np.flatnonzero(text > SPACE)
        is_empty = starts == ends
        starts = np.where(is_empty, starts, filled[np.searchsorted(filled, starts)])
        ends = np.where(is_empty, ends, filled[np.searchsorted(filled, ends) - 1] + 1)
    return starts, ends
