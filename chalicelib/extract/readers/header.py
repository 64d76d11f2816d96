"""Column names as a header gives them, checked before a row is read under them."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from chalicelib.config import Column
from chalicelib.errors import SourceError
from chalicelib.extract.readers.input_file import InputFile


def column_names(fields: list[str], file: InputFile, line: int) -> tuple[str, ...]:
    """The names without white space around; SourceError where rows could not be told apart."""
    names = [field.strip() for field in fields]
    where = f"{file.name} line {line}"
    for position, name in enumerate(names, start=1):
        if not name:
            raise SourceError(
                f"column {position} of {len(names)} has no name",
                where=where,
                fix="Name it, or remove the delimiter that makes it.",
            )
        if names.index(name) != position - 1:
            raise SourceError(
                f"two columns are called {name!r}", where=where, fix="Rename one of them."
            )
    _check_against(file.columns, names, where)
    return tuple(names)


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
            f"{_guess(columns[missing[0]].spellings(missing[0]), names)}.",
        )


def _alternatives(name: str, column: Column) -> str:
    return " or ".join(repr(spelling) for spelling in column.spellings(name))


def _guess(wanted: tuple[str, ...], names: list[str]) -> str:
    close = [match for name in wanted for match in get_close_matches(name, names, n=1)]
    return f" (is it {close[0]!r}?)" if close else ""
