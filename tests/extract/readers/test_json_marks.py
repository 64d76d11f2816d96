"""The signs of JSON are found as by reading it character by character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.extract.readers.json_marks import PIECE, Marks
from chalicelib.extract.readers.marks import count

PARTS = ["a", "é", "[", "]", ":", ",", "{}", '"', "\\", "\n", "y" * 63]


def one_by_one(data: bytes) -> list[int]:
    """Where signs outside of strings are; a backslash takes what it stands before with it."""
    places, within, at = [], False, 0
    while at < len(data):
        byte = data[at : at + 1]
        if byte == b'"':
            within = not within
        elif byte in (b"{", b"}", b"[", b"]", b":", b",") and not within:
            places.append(at)
        at += 2 if byte == b"\\" else 1
    return places


@given(text=st.lists(st.sampled_from(PARTS)).map("".join))
def test_signs_are_found_outside_of_strings(text: str) -> None:
    data = text.encode()
    assert Marks.of(data).at.tolist() == one_by_one(data)


def test_a_string_may_go_on_in_the_next_piece() -> None:
    data = b'[":' + b" " * 2 * PIECE + b'",:' + b" " * PIECE + b',"'
    assert Marks.of(data).at.tolist() == one_by_one(data)


def test_every_byte_of_a_piece_counts() -> None:
    data = b"\n" * (PIECE + 65)
    assert count(data, b"\n") == len(data)
    starts, ends = Marks.of(data).lines()
    assert starts.tolist() == ends.tolist() == list(range(len(data)))
