from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from chalicelib.routes import health
from dev.serve import chalice_local
from tests.routes import demo
from tests.routes.server import demo_app


class Api:
    """Requests to a server, by path."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(
        self, method: str, path: str, *, role: str | None = None, **options: object
    ) -> requests.Response:
        headers = {**options.pop("headers", {})}
        if role:
            headers["Authorization"] = f"Bearer {role}-token"
        return requests.request(method, self.url + path, headers=headers, timeout=10, **options)


@pytest.fixture(scope="session")
def api() -> Iterator[Api]:
    """A service of the demo's endpoints and the real public ones."""
    with chalice_local(demo_app((*health.ENDPOINTS, *demo.ENDPOINTS, *demo.BROKEN))) as url:
        yield Api(url)


@pytest.fixture
def origins(monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Two origins that may call the service."""
    allowed = ("https://console.example.com", "http://localhost:3000")
    monkeypatch.setenv("ELT_CORS_ORIGINS", ", ".join(allowed))
    return allowed
