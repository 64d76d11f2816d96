"""OpenAPI 3.1, from the declarations and the models that the handlers are annotated with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pydantic import BaseModel, TypeAdapter

from chalicelib import __version__
from chalicelib.routes import handler
from chalicelib.routes.answers import ERRORS
from chalicelib.routes.endpoint import FORM, JSON, TEXT_TYPES, Endpoint
from chalicelib.routes.handler import Handler, Model

REFERENCE = "#/components/schemas/{model}"
HEADER_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}

_Json = dict[str, Any]


class Error(Model):
    """What went wrong."""

    code: str
    message: str
    details: list[str]


class ErrorAnswer(Model):
    """The body of every answer that is not a success."""

    error: Error


@cache
def describe(endpoints: tuple[Endpoint, ...]) -> _Json:
    """The document, without `servers`."""
    schemas = _Schemas()
    paths: _Json = {}
    for endpoint in endpoints:
        path = paths.setdefault(endpoint.route, {})
        path[endpoint.method.lower()] = _operation(endpoint, schemas)
    schemas.of(TypeAdapter(ErrorAnswer), "serialization")
    return {
        "openapi": "3.1.0",
        "info": {"title": "ELT pipeline", "version": __version__},
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


class _Schemas:
    """JSON Schemas of models; what they share is gathered in `definitions`."""

    def __init__(self) -> None:
        self.definitions: _Json = {}

    def of(self, adapter: TypeAdapter[Any], mode: Any) -> _Json:
        """A reference to the schema when it has a name, the schema otherwise."""
        inputs = [("it", mode, adapter)]
        found, shared = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE)
        self._share(shared)
        return dict(found["it", mode])

    def properties(self, model: type[BaseModel]) -> tuple[_Json, list[str]]:
        """The fields of a model by name, and which are required."""
        schema = model.model_json_schema(ref_template=REFERENCE)
        self._share(schema)
        return schema.get("properties", {}), schema.get("required", [])

    def _share(self, schema: _Json) -> None:
        for name, one in schema.get("$defs", {}).items():
            if self.definitions.setdefault(name, one) != one:
                raise ValueError(f"two models are called {name}: give one of them another name")


def _operation(endpoint: Endpoint, schemas: _Schemas) -> _Json:
    handling = handler.load(endpoint.handler)
    operation = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.handler.partition(":")[0].rpartition(".")[2]],
        "parameters": list(_parameters(endpoint, handling, schemas)),
        "responses": _responses(endpoint, handling, schemas),
        "security": [] if endpoint.role == "public" else [{"token": []}],
    }
    if endpoint.role != "public":
        operation["description"] = f"For tokens of the role {endpoint.role}, and those above it."
    if handling.body:
        content = _body_content(endpoint, handling.body, schemas)
        operation["requestBody"] = {"required": handling.needs_body, "content": content}
    return operation


def _parameters(endpoint: Endpoint, handling: Handler, schemas: _Schemas) -> Iterator[_Json]:
    for name, kind in endpoint.parameters.items():
        yield {"name": name, "in": "path", "required": True, "schema": kind.schema}
    if handling.query:
        properties, required = schemas.properties(handling.query)
        for name, schema in properties.items():
            yield {
                "name": name,
                "in": "query",
                "required": name in required,
                "description": schema.get("description", ""),
                "schema": _without_null(schema),
            }
    for header in endpoint.headers:
        about = {"name": header.name, "in": "header", "description": header.summary}
        yield {**about, "schema": HEADER_SCHEMA}


def _without_null(schema: _Json) -> _Json:
    """A query cannot say null: a parameter that may be None may be left out."""
    choices = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    rest = {k: v for k, v in schema.items() if k not in ("anyOf", "description")}
    if rest.get("default", ...) is None:
        del rest["default"]
    if len(choices) == 1:
        return {**rest, **choices[0]}
    return {**rest, "anyOf": choices} if choices else rest


def _body_content(endpoint: Endpoint, model: type[BaseModel], schemas: _Schemas) -> _Json:
    content: _Json = {JSON: {"schema": schemas.of(TypeAdapter(model), "validation")}}
    if endpoint.text_field:
        fields, required = schemas.properties(model)
        text = fields.pop(endpoint.text_field)
        content |= {media: {"schema": text} for media in TEXT_TYPES}
        form = {
            "type": "object",
            "properties": {**fields, "file": {**text, "contentMediaType": TEXT_TYPES[0]}},
            "required": ["file", *(name for name in required if name in fields)],
            "additionalProperties": False,
        }
        content[FORM] = {"schema": form}
    return content


def _responses(endpoint: Endpoint, handling: Handler, schemas: _Schemas) -> _Json:
    if handling.answer is None:
        content = {media: {"schema": {"type": "string"}} for media in endpoint.produces}
    else:
        content = {JSON: {"schema": schemas.of(handling.answer, "serialization")}}
    responses: _Json = {str(endpoint.status): _described("Done", content)}
    codes = [*_implied(endpoint, handling), *endpoint.errors]
    for status in sorted({ERRORS[code][0] for code in codes}):
        meant = [code for code in dict.fromkeys(codes) if ERRORS[code][0] == status]
        words = "; ".join(f"`{code}`: {ERRORS[code][1]}" for code in meant)
        error = {"schema": {"$ref": REFERENCE.format(model=ErrorAnswer.__name__)}}
        responses[str(status)] = _described(words, {JSON: error})
    return responses


def _implied(endpoint: Endpoint, handling: Handler) -> list[str]:
    """Codes of errors that the layer itself may answer."""
    codes = ["invalid_request", "internal"]
    if endpoint.role != "public":
        codes += ["unauthorized", "forbidden"]
    if handling.body:
        codes += ["too_large", "unsupported_media_type"]
    return codes


def _described(words: str, content: _Json) -> _Json:
    identified = {"X-Request-Id": {"schema": {"type": "string"}}}
    return {"description": words, "headers": identified, "content": content}
