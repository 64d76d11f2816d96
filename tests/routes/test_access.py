"""Who may call what: the policy of a token, and what happens without one."""

from __future__ import annotations

import pytest
from chalice.app import AuthRequest

from chalicelib import routes
from tests.routes import demo
from tests.routes.conftest import Api
from tests.routes.server import TOKENS

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/api/GET/things"


def _allowed(token: str) -> list[str]:
    request = AuthRequest("TOKEN", token, ARN)
    policy = routes.authorize(request, demo.ENDPOINTS, TOKENS.get).to_dict(request)
    (statement,) = policy["policyDocument"]["Statement"]
    return [
        resource.removeprefix(ARN.removesuffix("GET/things")) for resource in statement["Resource"]
    ]


def test_the_policy_names_every_endpoint_of_the_role() -> None:
    viewer = ["GET/things", "GET/things/*", "GET/page"]
    assert _allowed("Bearer viewer-token") == viewer
    assert set(_allowed("bearer  operator-token")) == {*viewer, "POST/things", "POST/things/*/stop"}
    assert len(_allowed("Bearer admin-token")) == len(demo.ENDPOINTS)


@pytest.mark.parametrize("token", ["", "Bearer", "Bearer x", "viewer-token", "Basic viewer-token"])
def test_an_unknown_token_may_nothing(token: str) -> None:
    assert _allowed(token) == []


def test_the_policy_carries_the_name_and_the_role() -> None:
    request = AuthRequest("TOKEN", "Bearer viewer-token", ARN)
    answer = routes.authorize(request, demo.ENDPOINTS, TOKENS.get).to_dict(request)
    assert (answer["principalId"], answer["context"]) == ("ann-viewer", {"role": "viewer"})


def test_without_a_token_it_is_401(api: Api) -> None:
    answer = api("GET", "/things")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_with_an_unknown_token_it_is_403(api: Api) -> None:
    for authorization in ("Bearer nobody-token", "Bearer", "", "Basic eDp5", "ä"):
        answer = api("GET", "/things", headers={"Authorization": authorization.encode("latin-1")})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [("POST", "/things", "viewer"), ("POST", "/texts", "operator"), ("POST", "/texts", "viewer")],
)
def test_with_too_low_a_role_it_is_403(api: Api, method: str, path: str, role: str) -> None:
    answer = api(method, path, role=role, json={})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")


def test_a_wildcard_of_the_policy_opens_no_deeper_path(api: Api) -> None:
    """`GET/things/*` of a viewer also matches a path that is for admins."""
    answer = api("GET", "/things/1/owners/ann", role="viewer")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "forbidden")
    assert "The role viewer is not enough" in answer.json()["error"]["message"]


def test_an_unknown_path_is_404_with_and_without_a_token(api: Api) -> None:
    for role in (None, "viewer"):
        answer = api("GET", "/nowhere/at/all", role=role)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "POST"])
def test_a_wrong_method_is_405_and_names_the_right_ones(api: Api, method: str) -> None:
    answer = api(method, "/things/1", role="viewer")
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "GET, OPTIONS"


def test_head_is_405_without_a_body(api: Api) -> None:
    answer = api("HEAD", "/health")
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (
        405,
        b"",
        "GET, OPTIONS",
    )
