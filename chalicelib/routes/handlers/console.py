"""The console's page and files, and whose token asks."""

from __future__ import annotations

import hashlib
from html import escape
from pathlib import Path

from chalicelib.errors import NotFound
from chalicelib.routes.endpoint import Access
from chalicelib.routes.handler import Call, Model, Raw

FOLDER = Path(__file__).parents[2] / "web"
PAGE = "index.html"
TYPES = {".css": "text/css", ".js": "text/javascript", ".yaml": "text/x-yaml"}
"""Not YAML's registered name: Chalice takes the types that bodies may have for bytes."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""Nothing from elsewhere, no inline script or style, and no HTML made of texts."""

FOR_EVER = "public, max-age=31536000, immutable"


class Me(Model):
    """The name of the token, and what it may do."""

    name: str
    role: Access


def whoami(call: Call[None, None]) -> Me:
    """As the authorizer has it."""
    return Me(name=call.actor, role=call.role)


def console_page(call: Call[None, None]) -> Raw:
    """The page. Its URLs are relative to a base with the gateway's stage and a slash at the end.

    So `/api` and `/api/` show the same, which relative URLs alone would not.
    """
    files, base = _files(), escape(f"{call.base}/")
    text = files[PAGE].replace("{base}", base).replace("{edition}", _edition(files))
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return Raw("text/html; charset=utf-8", text, headers)


def console_file(call: Call[None, None]) -> Raw:
    """A file of this edition: its URL changes with the content, so a browser asks for it once.

    Modules name each other by relative URLs and so stay within their edition. Raises NotFound.
    """
    files, name = _files(), call.path["name"]
    kind = TYPES.get(Path(name).suffix)
    if call.path["edition"] != _edition(files) or kind is None or name not in files:
        raise NotFound(f"the console has no file {name} now", fix="Load the page again.")
    return Raw(f"{kind}; charset=utf-8", files[name], {"Cache-Control": FOR_EVER})


def _edition(files: dict[str, str]) -> str:
    """A name for all of the console's files as they are."""
    everything = "\0".join(f"{name}\0{text}" for name, text in sorted(files.items()))
    return hashlib.sha256(everything.encode()).hexdigest()[:12]


def _files() -> dict[str, str]:
    """By name; a hundred kilobytes, read anew so that a developer sees what was changed."""
    return {path.name: path.read_text("utf-8") for path in FOLDER.iterdir() if path.is_file()}
