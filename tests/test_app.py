from __future__ import annotations

import subprocess
import sys

from chalice.test import Client

from app import app
from chalicelib import __version__


def test_health_tells_the_version() -> None:
    with Client(app) as client:
        answer = client.http.get("/health")
    assert (answer.status_code, answer.json_body) == (200, {"status": "ok", "version": __version__})


def test_importing_the_entry_points_is_cheap() -> None:
    """Heavy libraries are imported where they are used, or every cold start pays for them."""
    heavy = ["pandas", "numpy", "pyarrow", "sqlalchemy", "boto3", "pydantic"]
    code = f"import app, sys; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
