"""The console's page and files, wherever the service is reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from chalice.test import Client

from app import app
from chalicelib.config import parse_config
from chalicelib.routes.handlers.console import FOLDER
from tests.gateway import get

FILES = sorted(path.name for path in FOLDER.iterdir())


def page(path: str = "/", stage: str = "") -> str:
    return str(get(path, stage)["body"])


def addresses(html: str) -> list[str]:
    return re.findall(r'(?:href|src)="(web/[^"]+)"', html)


def test_the_page_comes_with_a_policy_that_lets_nothing_else_in() -> None:
    answer = get("/")
    headers = answer["headers"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert not re.search(r"<script>|<style|\sstyle=|\son\w+=", answer["body"])


@pytest.mark.parametrize(
    ("path", "stage", "base"),
    [("/", "", "/"), ("/api", "/api", "/api/"), ("/api/", "/api", "/api/")],
)
def test_its_base_holds_the_stage_with_and_without_a_slash(
    path: str, stage: str, base: str
) -> None:
    assert f'<base href="{base}">' in page(path, stage)


def test_a_hostile_path_stays_out_of_the_markup() -> None:
    html = page('/a"><script>', '/a"><script>')
    assert "<script>" not in html
    assert "a&quot;&gt;&lt;script&gt;/" in html


def test_the_page_itself_names_one_style_sheet_and_one_module() -> None:
    html = page()
    assert [Path(address).suffix for address in addresses(html)] == [".css", ".js"]


def test_what_the_first_paint_needs_leads_to_nothing_else() -> None:
    """Its style sheet and its module are in the page; what they named would be asked for next."""
    assert not re.search(r"@import|url\(", (FOLDER / "console.css").read_text())
    assert not re.search(r"^import\b", (FOLDER / "console.js").read_text(), re.M)


def test_files_are_kept_for_ever_under_a_name_that_changes_with_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (first, _) = addresses(page())
    answer = get(f"/{first}")
    assert answer["headers"]["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in answer["headers"]["Cache-Control"]
    assert get("/")["headers"]["Cache-Control"] == "no-cache"
    for name in FILES:
        (tmp_path / name).write_text((FOLDER / name).read_text() + " ")
    monkeypatch.setattr("chalicelib.routes.handlers.console.FOLDER", tmp_path)
    assert addresses(page())[0] != first
    assert get(f"/{first}")["statusCode"] == 404


def test_each_file_is_served_as_what_it_is() -> None:
    edition = addresses(page())[0].split("/")[1]
    kinds = {".css": "text/css", ".js": "text/javascript", ".yaml": "text/x-yaml"}
    for name in FILES:
        if suffix := Path(name).suffix.replace(".html", ""):
            answer = get(f"/web/{edition}/{name}")
            assert answer["statusCode"] == 200
            assert answer["body"] == (FOLDER / name).read_text()
            assert answer["headers"]["Content-Type"] == f"{kinds[suffix]}; charset=utf-8"


@pytest.mark.parametrize("name", ["none.js", "index.html", "..%2f..%2fapp.py", "%2fetc%2fpasswd"])
def test_nothing_but_the_console_s_files_is_served(name: str) -> None:
    edition = addresses(page())[0].split("/")[1]
    assert get(f"/web/{edition}/{name}")["statusCode"] in (400, 404)


def test_every_import_names_a_file_that_is_there() -> None:
    for name in FILES:
        for found in re.findall(r'["\']\./([\w.-]+)["\']', (FOLDER / name).read_text()):
            assert found in FILES, f"{name} imports {found}"


def test_imports_among_the_modules_make_no_circle() -> None:
    imports = {
        name: set(re.findall(r'^import .* from "\./([\w.-]+)"', (FOLDER / name).read_text(), re.M))
        for name in FILES
    }
    while leaves := {name for name, others in imports.items() if not others & imports.keys()}:
        imports = {name: others for name, others in imports.items() if name not in leaves}
    assert imports == {}


def test_the_whole_console_is_smaller_than_120_kilobytes() -> None:
    assert sum((FOLDER / name).stat().st_size for name in FILES) < 120_000


@pytest.mark.parametrize("template", sorted(FOLDER.glob("template-*.yaml")), ids=lambda p: p.stem)
def test_a_template_has_no_mistakes(template: Path) -> None:
    config = parse_config(template.read_text(), {}, secrets=lambda _kind, _name: "x")
    assert config.warnings == []


def test_packaging_takes_the_console_along() -> None:
    """Chalice packs all of chalicelib; the page is read from the folder beside its handler."""
    assert FOLDER.parent.name == "chalicelib"
    with Client(app) as client:
        assert client.http.get("/").status_code == 200
