"""The target database is reached as configured, and its errors say what to do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, text
from sqlalchemy.engine import make_url

from chalicelib import database as db
from chalicelib.config.model.target import Target
from chalicelib.database.connection import encryption, open_connection, refuse_old
from chalicelib.errors import TargetError


@pytest.fixture
def target(database: str) -> Target:
    url = make_url(database)
    return Target(host=url.query["host"], database=url.database, table="orders")


@pytest.fixture
def engine(target) -> Engine:
    return db.connect(target)


def failure(engine: Engine, sql: str = "select 1") -> TargetError:
    with pytest.raises(TargetError) as caught:
        db.run(engine, "asking", lambda connection: connection.execute(text(sql)))
    return caught.value


def test_a_unix_socket_of_the_configuration_is_used(engine, target):
    with db.transaction(engine) as connection:
        name = connection.execute(text("select current_database()")).scalar_one()
    assert name == target.database


def test_without_a_host_the_environment_says_where(database, monkeypatch):
    monkeypatch.setenv("ELT_TARGET_URL", database)
    with db.transaction(db.connect(Target(table="orders"))) as connection:
        name = connection.execute(text("select current_database()")).scalar_one()
    assert name == make_url(database).database


def test_without_host_and_environment_the_error_says_make_run(monkeypatch):
    monkeypatch.delenv("ELT_TARGET_URL", raising=False)
    with pytest.raises(TargetError, match=r"target\.host.*`make run`"):
        db.connect(Target(table="orders"))


@pytest.mark.parametrize(
    "url",
    ["mysql://u:hush@h/d", "hush", "postgresql://u:hush@/d", "postgresql://u:hush@h/d?sslmode=x"],
)
def test_a_url_that_is_no_address_is_refused_without_being_shown(url, monkeypatch):
    monkeypatch.setenv("ELT_TARGET_URL", url)
    with pytest.raises(TargetError, match="ELT_TARGET_URL") as caught:
        db.connect(Target(table="orders"))
    assert "hush" not in str(caught.value)


def test_every_transaction_begins_with_the_same_settings(engine):
    with db.transaction(engine) as connection:
        connection.execute(text("alter role postgres set timezone to 'Asia/Tokyo'"))
    try:
        with db.transaction(engine) as connection:
            shown = [
                connection.execute(text(f"show {name}")).scalar_one()
                for name in ("timezone", "lock_timeout", "transaction_isolation")
            ]
    finally:
        with db.transaction(engine) as connection:
            connection.execute(text("alter role postgres reset timezone"))
    assert shown == ["UTC", "10s", "read committed"]


def test_a_transaction_that_fails_leaves_nothing_and_no_connection(engine):
    with suppress(KeyError), db.transaction(engine) as connection:
        connection.execute(text("create table left_over ()"))
        raise KeyError
    with db.transaction(engine) as connection:
        assert connection.execute(text("select to_regclass('left_over')")).scalar_one() is None


@pytest.mark.parametrize(
    ("version", "supported"),
    [("13.1", True), ("18beta1", True), ("15.4 (Debian)", True), ("12.9", False), ("8.0", False)],
)
def test_servers_that_are_too_old_are_refused(version, supported):
    if supported:
        refuse_old(version)
    else:
        with pytest.raises(TargetError, match="PostgreSQL 13 or newer"):
            refuse_old(version)


def test_an_identifier_is_quoted_whatever_it_holds():
    assert db.quote('a"b') == '"a""b"'
    assert db.quote_table("my schema.Ta.ble") == '"my schema"."Ta.ble"'


@pytest.mark.parametrize("name", ["", "ü" * 32, "a\x00b"])
def test_an_identifier_that_postgresql_cannot_keep_is_refused(name):
    with pytest.raises(TargetError, match="cannot be the name"):
        db.quote(name)


def test_a_port_where_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(db.connect(Target(host="127.0.0.1", port=port, table="orders")))
    assert f"127.0.0.1:{port}" in error.what
    assert "Start PostgreSQL" in error.fix


def test_a_host_that_does_not_exist():
    error = failure(db.connect(Target(host="nowhere.invalid", table="orders")))
    assert "target.host" in error.fix


def test_a_folder_without_a_socket(tmp_path):
    error = failure(db.connect(Target(host=str(tmp_path), table="orders")))
    assert "make run" in error.fix


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A port; what answers there is up to the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_server_that_never_answers_is_given_up(listener, monkeypatch):
    monkeypatch.setenv("ELT_DATABASE_TIMEOUT", "0.2")
    port = listener.getsockname()[1]
    error = failure(db.connect(Target(host="127.0.0.1", port=port, table="orders")))
    assert "ELT_DATABASE_TIMEOUT" in error.fix


def test_a_connection_reset_before_it_is_made_is_a_server_that_refuses(monkeypatch):
    """Which of the two it is depends on a moment that no test can choose."""

    def reset(*_):
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr(socket, "create_connection", reset)
    target = Target(host="127.0.0.1", port=5432, table="orders")
    with pytest.raises(ConnectionRefusedError) as refused:
        open_connection(target)
    assert refused.value.__notes__ == ["127.0.0.1:5432"]


def test_a_server_without_tls_is_not_spoken_to_in_the_clear(listener):
    received = []

    def refuse() -> None:
        client, _ = listener.accept()
        with client:
            received.append(client.recv(100))
            client.sendall(b"N")
            received.append(client.recv(100))

    server = threading.Thread(target=refuse, daemon=True)
    server.start()
    target = Target(
        host="127.0.0.1",
        port=listener.getsockname()[1],
        sslmode="require",
        password="hush",
        table="orders",
    )
    error = failure(db.connect(target))
    assert "sslmode: disable" in error.fix
    server.join(10)
    assert received[1] == b""


@pytest.mark.parametrize(
    ("host", "sslmode", "encrypted"),
    [
        ("db.internal", None, True),
        ("10.0.0.1", None, True),
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("/run/postgresql", None, False),
        ("db.internal", "disable", False),
        ("localhost", "require", True),
    ],
)
def test_encryption_is_the_default_over_a_network(host, sslmode, encrypted):
    assert encryption(host, sslmode) is encrypted


def test_verify_full_checks_the_certificate_and_the_name():
    context = encryption("db.internal", "verify-full")
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """The certificate of an authority that no system knows."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return file


