"""Both stores keep the same promises; each also has faults of its own."""

from __future__ import annotations

import json
import logging
import socket
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import pytest

from chalicelib import secrets
from chalicelib.errors import SecretError, UsageError
from chalicelib.secrets import SecretStore, lookup, naming_key, service_store, user_store
from chalicelib.secrets.aws import AwsSecrets
from chalicelib.secrets.files import FileSecrets

CANARY = "c4nary-P@ss/wörd-\u2028-0123456789"
HOSTILE = [
    "../service/tokens",
    "/service/tokens",
    "a/../../service/tokens",
    "a//b",
    "a/",
    ".",
    "..",
    "",
    "a b",
    "a\n",
    "a\x00",
    "ä",
    "*",
    "arn:aws:secretsmanager:eu-central-1:123456789012:secret:elt/local/service/tokens",
    "x" * 201,
    "/".join("x" * 11),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where FileSecrets keeps its files; not made yet."""
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.delenv("ELT_SECRETS", raising=False)
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    return tmp_path / "state" / "secrets"


@pytest.fixture
def on_aws(aws: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ELT_SECRETS", "aws")
    return aws


@pytest.fixture(params=["folder", "on_aws"])
def store(request: pytest.FixtureRequest) -> SecretStore:
    request.getfixturevalue(request.param)
    return user_store()


def refusal(act) -> str:
    """All that an error tells to anybody."""
    with pytest.raises(SecretError) as caught:
        act()
    error = caught.value
    assert error.fix
    assert error.__cause__ is None
    return f"{error} {error!r} {error.args}"


def test_a_value_comes_back_as_it_was(store):
    store.put("warehouse/loader", CANARY)
    assert store.get("warehouse/loader") == CANARY
    assert store.get("warehouse") is None


def test_a_new_value_takes_the_place_of_the_old_one(store):
    for value in ("one", "two", "two", "three"):
        store.put("a", value)
        assert store.get("a") == value


def test_names_are_sorted_and_those_of_the_service_are_not_among_them(store):
    assert store.names() == []
    for name in ("b", "a/b", "config/orders/token-1.2_3"):
        store.put(name, "x")
    service_store().put("tokens", "x")
    assert store.names() == ["a/b", "b", "config/orders/token-1.2_3"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_leads_out_of_the_store(store, name):
    service_store().put("tokens", CANARY)
    for act in (store.get, lookup_secret, lookup_parameter):
        with pytest.raises(UsageError, match="cannot be the name of a secret"):
            act(name)
    with pytest.raises(UsageError):
        store.put(name, "x")
    assert service_store().get("tokens") == CANARY


def lookup_secret(name):
    return lookup("secret", name)


def lookup_parameter(name):
    return lookup("ssm", name)


def test_a_refused_name_is_not_repeated(store):
    with pytest.raises(UsageError) as caught:
        store.get(CANARY)
    assert CANARY not in f"{caught.value!r}"


def test_update_sees_what_is_there(store):
    assert store.update("a", lambda old: f"{old}+") == "None+"
    assert store.update("a", lambda old: f"{old}+") == "None++"
    assert store.get("a") == "None++"


def test_writers_in_threads_lose_nothing(store):
    def add(number: int) -> None:
        store.update("list", lambda old: json.dumps([*json.loads(old or "[]"), number]))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(add, range(12)))
    assert sorted(json.loads(store.get("list"))) == list(range(12))


def test_writers_in_processes_lose_nothing(folder):
    code = """if True:
        import sys
        from chalicelib.secrets import user_store
        for number in range(40):
            user_store().put(f"{sys.argv[1]}-{number}", "x" * 1000)
    """
    writers = [subprocess.Popen([sys.executable, "-c", code, name]) for name in "abc"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert len(user_store().names()) == 120


def test_the_file_is_its_owners_alone(folder):
    user_store().put("a", CANARY)
    assert stat.S_IMODE((folder / "user.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [path.name for path in folder.iterdir()] == ["user.json"]


@pytest.mark.parametrize(("path", "mode"), [("user.json", 0o640), (".", 0o755)])
def test_wider_rights_are_refused_with_the_command_that_takes_them_away(folder, path, mode):
    user_store().put("a", CANARY)
    (folder / path).chmod(mode)
    said = refusal(lambda: user_store().put("a", CANARY))
    assert f"chmod {'600' if path == 'user.json' else '700'} {folder / path}" in said
    assert CANARY not in said


@pytest.mark.parametrize("content", [b"canary", b"\xff canary", b'["canary"]', b'{"canary": 1}'])
def test_a_damaged_file_is_refused_and_not_overwritten(folder, content):
    user_store().put("a", "x")
    (folder / "user.json").write_bytes(content)
    for act in (lambda: user_store().get("a"), lambda: user_store().put("a", "x")):
        said = refusal(act)
        assert "damaged" in said
        assert "canary" not in said
    assert (folder / "user.json").read_bytes() == content


def test_what_a_killed_writer_left_is_in_nobodys_way(folder):
    user_store().put("a", "x")
    (folder / "user.tmp").write_text("half")
    user_store().put("b", "x")
    assert user_store().names() == ["a", "b"]


def test_a_change_that_fails_leaves_everything(store):
    store.put("a", "x")
    with pytest.raises(ZeroDivisionError):
        store.update("a", lambda _: str(1 // 0))
    assert store.get("a") == "x"
    store.put("a", "y")


def test_a_folder_that_cannot_be_made_is_said(folder):
    folder.parent.write_text("a file stands here")
    assert "ELT_STATE_DIR" in refusal(lambda: user_store().put("a", CANARY))


def test_the_store_is_chosen_by_the_environment(folder, monkeypatch):
    monkeypatch.setenv("ELT_STAGE", "prod")
    assert user_store() == FileSecrets(folder / "user.json")
    assert service_store() == FileSecrets(folder / "service.json")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "api")
    assert user_store() == AwsSecrets("elt/prod/user/")
    assert service_store() == AwsSecrets("elt/prod/service/")
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME")
    monkeypatch.setenv("ELT_SECRETS", "aws")
    assert user_store() == AwsSecrets("elt/prod/user/")


def test_the_service_and_stages_do_not_meet(on_aws, monkeypatch):
    user_store().put("a", "user")
    service_store().put("a", "service")
    monkeypatch.setenv("ELT_STAGE", "local2")
    assert user_store().get("a") is None
    assert user_store().names() == []
    names = [secret["Name"] for secret in manager().list_secrets()["SecretList"]]
    assert sorted(names) == ["elt/local/service/a", "elt/local/user/a"]


def manager():
    return boto3.client("secretsmanager")


def test_a_secret_made_in_the_console_is_found(on_aws):
    manager().create_secret(Name="elt/local/user/by-hand", SecretString=CANARY)
    assert lookup("secret", "by-hand") == CANARY


def test_a_binary_secret_is_refused(on_aws):
    manager().create_secret(Name="elt/local/user/a", SecretBinary=b"canary")
    said = refusal(lambda: user_store().get("a"))
    assert "elt/local/user/a: it is binary" in said
    assert "canary" not in said


def test_a_secret_marked_for_deletion_is_said(on_aws):
    user_store().put("a", CANARY)
    manager().delete_secret(SecretId="elt/local/user/a")
    for act in (lambda: user_store().get("a"), lambda: user_store().put("a", CANARY)):
        said = refusal(act)
        assert "marked for deletion" in said
        assert CANARY not in said


@pytest.mark.parametrize("value", ["", CANARY * 3000])
def test_a_value_that_aws_would_refuse_is_refused(on_aws, value):
    said = refusal(lambda: user_store().put("a", value))
    assert "65,536 bytes" in said
    assert CANARY not in said


def test_a_writer_that_always_comes_second_gives_up(on_aws, monkeypatch):
    monkeypatch.setattr(secrets.aws, "PAUSE", 0)
    monkeypatch.setattr(secrets.aws, "ATTEMPTS", 2)
    store = user_store()
    store.put("a", "0")

    def outrun(old: str | None) -> str:
        AwsSecrets("elt/local/user/").update("a", lambda now: f"{now}1")
        return CANARY

    said = refusal(lambda: store.update("a", outrun))
    assert "others keep changing it" in said
    assert CANARY not in said
    assert store.get("a") == "011"


def test_parameters_come_from_their_own_path(on_aws):
    for name in ("/elt/local/user/db/host", "/elt/local/service/x"):
        boto3.client("ssm").put_parameter(Name=name, Value=CANARY, Type="SecureString")
    assert lookup("ssm", "db/host") == CANARY
    assert lookup("ssm", "x") is None


def test_an_aws_out_of_reach_is_said_and_nothing_of_the_value(on_aws, monkeypatch, caplog):
    with socket.socket() as bound:  # nobody listens on it
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{bound.getsockname()[1]}")
        with caplog.at_level(logging.INFO):
            for act in (
                lambda: user_store().put("a", CANARY),
                lambda: user_store().names(),
                lambda: lookup("ssm", "a"),
            ):
                said = refusal(act)
                assert "cannot be reached" in said
                assert CANARY not in said + caplog.text


def test_missing_credentials_are_said(on_aws, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in refusal(lambda: user_store().put("a", CANARY))


def test_the_naming_key_is_made_once(store):
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: naming_key(), range(4)))
    (key,) = keys
    assert len(key) == 64
    assert store.names() == []


def test_stores_show_nothing(store):
    store.put("a", CANARY)
    assert CANARY not in repr(store)


def test_boto3_is_not_imported_without_need(folder):
    code = (
        "import sys; from chalicelib.secrets import lookup; lookup('secret', 'a');"
        "sys.exit('boto3' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
