"""Columns of fields, made of the numbers of their rows: the same each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[np.int64]
"""Row numbers, from 0 on."""

DAY = np.timedelta64(1, "D")
START = np.datetime64("2026-01-01T00:00:00")
WORDS = (
    "the", "parcel", "was", "left", "with", "a", "neighbour", "who", "signed", "for", "it", "and",
    "will", "call", "again", "tomorrow", "morning", "before", "nine", "at", "door", "grüße",
)  # fmt: skip


def text(values: npt.NDArray[np.generic]) -> pa.Array:
    """Each value as Arrow writes it."""
    return pc.cast(pa.array(values), pa.string())


def joined(*parts: str | npt.NDArray[np.generic] | pa.Array) -> pa.Array:
    """The parts of each row, one after the other."""
    texts = [text(part) if isinstance(part, np.ndarray) else part for part in parts]
    return pc.binary_join_element_wise(*texts, "")


def chosen(choices: Sequence[str], number: Numbers) -> pa.Array:
    """One of the choices after the other."""
    return pa.array(choices).take(pa.array(number % len(choices)))


def padded(values: Numbers, width: int) -> pa.Array:
    """With zeros in front."""
    return pc.utf8_lpad(text(values), width, "0")


def decimal(number: Numbers) -> pa.Array:
    """Two digits behind the point."""
    return joined(number * 37 % 100_000, ".", 10 + number % 90)


def moment(number: Numbers) -> npt.NDArray[np.datetime64]:
    """An order every 37 seconds."""
    return START + (number * 37).astype("timedelta64[s]")


def day(number: Numbers) -> npt.NDArray[np.datetime64]:
    """The day of that moment, three days later."""
    return (moment(number) + 3 * DAY).astype("datetime64[D]")


def boolean(number: Numbers) -> pa.Array:
    """Two of three are true."""
    return chosen(["false", "true", "true"], number)


def sentence(number: Numbers, words: int) -> pa.Array:
    """So many words, parted by spaces."""
    picked = [chosen(WORDS, number * (at + 3) + number // len(WORDS)) for at in range(words)]
    return pc.binary_join_element_wise(*picked, " ")


def some(number: Numbers, one_in: int, odd: pa.Array, usual: pa.Array) -> pa.Array:
    """`odd` in one row of so many, `usual` in the others."""
    return pc.if_else(pa.array(number % one_in == 0), odd, usual)
