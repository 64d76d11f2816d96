"""What no client library sends: wrong lengths, chunks, headers with line ends."""

from __future__ import annotations

import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.routes.conftest import Api

HEAD = "POST /things HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator-token\r\n"


def exchange(api: Api, request: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of the answer to these bytes, after which nothing more comes."""
    address = urlsplit(api.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    head, _, body = answer.partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    return int(status.split()[1]), dict(line.split(": ", 1) for line in lines), body


def test_a_body_shorter_than_its_length_is_not_taken_for_the_whole(api: Api) -> None:
    status, _, body = exchange(api, f'{HEAD}Content-Length: 99\r\n\r\n{{"name": "a"')
    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("length", ["x", "-1", "1e3", "1, 2"])
def test_a_length_that_is_no_number_is_refused(api: Api, length: str) -> None:
    status, headers, body = exchange(api, f"{HEAD}Content-Length: {length}\r\n\r\n{{}}")
    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_request")
    assert "X-Request-Id" in headers


def test_a_chunked_body_is_refused_rather_than_taken_for_none(api: Api) -> None:
    chunked = 'Transfer-Encoding: chunked\r\n\r\nd\r\n{"name": "a"}\r\n0\r\n\r\n'
    status, _, body = exchange(api, HEAD + chunked)
    assert (status, json.loads(body)["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("line_end", ["\r\n ", "\n\t"])
def test_a_folded_header_ends_up_in_no_answer(api: Api, line_end: str, origins: object) -> None:
    request = (
        f"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Origin: http://localhost:3000{line_end}Set-Cookie: a=1\r\n\r\n"
    )
    _, headers, _ = exchange(api, request)
    assert not {"Set-Cookie", "Access-Control-Allow-Origin"} & set(headers)


def test_a_key_with_a_line_end_is_refused(api: Api) -> None:
    body = '{"name": "a"}'
    key = f"Idempotency-Key: a\r\n\tb: c\r\nContent-Length: {len(body)}\r\n\r\n"
    status, _, answer = exchange(api, HEAD + key + body)
    assert (status, json.loads(answer)["error"]["code"]) == (400, "invalid_request")
