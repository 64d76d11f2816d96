"""The service as a frontend calls it."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import pytest
import requests

from chalicelib import auth

CONFIG = """
sources: [{type: local, path: data}]
target: {table: orders}
schema:
  strict_mode: true
  on_invalid: quarantine
  columns: {id: integer, name: text}
"""
ENDED = ("succeeded", "failed", "cancelled", "interrupted")


def fetched(answer: Any) -> list[dict[str, str]]:
    """The rows of the CSV that the answer leads to."""
    return list(csv.DictReader(io.StringIO(requests.get(answer["url"], timeout=10).text)))


class Service:
    """The API as a frontend calls it, with the token of one role."""

    def __init__(self, url: str, role: str) -> None:
        self.url = url
        self.token = auth.make_token(role, role)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.token}"

    def get(self, path: str) -> Any:
        return self.session.get(self.url + path, timeout=20).json()

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(self.url + path, timeout=20, **options)

    def upload(self, text: str = CONFIG) -> requests.Response:
        return self.post(
            "/upload-config", data=text.encode(), headers={"Content-Type": "text/yaml"}
        )

    def watch(self, run_id: str) -> Any:
        for _ in range(300):
            run = self.get(f"/runs/{run_id}")
            if run["state"] in ENDED:
                return run
            time.sleep(0.05)
        pytest.fail(f"{run_id} does not end: {run}")
