"""What a cell looks like: enough to tell a header from data, and a footer from a row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

NEARLY_ALL = 0.9
"""A column of numbers stays one when a few cells are not."""

Kind = str | None
"""`number`, `date`, `time` or `truth`; `text` for anything else; None for an empty cell."""

FORMS = re.compile(
    r"""
    (?P<number> [-+]?[$€£]?\s?\d[\d.,'\ \u00a0]*([eE][-+]?\d+)?\s?[%$€£]? )
    | (?P<date>
        (\d{4}[-/.]\d{1,2}[-/.]\d{1,2} | \d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2}))
        ([T\ ]\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?\s?([AaPp][Mm])?\s?(Z|[-+]\d{2}:?\d{2})?)? )
    | (?P<time> \d{1,2}:\d{2}(:\d{2}([.,]\d+)?)? )
    | (?P<truth> (?i:true|false|yes|no) )
    """,
    re.VERBOSE,
)


def kind_of(cell: str) -> Kind:
    """What the cell looks like."""
    text = cell.strip()
    if not text:
        return None
    form = FORMS.fullmatch(text)
    return form.lastgroup if form else "text"


def kinds_of(rows: Sequence[Sequence[str]], width: int) -> tuple[Kind, ...]:
    """Of each column the kind that nearly all its cells have, else text; None if all are empty."""
    return tuple(_common([row[at] for row in rows if at < len(row)]) for at in range(width))


def fits(row: Sequence[str], kinds: Sequence[Kind]) -> bool:
    """Whether each cell is empty or of its column's kind."""
    return all(_fits(cell, kind) for cell, kind in zip(row, kinds, strict=False))


def typed_cells(row: Sequence[str], kinds: Sequence[Kind]) -> list[bool]:
    """Of each cell that is not empty in a column of numbers, dates, …: whether it fits there."""
    cells = zip(row, kinds, strict=False)
    return [_fits(c, kind) for c, kind in cells if kind not in (None, "text") and c.strip()]


def _common(cells: Sequence[str]) -> Kind:
    found = Counter(kind for kind in map(kind_of, cells) if kind)
    if not found:
        return None
    kind, count = found.most_common(1)[0]
    return kind if count >= NEARLY_ALL * found.total() else "text"


def _fits(cell: str, kind: Kind) -> bool:
    return kind in (None, "text") or kind_of(cell) in (None, kind)
