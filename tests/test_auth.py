"""Tokens in a real store, on a laptop and on an emulated AWS."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chalicelib import auth
from chalicelib.auth import Identity, make_token, revoke, role_of, tokens
from chalicelib.errors import NotFound, SecretError, UsageError
from chalicelib.secrets import service_store, user_store


@pytest.fixture(autouse=True, params=["file", "aws"])
def store(request, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty store, of each kind."""
    monkeypatch.setenv("ELT_STATE_DIR", str(tmp_path / "state"))
    if request.param == "aws":
        request.getfixturevalue("aws")
        monkeypatch.setenv("ELT_SECRETS", "aws")
    auth.forget()


def elsewhere(change) -> None:
    """Change the tokens as another process does, whose changes this one is not told of."""
    known = auth._known
    change()
    auth._known = known


def test_a_token_tells_who_asks_and_its_role():
    ann, bob = make_token("viewer", "ann"), make_token("admin", "make local")
    assert ann.startswith("elt_")
    assert role_of(ann) == Identity("ann", "viewer")
    assert role_of(bob) == Identity("make local", "admin")
    assert tokens() == [Identity("ann", "viewer"), Identity("make local", "admin")]


def test_without_tokens_nobody_is_known_and_nothing_fails():
    assert role_of("elt_x") is None
    assert tokens() == []


@pytest.mark.parametrize("token", ["", "elt_", "ünï", "\ud800", "x" * 10_000])
def test_another_token_is_nobodys(token):
    made = make_token("admin", "ann")
    assert role_of(token) is None
    assert role_of(made[:-1]) is None
    assert role_of(made + "=") is None


def test_a_hash_does_not_serve_as_a_token():
    make_token("admin", "ann")
    (stored,) = json.loads(service_store().get(auth.STORE) or "")
    assert role_of(stored) is None


def test_the_store_holds_no_token():
    token = make_token("admin", "ann")
    stored = service_store().get(auth.STORE) or ""
    assert token not in stored
    assert token.removeprefix("elt_") not in stored
    assert json.loads(stored).popitem()[1].keys() == {"name", "role", "created"}


def test_a_configuration_cannot_refer_to_tokens():
    make_token("admin", "ann")
    assert user_store().get(auth.STORE) is None


def test_a_new_token_of_a_name_ends_the_old_one():
    old, new = make_token("viewer", "ann"), make_token("admin", "ann")
    assert role_of(old) is None
    assert role_of(new) == Identity("ann", "admin")


def test_a_revoked_token_is_unknown_and_others_stay():
    ann, bob = make_token("viewer", "ann"), make_token("viewer", "bob")
    revoke("ann")
    assert role_of(ann) is None
    assert role_of(bob) == Identity("bob", "viewer")
    with pytest.raises(NotFound, match="'ann'"):
        revoke("ann")


def test_a_token_made_elsewhere_is_known_before_the_hashes_are_old(monkeypatch):
    role_of("elt_x")
    made: list[str] = []
    elsewhere(lambda: made.append(make_token("viewer", "ann")))
    assert role_of(made[0]) is None
    monkeypatch.setattr(auth, "DOUBTFUL", 0.0)
    assert role_of(made[0]) == Identity("ann", "viewer")


def test_a_token_revoked_elsewhere_ends_when_the_hashes_are_old(monkeypatch):
    token = make_token("viewer", "ann")
    role_of(token)
    elsewhere(lambda: revoke("ann"))
    assert role_of(token) == Identity("ann", "viewer")
    monkeypatch.setattr(auth, "FRESH", 0.0)
    assert role_of(token) is None


def test_tokens_made_at_once_are_all_there():
    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(lambda n: make_token("viewer", f"user-{n}"), range(6)))
    assert [role_of(token) for token in made] == [Identity(f"user-{n}", "viewer") for n in range(6)]


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 101])
def test_a_name_can_be_shown_on_a_line(name):
    with pytest.raises(UsageError):
        make_token("viewer", name)


def test_an_unknown_role_names_those_there_are():
    with pytest.raises(UsageError, match="viewer, operator, admin"):
        make_token("root", "ann")


@pytest.mark.parametrize(
    "stored", ["canary", "[1]", '"x"', '{"h": 1}', '{"h": {"name": "canary", "role": "root"}}']
)
def test_damaged_tokens_open_nothing_and_are_not_shown(stored):
    service_store().put(auth.STORE, stored)
    with pytest.raises(SecretError, match="damaged") as caught:
        role_of("elt_x")
    assert "canary" not in f"{caught.value!r} {caught.value}"
    with pytest.raises(SecretError, match="damaged"):
        make_token("viewer", "ann")
    assert service_store().get(auth.STORE) == stored
