from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from chalice.test import Client

from app import app
from chalicelib import __version__, routes

ROOT = Path(__file__).parent.parent


def test_health_tells_the_version() -> None:
    with Client(app) as client:
        answer = client.http.get("/health")
    assert (answer.status_code, answer.json_body) == (200, {"status": "ok", "version": __version__})


def test_importing_the_entry_points_is_cheap() -> None:
    """Heavy libraries are imported where they are used, or every cold start pays for them."""
    heavy = ["pandas", "numpy", "pyarrow", "sqlalchemy", "boto3", "pydantic", "yaml", "requests"]
    code = f"import app, sys; sys.exit(', '.join(n for n in {heavy} if n in sys.modules) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_endpoint_has_its_route_and_its_preflight() -> None:
    declared = {(endpoint.route, endpoint.method) for endpoint in routes.ENDPOINTS}
    preflights = {(endpoint.route, "OPTIONS") for endpoint in routes.ENDPOINTS}
    routed = {(path, method) for path, entries in app.routes.items() for method in entries}
    assert routed == declared | preflights


def test_exactly_what_is_not_public_wants_a_token() -> None:
    for endpoint in routes.ENDPOINTS:
        entry = app.routes[endpoint.route][endpoint.method]
        assert (entry.authorizer is None) == (endpoint.role == "public")
        assert app.routes[endpoint.route]["OPTIONS"].authorizer is None
