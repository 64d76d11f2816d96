"""The description of the API is valid, complete, and true."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate
from openapi_spec_validator.validation import OpenAPIV31SpecValidator

from chalicelib.routes import health
from chalicelib.routes.answers import ERRORS
from chalicelib.routes.endpoint import Endpoint
from chalicelib.routes.handler import load
from chalicelib.routes.openapi import describe
from tests.routes import demo
from tests.routes.conftest import Api

ALL = (*health.ENDPOINTS, *demo.ENDPOINTS)


@pytest.fixture(scope="module")
def document(api: Api) -> dict[str, Any]:
    return api("GET", "/openapi.json").json()


def _operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document, cls=OpenAPIV31SpecValidator)


def test_it_describes_every_endpoint_under_a_name_of_its_own() -> None:
    operations = _operations(describe(ALL))
    assert set(operations) == {(endpoint.method, endpoint.route) for endpoint in ALL}
    assert len({operation["operationId"] for operation in operations.values()}) == len(ALL)


def test_it_tells_parameters_of_the_path_the_query_and_the_headers(
    document: dict[str, Any],
) -> None:
    operations = _operations(document)
    query = {p["name"]: p["schema"] for p in operations["GET", "/things"]["parameters"]}
    assert query["limit"]["maximum"] == 100
    assert query["state"]["enum"] == ["new", "old"]
    assert query["tag"]["type"] == "array"
    (path,) = operations["GET", "/things/{thing}"]["parameters"]
    assert (path["in"], path["required"], path["schema"]["type"]) == ("path", True, "integer")
    (header,) = operations["POST", "/things"]["parameters"]
    assert (header["in"], header["name"]) == ("header", "Idempotency-Key")


def test_it_tells_bodies_answers_errors_and_the_token(document: dict[str, Any]) -> None:
    operation = _operations(document)["POST", "/texts"]
    assert set(operation["requestBody"]["content"]) == {
        "application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/plain",
        "multipart/form-data",
    }  # fmt: skip
    assert operation["requestBody"]["required"] is True
    assert set(operation["responses"]) == {"201", "400", "401", "403", "413", "415", "422", "500"}
    assert operation["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert _operations(document)["GET", "/health"]["security"] == []


def test_no_two_models_may_have_one_name() -> None:
    """The description would hold one of them under the name, and be wrong about the other."""
    twin = Endpoint(
        "GET", "/twin", "tests.routes.demo:twin", role="public", summary="A model of a taken name"
    )
    with pytest.raises(ValueError, match="two models are called Owner"):
        describe((*ALL, twin))


@pytest.mark.parametrize("endpoint", ALL, ids=lambda endpoint: endpoint.name)
def test_every_declaration_can_be_kept(endpoint: Endpoint) -> None:
    handler = load(endpoint.handler)
    assert set(endpoint.errors) <= set(ERRORS)
    assert endpoint.text_field is None or endpoint.text_field in handler.body.model_fields
    assert (handler.answer is None) == (endpoint.produces != ("application/json",))


def test_parameters_at_one_place_of_the_path_have_one_name() -> None:
    """API Gateway refuses /things/{a} beside /things/{b}/owners."""
    names: dict[str, set[str]] = {}
    for segments in (endpoint.route.split("/") for endpoint in ALL):
        for position, segment in enumerate(segments):
            if segment.startswith("{"):
                names.setdefault("/".join(segments[:position]), set()).add(segment)
    assert [same for same in names.values() if len(same) > 1] == []
