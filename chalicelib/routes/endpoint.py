"""What an endpoint is: one declaration that its route, rights, CORS and description come from.

It stays light: a cold start imports all declarations, and a handler only when it is called.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

Access = Literal["public", "viewer", "operator", "admin"]
ACCESS: tuple[Access, ...] = ("public", "viewer", "operator", "admin")
"""From the least to the most; each role may do what those before it may."""

JSON = "application/json"
FORM = "multipart/form-data"
TEXT_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/plain")
"""What a body may be called that is one text; the first is the registered name of YAML."""

_PARAMETER = re.compile(r"\{(\w+)(?::(\w+))?\}")


class ParameterKind(NamedTuple):
    """What a part of the path may be: the text as it is written, what it means, its JSON Schema."""

    pattern: str
    convert: type
    expected: str
    schema: dict[str, Any]


_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
KINDS = {
    "int": ParameterKind(
        pattern=r"[1-9][0-9]{0,17}",
        convert=int,
        expected="a whole number from 1",
        schema={"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
    ),
    "name": ParameterKind(
        pattern=_NAME,
        convert=str,
        expected="a name of letters, digits, dots, dashes and underscores",
        schema={"type": "string", "pattern": f"^{_NAME}$"},
    ),
}
"""`{version:int}` and `{run_id}`, which is short for `{run_id:name}`."""


class Header(NamedTuple):
    """A request header that an endpoint understands: 1 to 255 visible ASCII characters."""

    name: str
    summary: str


class Endpoint(NamedTuple):
    """A method and a path, who may call it, and the function that answers.

    `handler` is `module:function`, imported at the first call. Its annotations are part of the
    declaration: `def handler(call: Call[Query, Body]) -> Answer`, with pydantic models, or None
    where there is no query or no body. `text_field` lets the body also be that one field as text
    (TEXT_TYPES), or a form with it as a file. `limit` is in bytes of the body. `errors` are codes
    of `answers.ERRORS`, besides those that any endpoint may answer. `produces` matters when the
    handler returns Raw. `text_limit` is in bytes of the text alone: JSON may write a byte as six.
    """

    method: Literal["GET", "POST"]
    path: str
    handler: str
    role: Access
    summary: str
    status: int = 200
    errors: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    text_field: str | None = None
    text_limit: int = 1 << 20
    limit: int = 1 << 16
    produces: tuple[str, ...] = (JSON,)

    @property
    def name(self) -> str:
        """The handler's name, which is the operation's name in the description."""
        return self.handler.partition(":")[2]

    @property
    def route(self) -> str:
        """The path as Chalice and OpenAPI write it: `/configs/{version}`."""
        return _PARAMETER.sub(r"{\1}", self.path)

    @property
    def wildcard(self) -> str:
        """The path as a policy writes it: `/configs/*`."""
        return _PARAMETER.sub("*", self.path)

    @property
    def parameters(self) -> dict[str, ParameterKind]:
        """The parameters of the path, in their order."""
        return {name: KINDS[kind or "name"] for name, kind in _PARAMETER.findall(self.path)}

    @property
    def accepts(self) -> tuple[str, ...]:
        """The content types that a body may have."""
        return (JSON, *TEXT_TYPES, FORM) if self.text_field else (JSON,)

    def permits(self, role: Access) -> bool:
        """Whether the role is enough to call it."""
        return ACCESS.index(role) >= ACCESS.index(self.role)
