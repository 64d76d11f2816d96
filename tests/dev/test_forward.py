"""A unix socket behind a TCP port."""

import socket
import threading
from contextlib import suppress

import pytest

from dev.forward import forwarded


@pytest.fixture
def echo(tmp_path):
    """A server on a unix socket that answers everything twice, once nothing more comes."""
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield path
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def serve(server):
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        with connection, connection.makefile("rb") as said, suppress(BrokenPipeError):
            connection.sendall(said.read() * 2)


def ask(port, text):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize("text", [b"", b"word", b"x" * 1_000_000])
def test_what_is_sent_and_that_no_more_comes_arrive_both_ways(echo, text):
    with forwarded(echo) as port:
        assert ask(port, text) == text * 2


def test_it_serves_many_and_survives_those_who_leave(echo):
    with forwarded(echo) as port:
        socket.create_connection(("127.0.0.1", port)).close()
        assert [ask(port, b"%d" % n) for n in range(3)] == [b"00", b"11", b"22"]


def test_afterwards_nobody_listens_and_nobody_is_connected(echo):
    with forwarded(echo) as port:
        open_one = socket.create_connection(("127.0.0.1", port), timeout=10)
    assert open_one.recv(1) == b""
    open_one.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_that_is_not_there_is_a_closed_connection(tmp_path):
    with forwarded(tmp_path / "nothing") as port:
        assert ask(port, b"") == b""
