"""An HTTP request to a Call: everything is checked here, and all mistakes are told at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, get_origin
from urllib.parse import unquote

from chalice.app import Request
from pydantic import BaseModel, ValidationError

from chalicelib.routes import body
from chalicelib.routes.answers import RequestError, request_id
from chalicelib.routes.endpoint import FORM, JSON, Access, Endpoint
from chalicelib.routes.handler import Call, Handler

MAX_LISTED = 100
MAX_PLACE = 100
_HEADER = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")


def call_from(
    request: Request, endpoint: Endpoint, handler: Handler, endpoints: tuple[Endpoint, ...]
) -> Call[Any, Any]:
    """The request as its handler takes it. Raises RequestError."""
    role = role_of(request)
    if not endpoint.permits(role):
        what = f"The role {role} is not enough; this wants {endpoint.role}"
        raise RequestError("forbidden", what, fix="Use a token of that role.")
    _check_headers(request, endpoint)
    return Call(
        path=_path(request, endpoint),
        query=_query(request, handler.query),
        body=_body(request, endpoint, handler),
        headers=request.headers,
        actor=_authorizer(request).get("principalId", ""),
        role=role,
        request_id=request_id(request),
        base=_base(request),
        endpoints=endpoints,
    )


def role_of(request: Request) -> Access:
    """The role that the authorizer found. Nothing but a public endpoint comes without one."""
    role: Access = _authorizer(request).get("role", "public")
    return role


def _authorizer(request: Request) -> Mapping[str, Any]:
    found: Mapping[str, Any] = request.context.get("authorizer") or {}
    return found


def _base(request: Request) -> str:
    """The path that was asked for, without as many segments as the route has.

    It never begins with `//`, which a browser would take for the name of another host.
    """
    asked, own = (
        [segment for segment in path.split("/") if segment]
        for path in (request.context["path"], request.path)
    )
    return "".join(f"/{segment}" for segment in asked[: len(asked) - len(own)])


def _check_headers(request: Request, endpoint: Endpoint) -> None:
    for header in endpoint.headers:
        value = request.headers.get(header.name)
        if value is not None and not _HEADER.fullmatch(value):
            what = f"{header.name} is not 1 to 255 visible ASCII characters"
            raise RequestError("invalid_request", what)


def _path(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    values = {}
    for name, kind in endpoint.parameters.items():
        # Neither API Gateway nor chalice local decodes what is in the path.
        text = unquote((request.uri_params or {})[name])
        if not re.fullmatch(kind.pattern, text):
            what = f"{name} in the path is not {kind.expected}: {text[:MAX_PLACE]!r}"
            raise RequestError("invalid_request", what)
        values[name] = kind.convert(text)
    return values


def _query(request: Request, model: type[BaseModel] | None) -> BaseModel | None:
    given = request.query_params
    values = {name: given.getlist(name) for name in given} if given is not None else {}
    if model is None:
        _refuse([f"query.{name[:MAX_PLACE]}: there is no such parameter" for name in values])
        return None
    many = _repeatable(model)
    twice = [name for name in values if len(values[name]) > 1 and name not in many]
    _refuse([f"query.{name[:MAX_PLACE]}: it is given more than once" for name in twice])
    single = {name: value if name in many else value[0] for name, value in values.items()}
    return _validated("query", model, single, strict=False)


def _repeatable(model: type[BaseModel]) -> set[str]:
    """The names of the parameters that may be given more than once."""
    return {
        field.alias or name
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) in (list, tuple, set, frozenset)
    }


def _body(request: Request, endpoint: Endpoint, handler: Handler) -> BaseModel | None:
    found = _parsed_body(request, endpoint, handler)
    if endpoint.text_field:
        body.check_text(getattr(found, endpoint.text_field), endpoint.text_limit)
    return found


def _parsed_body(request: Request, endpoint: Endpoint, handler: Handler) -> BaseModel | None:
    if handler.body is None:
        return None
    raw = request.raw_body
    content = raw if isinstance(raw, bytes) else raw.encode()
    body.check_size(content, endpoint.limit)
    content_type = request.headers.get("content-type", JSON)
    media = body.media_type(content_type, endpoint) if content or endpoint.text_field else JSON
    if not content and media in (JSON, FORM):
        return _validated("body", handler.body, {}, strict=True)
    if media == JSON:
        return _from_json(handler.body, body.text_of(content))
    field = str(endpoint.text_field)
    if media == FORM:
        fields = body.form_fields(content, content_type, field)
        return _validated("body", handler.body, fields, strict=False)
    return _validated("body", handler.body, {field: body.text_of(content)}, strict=True)


def _from_json(model: type[BaseModel], text: str) -> BaseModel:
    # Strict, so that "true" and 1 are not true; JSON has no dates, so texts still become dates.
    try:
        return model.model_validate_json(body.plain_json(text), strict=True)
    except ValidationError as error:
        raise _mistakes("body", error) from None


def _validated(
    place: str, model: type[BaseModel], values: dict[str, Any], *, strict: bool
) -> BaseModel:
    try:
        return model.model_validate(values, strict=strict)
    except ValidationError as error:
        raise _mistakes(place, error) from None


def _mistakes(place: str, error: ValidationError) -> RequestError:
    """What pydantic found, without the values, as these may be secret."""
    details = [
        f"{'.'.join([place, *map(str, found['loc'])])[:MAX_PLACE]}: {_words(found['msg'])}"
        for found in error.errors(include_url=False, include_input=False)
    ]
    return RequestError("invalid_request", "The request does not fit", details=details[:MAX_LISTED])


def _words(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def _refuse(details: list[str]) -> None:
    if details:
        raise RequestError("invalid_request", "The request does not fit", details=details)