def test_a_file_of_authorities_is_trusted_in_place_of_the_systems(authority):
    context = encryption("db.internal", "verify-full", str(authority))
    assert len(context.get_ca_certs()) == 1
    assert context.check_hostname


def test_a_file_of_authorities_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.pem").write_text("canary")
    for name in ("missing.pem", "a.pem"):
        with pytest.raises(TargetError, match=rf"sslrootcert .*{name}.*in PEM") as refusal:
            encryption("db.internal", "verify-full", str(tmp_path / name))
        assert "canary" not in str(refusal.value)


def test_a_database_that_is_missing(target):
    error = failure(db.connect(target.model_copy(update={"database": "nowhere"})))
    assert 'database "nowhere" does not exist' in error.what
    assert "Create the database" in error.fix


@pytest.fixture
def guarded(engine, target) -> Iterator[Target]:
    """A role that has to prove itself by password."""
    with db.transaction(engine) as connection:
        connection.execute(text("drop role if exists guarded"))
        connection.execute(text("create role guarded login password 'right'"))
        rules = Path(connection.execute(text("show hba_file")).scalar_one())
    before = rules.read_text()
    rules.write_text(f"local all guarded scram-sha-256\n{before}")
    _reload(engine)
    yield target.model_copy(update={"user": "guarded"})
    rules.write_text(before)
    _reload(engine)


def _reload(engine: Engine) -> None:
    with db.transaction(engine) as connection:
        connection.execute(text("select pg_reload_conf(), pg_sleep(0.1)"))


def with_password(target: Target, password: str) -> Target:
    return Target.model_validate({**target.model_dump(exclude={"password"}), "password": password})


def test_the_right_password_opens(guarded):
    with db.transaction(db.connect(with_password(guarded, "right"))) as connection:
        assert connection.execute(text("select current_user")).scalar_one() == "guarded"


def test_a_wrong_password_is_said_but_not_shown(guarded):
    error = failure(db.connect(with_password(guarded, "hush-hush")))
    assert "target.password" in error.fix
    assert "hush-hush" not in f"{error} {error.__cause__!r}"


def test_a_missing_password_is_said(guarded):
    assert "target.password" in failure(db.connect(guarded)).fix


def test_a_right_that_is_missing_is_said(guarded):
    error = failure(db.connect(with_password(guarded, "right")), "create table public.t ()")
    assert "42501" in error.what
    assert error.fix.startswith("Grant")


def test_detail_and_hint_of_the_server_are_told(engine):
    error = failure(
        engine,
        "do $$ begin raise exception 'no room' using detail = 'the why', hint = 'the how'; end $$",
    )
    assert error.where == "asking"
    assert error.what.startswith("PostgreSQL says: no room (the why; the how; PL/pgSQL function")
    assert error.what.endswith("[SQLSTATE P0001]")


@pytest.mark.parametrize(
    ("sql", "state", "fix"),
    [
        ("insert into t values (1, 1), (1, 1)", "23505", "has such a row already"),
        ("insert into t values (1, -1)", "23514", "table's constraint"),
        ("insert into t values (1, null)", "23502", "takes no NULL"),
        ("insert into t values (5000000000, 1)", "22003", "too large"),
        ("insert into t values ('x', 1)", "22P02", "declare the column's type"),
        ("select * from nowhere", "42P01", "target.table"),
    ],
)
def test_common_mistakes_have_a_fix(sql, state, fix, engine):
    with db.transaction(engine) as connection:
        connection.execute(text("create table t (id integer unique, n int not null check (n > 0))"))
    error = failure(engine, sql)
    assert error.what.endswith(f"[SQLSTATE {state}]")
    assert fix in error.fix


def test_a_mistake_of_our_own_is_not_called_the_databases(engine):
    with pytest.raises(ZeroDivisionError):
        db.run(engine, "asking", lambda _: 1 // 0)
