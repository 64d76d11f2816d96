"""Column names as a header gives them, checked before a row is read under them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from itertools import count, zip_longest

from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.extract.readers.input_file import InputFile

UNNAMED = "column_{}"
"""What a column without a name is called, by its position from 1."""


def column_names(fields: Sequence[str], file: InputFile, line: int) -> tuple[str, ...]:
    """The names without white space around, each one once.

    A column without a name gets one, and so does the second one of the same name; both are noted
    as repaired. SourceError where the schema's columns cannot be found among them.
    """
    where = f"{file.name} line {line}"
    names: list[str] = []
    for position, name in enumerate((field.strip() for field in fields), start=1):
        if not name:
            file.note(f"column {position} has no name", line)
        elif name in names:
            _refuse_wanted(name, file.columns, where)
            file.note(f"two columns are called {name!r}", line)
        names.append(_unused(name or UNNAMED.format(position), names))
    _check_against(file.columns, names, where)
    return tuple(names)


def joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """One name a column from several header rows: the parts from top to bottom.

    An empty cell of an upper row stands below the same heading as the cell before it. Units in
    brackets lose them.
    """
    upper = [_spread(row) for row in rows[:-1]] if "" in map(str.strip, rows[0]) else rows[:-1]
    parts = zip_longest(*upper, map(_without_brackets, rows[-1]), fillvalue="")
    if len(rows) == 1:
        return list(rows[0])
    return ["_".join(filter(None, map(str.strip, column))) for column in parts]


def _without_brackets(cell: str) -> str:
    unit = cell.strip()
    return unit[1:-1] if unit[:1] in ("[", "(") and unit[-1] in "])" else unit


def _spread(row: Sequence[str]) -> list[str]:
    spread: list[str] = []
    for cell in row:
        spread.append(cell if cell.strip() or not spread else spread[-1])
    return spread


def _unused(name: str, names: Sequence[str]) -> str:
    if name not in names:
        return name
    return next(new for number in count(2) if (new := f"{name}_{number}") not in names)


def _refuse_wanted(name: str, columns: Mapping[str, Column], where: str) -> None:
    """Of two columns with a name that the schema asks for nobody knows which one it means."""
    if any(name in column.spellings(own) for own, column in columns.items()):
        raise SourceError(
            f"two columns are called {name!r}, and the schema wants one",
            where=where,
            fix="Rename one of them; or name all of them in the source's csv.header.",
        )


def _check_against(columns: Mapping[str, Column], names: list[str], where: str) -> None:
    """A header that cannot give one good row is the file's mistake, not each row's."""
    absent = [n for n, c in columns.items() if not set(c.spellings(n)) & set(names)]
    needed = [n for n in absent if columns[n].required and columns[n].default is None]
    missing = needed or (absent if len(absent) == len(columns) else [])
    if missing:
        raise SourceError(
            f"no column {_alternatives(missing[0], columns[missing[0]])}; "
            f"the header has {', '.join(names)}",
            where=where,
            fix=f"Add the name in this file to schema.columns.{missing[0]}.from"
            f"{_guess(columns[missing[0]].spellings(missing[0]), names)}"
            f"{_or_none(columns, names)}.",
        )


def _or_none(columns: Mapping[str, Column], names: Sequence[str]) -> str:
    """A row as wide as the schema may be the first one of a file without a header."""
    as_wide = len(names) == len(columns)
    return "; or set the source's csv.header: none, if this line is a row" if as_wide else ""


def _alternatives(name: str, column: Column) -> str:
    return " or ".join(repr(spelling) for spelling in column.spellings(name))


def _guess(wanted: tuple[str, ...], names: list[str]) -> str:
    close = [match for name in wanted for match in get_close_matches(name, names, n=1)]
    return f" (is it {close[0]!r}?)" if close else ""
