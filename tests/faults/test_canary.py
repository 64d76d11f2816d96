"""Secrets are looked for in all that anybody can read: answers, logs, tables, files, terminal."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests

from chalicelib import auth
from dev.background import served
from dev.postgres import PORT, program
from tests.faults.harness import run, wait_until, work

CANARY = "c4nary"
PASSWORD, TOKEN, HEADER = f"{CANARY}-pass-w0rd", f"{CANARY}-t0ken-x", f"{CANARY}-h3ader-x"


@pytest.fixture
def echo() -> Iterator[str]:
    """An API that refuses everybody, and repeats what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            said = f"who is {self.headers['Authorization']} {self.headers['X-Key']}?".encode()
            self.send_response(401)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    with served(HTTPServer(("127.0.0.1", 0), Handler)) as url:
        yield f"{url}/orders"


def text(shop, server, url, password, token, header):
    """A configuration with three secrets: of the database, of the API, in a header."""
    api = {"type": "api", "url": url, "auth": {"type": "bearer", "token": token},
           "headers": {"X-Key": header}}  # fmt: skip
    target = {**shop.target, "password": password}
    return json.dumps({"sources": [shop.source, api], "target": target, "schema": shop.schema})


def dumped(shop, server):
    """Everything in the database, as text."""
    command = [program("pg_dump"), "-h", server.folder, "-p", PORT, "-U", "postgres", shop.database]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def files(shop):
    """Everything below the folder but the store of secrets itself."""
    paths = (path for path in shop.folder.rglob("*") if path.is_file())
    kept = [path for path in paths if "secrets" not in path.parts]
    return "".join(path.read_text(errors="replace") for path in kept)


def test_a_run_of_the_service_shows_no_secret(  # noqa: PLR0917
    shop, server, loader, service, service_url, echo, caplog
):
    shop.deliver("a.csv", 2_000)
    given = text(shop, server, echo, PASSWORD, TOKEN, HEADER)
    with server.admin() as admin:
        admin.run(f"alter role {loader} password '{PASSWORD}'")
    shop.target = {"table": "orders"}
    history = service()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {auth.make_token('admin', 'ann')}"

    def post(path, body):
        kind = {"Content-Type": "text/yaml"}
        return session.post(service_url + path, data=body.encode(), headers=kind, timeout=20).text

    def get(path):
        return session.get(service_url + path, timeout=20).text

    def preview():
        asked = json.loads(post("/previews", given))["preview_id"]
        wait_until(lambda: json.loads(get(f"/previews/{asked}"))["state"] != "queued")
        return get(f"/previews/{asked}")

    said = [post("/upload-config", given)]
    assert "moved_secrets" in said[0]
    queued = history.trigger()
    said.append(work(queued).ended().said)
    assert history.state(queued) == "failed"
    said += [
        post("/validate-config", given.replace('"bearer"', '"bearr"')),
        post("/validate-config", given.replace('"table"', '"tabel"')),
        post("/previews", given),
        preview(),
        *(get(path) for path in (
            "/configs", "/configs/1", "/configs/2", "/configs/1/diff/2", "/runs", f"/runs/{queued}",
            f"/runs/{queued}/rejects", f"/runs/{queued}/rejects/kinds", f"/runs/{queued}/output",
            f"/runs/{queued}/rejects/csv", "/rejects", "/me", "/openapi.json", "/config-schema",
            "/schedule-job",
        )),
        caplog.text,
    ]  # fmt: skip
    assert "who is Bearer ***" in "".join(said)
    for output in (*said, dumped(shop, server), files(shop)):
        assert CANARY not in output


def test_a_run_from_a_terminal_shows_no_secret(shop, server, loader, echo, monkeypatch):
    shop.deliver("a.csv", 2_000)
    names = {"ELT_PASS": PASSWORD, "ELT_TOKEN": TOKEN, "ELT_HEADER": HEADER}
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    config = shop.folder / "config.yaml"
    references = [f"${{env:{name}}}" for name in names]
    for password in (references[0], "${secret:warehouse}"):
        config.write_text(text(shop, server, echo, password, *references[1:]))
        child = run(config).ended()
        assert child.process.returncode == 1
        assert CANARY not in child.said + child.answer + files(shop)
