"""How a delimited file is written: its delimiter, quote, escape and record end."""

from __future__ import annotations

from dataclasses import dataclass

NO_DELIMITER = "\x1f"
"""Stands in no text that a person wrote: the delimiter of a single column."""

SPOKEN = {
    NO_DELIMITER: "none",
    "\t": "tab",
    ",": "comma",
    ";": "semicolon",
    "|": "pipe",
    " ": "space",
    "\\": "backslash",
    "\n": "LF",
    "\r": "CR",
}
BACKSLASH = "\\"


@dataclass(frozen=True)
class Dialect:
    """`quote` and `escape` are empty where there is none.

    `doubled`: a quote inside quotes is written twice. `padded`: spaces after a delimiter belong to
    it. `newline` is the character that ends a record: `\\n` also ends it after `\\r`.
    """

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    doubled: bool = True
    padded: bool = False
    newline: str = "\n"

    def described(self) -> dict[str, str]:
        """What a report says of it."""
        delimiter = SPOKEN.get(self.delimiter, self.delimiter)
        quoting = "doubled" if self.quote and self.doubled else "none"
        return {
            "delimiter": f"{delimiter} and space" if self.padded else delimiter,
            "quote": self.quote or "none",
            "escape": SPOKEN.get(self.escape, self.escape) or quoting,
        }

    def masked(self, data: bytes) -> bytes:
        """The same bytes in the same places, but what is escaped has no meaning any more."""
        if not self.escape or self.escape.encode() not in data:
            return data
        escape = self.escape.encode()
        special = (self.escape, self.quote, self.delimiter, "\r", "\n")
        for char in filter(None, special):
            data = data.replace(escape + char.encode(), b"..")
        return data

    def unquoted(self, text: str) -> bytes:
        """The text without what stands in quotes or is escaped."""
        data, quote = self.masked(text.encode("utf-8", "surrogateescape")), self.quote.encode()
        return quote.join(data.split(quote)[::2]) if quote else data
