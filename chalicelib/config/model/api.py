"""Sources of records: JSON APIs, how they are asked and how they answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from chalicelib.config.model.common import Frozen, RecordsPath, Scalar


class NoAuth(Frozen):
    """No credentials."""

    type: Literal["none"] = "none"


class BearerAuth(Frozen):
    """`Authorization: Bearer <token>`."""

    type: Literal["bearer"]
    token: SecretStr


class NoPagination(Frozen):
    """The first answer holds all records."""

    type: Literal["none"] = "none"


class PagePagination(Frozen):
    """Pages counted by a parameter, until one comes back empty."""

    type: Literal["page"]
    page_param: str = "page"
    size_param: str | None = None
    size: int = Field(100, ge=1)
    first_page: int = 1
    max_pages: int = Field(10_000, ge=1, description="More pages than this are a mistake")


class ApiIncremental(Frozen):
    """Ask only for records whose cursor field is at or past the greatest one loaded."""

    cursor: str = Field(description="Field of the record that only grows: an id or a time")
    param: str = Field(description="Query parameter that carries it")
    start: str | None = Field(None, description="Value for the first run")


Auth = Annotated[NoAuth | BearerAuth, Field(discriminator="type")]
Pagination = Annotated[NoPagination | PagePagination, Field(discriminator="type")]


class ApiSource(Frozen):
    """Records of a JSON API."""

    type: Literal["api"]
    name: str = Field("", description="Unique; the type when it is the only source of its type")
    url: str = Field(pattern=r"^https?://[^/\s]+", description="http:// or https:// address")
    auth: Auth = NoAuth()
    headers: dict[str, SecretStr] = {}
    params: dict[str, Scalar] = {}
    records: RecordsPath = None
    pagination: Pagination = NoPagination()
    incremental: ApiIncremental | None = None
    timeout: float = Field(
        30, gt=0, le=600, description="Seconds to connect, and between two bytes"
    )
