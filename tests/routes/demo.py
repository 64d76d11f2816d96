"""Endpoints that exercise the layer, and their handlers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.errors import ConfigError, NotFound, RunActive
from chalicelib.routes.endpoint import Endpoint, Header
from chalicelib.routes.handler import Call, Model, Raw

HERE = "tests.routes.demo"
SECRET = "hunter2-in-a-message"
WRONG = ["line 2: sources: missing", "line 3: target.port: 'x' is not a whole number"]

ENDPOINTS = (
    Endpoint(
        "GET",
        "/things",
        f"{HERE}:list_things",
        role="viewer",
        summary="Things by state and tag",
    ),
    Endpoint(
        "POST",
        "/things",
        f"{HERE}:make_thing",
        role="operator",
        summary="Make a thing",
        status=201,
        errors=("run_active",),
        headers=(Header("Idempotency-Key", "Makes one thing, however often it is sent"),),
    ),
    Endpoint(
        "GET",
        "/things/{thing:int}",
        f"{HERE}:get_thing",
        role="viewer",
        summary="One thing",
        errors=("not_found",),
    ),
    Endpoint(
        "GET",
        "/things/{thing:int}/owners/{owner}",
        f"{HERE}:get_owner",
        role="admin",
        summary="Who owns it",
    ),
    Endpoint(
        "POST",
        "/things/{thing:int}/stop",
        f"{HERE}:stop_thing",
        role="operator",
        summary="Stop it; all of the body may be left out",
        status=202,
    ),
    Endpoint(
        "POST",
        "/texts",
        f"{HERE}:upload_text",
        role="admin",
        summary="Upload a text",
        status=201,
        errors=("invalid_configuration",),
        text_field="text",
        limit=2000,
    ),
    Endpoint(
        "GET",
        "/page",
        f"{HERE}:page",
        role="public",
        summary="A page",
        produces=("text/html",),
    ),
)

BROKEN = (
    Endpoint("GET", "/broken/bug", f"{HERE}:bug", role="public", summary="A bug"),
    Endpoint("GET", "/broken/answer", f"{HERE}:wrong_answer", role="public", summary="A bug"),
)
"""Endpoints with bugs in them, which no generated test should find."""


class Filter(Model):
    """Which things."""

    limit: int = Field(10, ge=1, le=100, description="At most so many")
    state: Literal["new", "old"] | None = None
    tag: tuple[str, ...] = ()


class Thing(Model):
    """A thing, and what the layer handed to its handler."""

    id: int
    name: str
    actor: str
    role: str
    key: str | None = None


class Things(Model):
    """A page of things."""

    limit: int
    state: str | None
    tags: tuple[str, ...]


class NewThing(Model):
    """A thing to make."""

    name: str = Field(min_length=1, max_length=20)
    count: int = 1
    full: bool = False


class Stop(Model):
    """How to stop it."""

    hard: bool = False


class Upload(Model):
    """A text, and what it is about."""

    text: str
    comment: str | None = None


class Uploaded(Model):
    """What arrived."""

    text: str
    comment: str | None


class Owner(Model):
    """Who owns a thing."""

    thing: int
    owner: str


def list_things(call: Call[Filter, None]) -> Things:
    query = call.query
    return Things(limit=query.limit, state=query.state, tags=query.tag)


def make_thing(call: Call[None, NewThing]) -> Thing:
    if call.body.name == "busy":
        raise RunActive("run-1")
    key = call.headers.get("idempotency-key")
    return Thing(id=1, name=call.body.name, actor=call.actor, role=call.role, key=key)


def get_thing(call: Call[None, None]) -> Thing:
    if call.path["thing"] > 1_000:
        raise NotFound(f"there is no thing {call.path['thing']}", fix="GET /things lists them.")
    return Thing(id=call.path["thing"], name="a", actor=call.actor, role=call.role)


def get_owner(call: Call[None, None]) -> Owner:
    return Owner(thing=call.path["thing"], owner=call.path["owner"])


def stop_thing(call: Call[None, Stop]) -> Stop:
    return call.body


def upload_text(call: Call[None, Upload]) -> Uploaded:
    if "wrong" in call.body.text:
        raise ConfigError(WRONG, where="config.yaml")
    return Uploaded(text=call.body.text, comment=call.body.comment)


def page(call: Call[None, None]) -> Raw:
    policy = "default-src 'self'"
    return Raw("text/html; charset=utf-8", "<p>ä</p>", {"Content-Security-Policy": policy})


class Twins:
    class Owner(Model):
        """Another model of the same name."""

        twins: int


class HasTwin(Model):
    """An answer with that model in it."""

    owner: Twins.Owner


def twin(call: Call[None, None]) -> HasTwin:
    return HasTwin(owner=Twins.Owner(twins=2))


def bug(call: Call[None, None]) -> Thing:
    raise RuntimeError(SECRET)


def wrong_answer(call: Call[None, None]) -> Thing:
    return Stop(hard=True)  # type: ignore[return-value]
