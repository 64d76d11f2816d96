"""CORS for several origins, and what every answer carries."""

from __future__ import annotations

import pytest

from tests.routes.conftest import Api

REQUESTS = {
    "success": ("GET", "/things", "viewer", 200),
    "bad request": ("GET", "/things?limit=x", "viewer", 400),
    "no token": ("GET", "/things", None, 401),
    "bad token": ("GET", "/things", "nobody", 403),
    "unknown path": ("GET", "/nowhere", None, 404),
    "wrong method": ("DELETE", "/things", None, 405),
    "bug": ("GET", "/broken/bug", None, 500),
}
each_request = pytest.mark.parametrize(
    ("method", "path", "role", "status"), REQUESTS.values(), ids=REQUESTS
)


@each_request
def test_a_page_of_each_allowed_origin_may_read_every_answer(
    api: Api, origins: tuple[str, str], method: str, path: str, role: str | None, status: int
) -> None:
    for origin in origins:
        answer = api(method, path, role=role, headers={"Origin": origin})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == origin
        assert answer.headers["Vary"] == "Origin"
        assert "X-Request-Id" in answer.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize(
    "origin",
    [None, "https://evil.example", "null", "https://console.example.com.evil.example", "*", ""],
)
def test_other_origins_may_not(api: Api, origins: tuple[str, str], origin: str | None) -> None:
    answer = api("GET", "/health", headers={} if origin is None else {"Origin": origin})
    assert answer.ok
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert answer.headers["Vary"] == "Origin"


def test_without_the_setting_no_other_origin_may(api: Api) -> None:
    answer = api("GET", "/health", headers={"Origin": "https://console.example.com"})
    assert not {"Access-Control-Allow-Origin", "Vary"} & set(answer.headers)


def test_a_star_lets_any_page_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELT_CORS_ORIGINS", "*")
    answer = api("GET", "/health", headers={"Origin": "https://anything.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_tells_the_methods_and_headers_of_the_path(
    api: Api, origins: tuple[str, str]
) -> None:
    headers = {"Origin": origins[1], "Access-Control-Request-Method": "POST"}
    answer = api("OPTIONS", "/things", headers=headers)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == origins[1]
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST"
    allowed = "Authorization, Content-Type, Idempotency-Key"
    assert answer.headers["Access-Control-Allow-Headers"] == allowed
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_a_preflight_of_a_path_with_parameters_needs_no_token(api: Api) -> None:
    assert api("OPTIONS", "/things/1/stop").headers["Access-Control-Allow-Methods"] == "POST"


@each_request
def test_every_answer_carries_the_security_headers(
    api: Api, method: str, path: str, role: str | None, status: int
) -> None:
    answer = api(method, path, role=role)
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert len(answer.headers["X-Request-Id"]) > 10
    assert "Strict-Transport-Security" not in answer.headers


def test_on_lambda_browsers_are_told_to_stay_with_https(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "elt")
    answer = api("GET", "/health")
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
