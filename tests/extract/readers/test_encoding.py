"""Encodings: told by marks, by zero bytes, by the first bytes beyond ASCII, or by nobody."""

from __future__ import annotations

import io

import pytest

from chalicelib.config import CsvOptions
from chalicelib.errors import SourceError
from chalicelib.extract.readers.encoding import Utf8Stream
from tests.extract.readers.support import ReadFile


def decoded(content: bytes, asked: str = "auto", size: int = 1 << 20) -> tuple[str, str]:
    stream = Utf8Stream(io.BytesIO(content), "a.csv", asked)
    parts = iter(lambda: stream.read(size), b"")
    return b"".join(parts).decode("utf-8", "replace"), stream.encoding


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8 with BOM"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16 without BOM"),
        ("utf-16-be", "UTF-16 without BOM"),
        ("utf-32", "UTF-32"),
        ("cp1252", "Windows-1252"),
    ],
)
def test_it_is_found_however_the_file_is_cut(encoding: str, found: str, size: int) -> None:
    text = "id,name\n" + "plain ascii\n" * 50 + "Zoë Größenwahn, 5 €\n"
    assert decoded(text.encode(encoding), size=size) == (text, found)


def test_one_bad_byte_does_not_make_a_utf8_file_another() -> None:
    assert decoded("Zoë".encode() + b"\xe9\n") == ("Zoë�\n", "UTF-8")


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "gb18030", "cp1253"])
def test_text_that_is_not_western_is_not_guessed(encoding: str) -> None:
    words = {"cp1251": "Привет", "cp1253": "Καλημέρα"}.get(encoding, "日本語日本語")
    content = f"id,name\n1,{words}\n".encode(encoding)
    with pytest.raises(SourceError, match=r"neither UTF-8 nor .*csv.encoding"):
        decoded(content)
    assert words in decoded(content, encoding)[0]


@pytest.mark.parametrize("encoding", ["cp1250", "iso8859_2"])
@pytest.mark.parametrize("word", ["Łódź", "Małe Źródło", "Książ"])
def test_words_with_signs_in_them_are_a_warning(read: ReadFile, encoding: str, word: str) -> None:
    content = f"id,name\n1,{word}\n".encode(encoding)
    (warning,) = read("a.csv", content).warnings
    assert "was read as Windows-1252" in warning
    assert "csv.encoding, as cp1250" in warning
    assert read("a.txt", content, options=CsvOptions(encoding=encoding)).warnings == []


def test_western_text_is_no_reason_to_warn(read: ReadFile) -> None:
    words = (
        "Größe 5 m², £5, 7 €, §12, l\u2019été, cœur, ¿Qué? ¡Hola! 1½ Acme® \xd72 Œuvre paral·lel"
    )
    assert read("a.csv", f"id;name\n1;{words}\n".encode("cp1252")).warnings == []


def test_an_encoding_that_is_given_is_obeyed(read: ReadFile) -> None:
    found = read("a.csv", "id,é\n1,ż\n".encode("cp1250"), options=CsvOptions(encoding="cp1250"))
    assert found.rows == [{"id": "1", "é": "ż"}]


def test_bytes_that_the_encoding_does_not_know_cost_their_row(read: ReadFile) -> None:
    content = "id,name\n1,Zoë\n2,x\n".encode("cp1252").replace(b"x", b"\x81")
    found = read("a.csv", content)
    assert [row["id"] for row in found.rows] == ["1"]
    assert "not Windows-1252" in found.rejects[0].describe()
    found = read("a.csv", b"id,name\n1,\xe9\n2,b\n", options=CsvOptions(encoding="utf-8"))
    assert [reject.line for reject in found.rejects] == [2]
