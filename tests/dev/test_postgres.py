"""PostgreSQL in a folder: shared, persistent, and never left behind."""

import os
import tempfile
from pathlib import Path

import psutil
import pytest
from pg8000.native import Connection
from sqlalchemy import make_url

from chalicelib.errors import EltError
from dev.postgres import postgres


@pytest.fixture
def folder():
    # Not tmp_path, which pytest keeps to its own user; as root PostgreSQL runs as another.
    with tempfile.TemporaryDirectory(prefix="elt-test-") as name:
        yield Path(name) / "postgres"


def ask(url: str, sql: str) -> list[list[object]]:
    socket = make_url(url).query["host"]
    connection = Connection("postgres", unix_sock=f"{socket}/.s.PGSQL.5432")
    try:
        return connection.run(sql)
    finally:
        connection.close()


def server_pid(folder: Path) -> int:
    return int((folder / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_rows_are_there_the_next_time(folder):
    with postgres(folder) as url:
        ask(url, "create table kept as select 42 as answer")
    with postgres(folder) as url:
        assert ask(url, "select answer from kept") == [[42]]


def test_the_last_user_stops_the_server(folder):
    with postgres(folder) as url:
        with postgres(folder) as same:
            pid = server_pid(folder)
        assert same == url
        assert ask(url, "select 1") == [[1]]
    assert not alive(pid)


@pytest.mark.parametrize("name", ["my shop's checkout", "deep-" * 20])
def test_the_checkout_may_lie_anywhere(folder, name):
    with postgres(folder.parent / name / "postgres") as url:
        assert ask(url, "select 1") == [[1]]


def test_a_killed_server_starts_again(folder):
    with postgres(folder):
        psutil.Process(server_pid(folder)).kill()
    with postgres(folder) as url:
        assert ask(url, "select 1") == [[1]]


def test_a_pid_file_whose_number_another_process_has_is_no_server(folder):
    with postgres(folder):
        left = (folder / "postmaster.pid").read_text().splitlines()
    (folder / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]))
    with postgres(folder) as url:
        assert ask(url, "select 1") == [[1]]


def test_a_server_that_cannot_start_says_where_to_look(folder):
    with postgres(folder):
        pass
    (folder / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EltError, match="does not start") as caught, postgres(folder):
        pass
    assert caught.value.where == str(folder / "log")
    assert "no_such_setting" in (folder / "log").read_text()
