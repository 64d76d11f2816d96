"""Values of JSON, cut out of the text, to texts as `to_table` would write them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.extract.decoding import Decoder
from chalicelib.extract.readers.json_grammar import NOT_IN_PLAIN_TEXT, PLAIN_VALUE
from chalicelib.extract.readers.json_marks import (
    BACKSLASH,
    QUOTE,
    SPACE,
    Mask,
    Positions,
    matches,
    slices,
)
from chalicelib.extract.records import text_of


def texts_of(data: bytes, starts: Positions, ends: Positions) -> pa.StringArray | None:
    """The value at each of these places, one that is empty as null.

    What does not plainly stand as it is to be written is decoded: lists, texts with escapes,
    numbers of other spelling. None where one is no value, and where decoding it loses something.
    """
    text = np.frombuffer(data, np.uint8)
    first = text[starts]
    quoted = (first == QUOTE) & (text[ends - 1] == QUOTE) & (ends - starts > 1)
    texts = slices(data, starts + quoted, ends - quoted)
    is_null = (first == ord("n")) | (starts == ends)
    odd = _odd(texts, quoted) & (starts < ends)
    if is_null.any():
        texts = pc.if_else(pa.array(is_null), pa.scalar(None, pa.string()), texts)
    if not odd.any():
        return texts
    decoded = _decoded(slices(data, starts[odd], ends[odd]))
    return None if decoded is None else pc.replace_with_mask(texts, pa.array(odd), decoded)


def _odd(texts: pa.StringArray, quoted: Mask) -> Mask:
    """Those that do not stand as they are."""
    odd = np.zeros(len(texts), np.bool_)
    if _may_not_be_plain(texts):
        odd |= quoted & matches(texts, NOT_IN_PLAIN_TEXT)
    bare = np.flatnonzero(~quoted)
    if len(bare):
        odd[bare] = ~matches(_taken(texts, bare), PLAIN_VALUE)
    return odd


def _may_not_be_plain(texts: pa.StringArray) -> bool:
    """Whether any of them holds what plain texts do not: a look at the speed of memory."""
    held = texts.buffers()[2]
    text = np.frombuffer(held or b"", np.uint8)
    return bool(((text < SPACE) | (text == QUOTE) | (text == BACKSLASH)).any())


def _taken(texts: pa.StringArray, which: Positions) -> pa.StringArray:
    return texts if len(which) == len(texts) else texts.take(pa.array(which))


def _decoded(values: pa.StringArray) -> pa.StringArray | None:
    """Each different one decoded once."""
    coded, decoder = values.dictionary_encode(), Decoder()
    try:
        texts = [text_of(decoder.whole(value)) for value in coded.dictionary.to_pylist()]
    except ValueError:
        return None
    return None if decoder.words else pa.array(texts, pa.string()).take(coded.indices)
