"""The README tells the truth: its commands exist, its configuration loads, nothing is left out."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from pydantic import BaseModel

from chalicelib.__main__ import main
from chalicelib.config import (
    ApiIncremental,
    ApiKeyAuth,
    ApiSource,
    AutoPagination,
    BasicAuth,
    BearerAuth,
    Check,
    Column,
    CsvOptions,
    CursorPagination,
    JsonOptions,
    LinkHeaderPagination,
    LocalSource,
    NextUrlPagination,
    OAuth2ClientCredentials,
    OffsetPagination,
    PagePagination,
    RowCount,
    Schema,
    Target,
    Transform,
    json_schema,
    parse_config,
)
from chalicelib.config.literals import move_literals
from chalicelib.config.model.retention import Retention

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_every_make_command_exists() -> None:
    offered = subprocess.run(
        ["make", "--silent", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    named = set(re.findall(r"\bmake ([a-z-]+)", README)) - {"that", "a", "an"}
    assert named >= {"run", "test", "psql", "bench", "clean", "help"}
    assert {name for name in named if f"make {name} " not in offered} <= {"help"}


@pytest.mark.parametrize("text", blocks("yaml"))
def test_a_configuration_in_it_loads(text: str) -> None:
    assert parse_config(text, {}).sources
    jsonschema.validate(yaml.safe_load(text), json_schema())


def test_the_configuration_of_make_run_loads() -> None:
    text = (ROOT / "config.yaml").read_text()
    assert parse_config(text, {"ELT_SAMPLE_API_TOKEN": "x"}).strict
    assert move_literals(text, key=b"") == (text, {})
    jsonschema.validate(yaml.safe_load(text), json_schema())


def test_the_python_in_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").write_text("id\n1\n")
    (tmp_path / "my-config.yaml").write_text(
        "sources: [{type: local, path: data}]\ntarget: {table: t}\n"
    )
    monkeypatch.chdir(tmp_path)
    (code,) = blocks("python")
    names: dict[str, object] = {}
    exec(code, names)  # noqa: S102 - it is ours
    assert len(names["frame"]) == 1  # type: ignore[arg-type]


@pytest.mark.parametrize("command", re.findall(r"`python -m chalicelib (\w+)", README))
def test_every_terminal_command_exists(command: str) -> None:
    with pytest.raises(SystemExit) as done:
        main([command, "--help"])
    assert done.value.code == 0


@pytest.mark.parametrize(
    "model",
    [
        LocalSource,
        CsvOptions,
        JsonOptions,
        Target,
        Schema,
        Column,
        Retention,
        ApiSource,
        ApiIncremental,
        BearerAuth,
        BasicAuth,
        ApiKeyAuth,
        OAuth2ClientCredentials,
        AutoPagination,
        PagePagination,
        OffsetPagination,
        CursorPagination,
        LinkHeaderPagination,
        NextUrlPagination,
        Transform,
        Check,
        RowCount,
    ],
)
def test_every_key_of_the_configuration_is_explained(model: type[BaseModel]) -> None:
    keys = {field.alias or name for name, field in model.model_fields.items()}
    assert {key for key in keys if f"`{key}`" not in README and f"`{key}:" not in README} == set()


def test_every_setting_is_explained() -> None:
    settings = set(re.findall(r'"(ELT_\w+)"', (ROOT / "chalicelib" / "settings.py").read_text()))
    assert {name for name in settings if f"`{name}`" not in README} == set()


def test_the_picture_of_the_architecture_matches_the_folders() -> None:
    picture = next(block for block in blocks("text") if "chalicelib/" in block)
    folder = ROOT / "chalicelib"
    parts = [path for path in folder.iterdir() if path.name not in ("__pycache__", "__init__.py")]
    named = {path.name + "/" * path.is_dir() for path in parts}
    assert {name for name in named if name not in picture} == set()
    shown = set(re.findall(r"(\w+\.py|\w+/)\s", picture)) - {"app.py", "chalicelib/"}
    assert {name for name in shown if not ((folder / name).exists() or (ROOT / name).exists())} == (
        set()
    )
