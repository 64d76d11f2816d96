"""Peers are judged by the rows and values that they leave in the target."""

import subprocess
from pathlib import Path

from dev.bench import peers
from dev.bench.peers import probe, programs
from dev.bench.server import Server

RIGHT = "code text, at timestamptz, price numeric, remark text, missing text"
SPOILED = "code integer, at timestamptz, price float8, remark text, missing text"


def answers(server, folder, columns, options):
    file = probe.write(folder / "probe")
    copy = rf"\copy t from '{file}' with (format csv, header{options})"
    server.carry_out(f"create table t ({columns})", copy)
    return probe.answers(server, "t")


def test_values_that_were_kept_are_right(server, tmp_path):
    assert set(answers(server, tmp_path, RIGHT, "").values()) == {"right"}


def test_values_that_were_spoiled_are_shown(server, tmp_path):
    found = answers(server, tmp_path, SPOILED, ", force_not_null (missing), force_null (remark)")
    assert found == {
        "leading zeros": "`7, 42`",
        "zones": "right",
        "decimals": "`1.2345678901234567e+19, 0.1`",
        "an empty string": "`NULL, none`",
        "NULL": '`"", here`',
    }


def test_equal_numbers_are_the_same_however_they_are_written(server):
    server.carry_out(
        "create table a as select 1 id, 1.50 n, 1 more", "create table b as select 1 id, 1.5 n"
    )
    assert server.hold_the_same("a", "b", ["id", "n"])
    server.carry_out("insert into b values (1, 1.5)")
    assert not server.hold_the_same("a", "b", ["id", "n"])


def test_this_pipeline_and_peers_that_work_are_compared_and_others_named(
    server, tmp_path, monkeypatch, without_start
):
    psql = programs.Peer("none", ("psql==18",), _psql)
    broken = programs.Peer("none", ("broken==1",), lambda *_: ["sh", "-c", "echo 'a|b' && exit 1"])
    absent = programs.Peer("absent", ("not a requirement",), _psql)
    monkeypatch.setattr(programs.Peer, "install", _install)
    monkeypatch.setattr(peers, "PEERS", {"psql": psql, "broken": broken, "absent": absent})
    ours, theirs, failed, missing = peers.compare(100, 1, server, tmp_path)
    assert (ours.name, ours.rows_right, set(ours.types.values())) == (
        "this pipeline",
        True,
        {"right"},
    )
    assert theirs.rows_right
    assert theirs.types["leading zeros"] == "`7, 42`"
    assert failed.failure == "a/b"
    assert missing.failure == "no such package"


def _install(peer):
    if peer.environment == "absent":
        raise subprocess.CalledProcessError(1, "pip", "\x1b[31mno such package\x1b[0m\n")
    return Path()


def _psql(_: Path, url: str, file: Path, table: str) -> list[str]:
    copy = rf"\copy {table} from '{file}' with (format csv, header)"
    return Server(url).psql(f"create table if not exists {table} ({SPOILED})", copy)
