"""What a handler gets and returns, and how its annotations are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from types import NoneType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter

from chalicelib.routes.endpoint import Access, Endpoint

QueryT_co = TypeVar("QueryT_co", covariant=True)
BodyT_co = TypeVar("BodyT_co", covariant=True)
ItemT = TypeVar("ItemT")


class Model(BaseModel):
    """Base of what comes in and goes out: unknown names are mistakes, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


@dataclass(frozen=True)
class Call(Generic[QueryT_co, BodyT_co]):
    """A request that was checked against its endpoint.

    `path` holds converted parameters; `headers` are all headers, by name in any case. `actor` is
    the name of the token, "" for a public endpoint. `base` is what a path of this service needs in
    front to be reached: "" or the gateway's stage, as `/api`. `endpoints` are all there are.
    """

    path: Mapping[str, Any]
    query: QueryT_co
    body: BodyT_co
    headers: Mapping[str, str]
    actor: str
    role: Access
    request_id: str
    base: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class Raw:
    """An answer that is not JSON. Its headers replace those that every answer has."""

    content_type: str
    text: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Handler:
    """A function and the models of its annotations; `answer` is None for Raw."""

    function: Callable[[Call[Any, Any]], Any]
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    answer: TypeAdapter[Any] | None

    @property
    def needs_body(self) -> bool:
        """Whether no body at all is a mistake; otherwise it means `{}`."""
        fields = self.body.model_fields.values() if self.body else ()
        return any(each.is_required() for each in fields)

    def json(self, answer: object) -> str:
        """The answer as JSON. An answer that is not what the annotation says is a bug."""
        adapter = self.answer or TypeAdapter(Any)
        return adapter.dump_json(adapter.validate_python(answer), by_alias=True).decode()


def split(found: Sequence[ItemT], limit: int) -> tuple[Sequence[ItemT], bool]:
    """A page of those that were found, and whether there are more; one over the limit tells."""
    return found[:limit], len(found) > limit


@cache
def load(reference: str) -> Handler:
    """Import `module:function` and read its annotations."""
    module, _, name = reference.partition(":")
    function = getattr(import_module(module), name)
    hints = get_type_hints(function)
    query, body = (None if model is NoneType else model for model in get_args(hints["call"]))
    answer = None if hints["return"] is Raw else TypeAdapter(hints["return"])
    return Handler(function, query, body, answer)
