"""Values of JSON, cut out of the text, to texts as `to_table` would write them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chalicelib.arrow import may_hold
from chalicelib.extract.decoding import Decoder
from chalicelib.extract.readers.json_grammar import PLAIN_VALUE
from chalicelib.extract.readers.json_marks import QUOTE, Mask, Positions, matches, slices
from chalicelib.extract.records import text_of


def texts_of(data: bytes, starts: Positions, ends: Positions) -> pa.StringArray | None:
    """The value at each of these places, one that is empty as null.

    What does not plainly stand as it is to be written is decoded: lists, texts with escapes,
    numbers of other spelling. None where one of them is no value, or decoding it would lose
    something. Left to the caller is what may not be in a text: control characters, bad UTF-8.
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
    if may_hold(texts, b"\\", b'"'):
        odd |= quoted & matches(texts, r'["\\]')
    bare = np.flatnonzero(~quoted)
    if len(bare):
        odd[bare] = ~matches(texts.take(pa.array(bare)), PLAIN_VALUE)
    return odd


def _decoded(values: pa.StringArray) -> pa.StringArray | None:
    """Each different one decoded once."""
    coded, decoder = values.dictionary_encode(), Decoder()
    try:
        texts = [text_of(decoder.whole(value)) for value in coded.dictionary.to_pylist()]
    except ValueError:
        return None
    return None if decoder.words else pa.array(texts, pa.string()).take(coded.indices)
