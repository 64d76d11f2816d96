"""Values that are easily spoiled, and what became of them."""

from __future__ import annotations

from pathlib import Path

from dev.bench.server import Server

CSV = """\
code,at,price,remark,missing
007,2026-01-31T12:00:00+02:00,12345678901234567890.12,"",
042,2026-07-31T23:30:00-05:00,0.10,none,here
"""

QUESTIONS = {
    "leading zeros": ("code", "007, 042"),
    "zones": ("at", "2026-01-31 10:00:00+00, 2026-08-01 04:30:00+00"),
    "decimals": ("price", "12345678901234567890.12, 0.10"),
    "an empty string": ("remark", '"", none'),
    "NULL": ("missing", "NULL, here"),
}
"""What is asked of which column, and the right answer."""


def write(folder: Path) -> Path:
    """The file, in a folder of its own."""
    folder.mkdir()
    file = folder / "probe.csv"
    file.write_text(CSV)
    return file


def answers(server: Server, table: str) -> dict[str, str]:
    """For each question `right`, or what stands in the table instead."""
    return {question: _answer(server, table, *asked) for question, asked in QUESTIONS.items()}


def _answer(server: Server, table: str, column: str, right: str) -> str:
    shown = (
        f"""coalesce(case "{column}"::text when '' then '""' else "{column}"::text end, 'NULL')"""
    )
    found = server.carry_out(
        "set timezone to 'UTC'",
        f"select string_agg({shown}, ', ' order by \"at\"::timestamptz) from {table}",
    )
    return "right" if found == right else f"`{found}`"
