"""From pydantic's location of an error to the user's path and what the model expects there."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from chalicelib.config.mistakes import KeyPath
from chalicelib.config.model import Config

Model = type[BaseModel]
Kind = Any
"""A type as `typing` shows it: a class, `tuple[X, ...]`, a union, a Literal."""


@dataclass(frozen=True)
class Place:
    """A path, the type expected there, and the models that have its last step as a key."""

    path: KeyPath = ()
    kind: Kind = Config
    owners: tuple[Model, ...] = ()

    @property
    def field(self) -> FieldInfo | None:
        """The declaration of the last step, when it is a key of a model."""
        return next((f for m in self.owners if (f := fields(m).get(str(self.path[-1])))), None)

    @property
    def models(self) -> tuple[Model, ...]:
        """The models that fit here; several when a key `type` decides."""
        return tuple(m for m in _members(self.kind) if isinstance(m, type) and _is_model(m))

    @property
    def keys(self) -> list[str]:
        """The keys that may stand here: all of a model, or `type` that decides on the rest."""
        return list(fields(self.models[0])) if len(self.models) == 1 else ["type"]

    @property
    def choices(self) -> list[str]:
        """The words that may stand here."""
        if len(self.models) > 1:
            return [str(tag) for model in self.models for tag in _tags(model)]
        return [str(c) for c in get_args(self.kind)] if _origin(self.kind) is Literal else []

    @property
    def takes_any_scalar(self) -> bool:
        """Whether text, numbers and booleans all fit."""
        return len(_members(self.kind)) > 1 and not self.models


def located(loc: tuple[str | int, ...]) -> Place:
    """The user's place, without the steps pydantic adds: tags and types of unions, `[key]`."""
    place = Place()
    for step in loc:
        place = _below(place, step)
    return place


def fields(model: Model) -> dict[str, FieldInfo]:
    """The fields of a model by the key that the user writes."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _below(place: Place, step: str | int) -> Place:
    models = place.models
    if step == "[key]":
        return place
    if len(models) > 1:
        chosen = next(model for model in models if step in _tags(model))
        return Place(place.path, chosen, place.owners)
    if models:
        field = fields(models[0]).get(str(step))
        return Place((*place.path, step), _bare(field.annotation if field else None), models)
    if _origin(place.kind) in (dict, tuple):
        position = 1 if _origin(place.kind) is dict else 0
        return Place((*place.path, step), _bare(get_args(place.kind)[position]))
    return place


def _bare(kind: Kind) -> Kind:
    """The type without metadata and without `| None`."""
    if _origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    members = [member for member in _members(kind) if member is not NoneType]
    if len(members) == len(_members(kind)):
        return kind
    return _bare(Union[tuple(members)])  # noqa: UP007 - the members are only known here


def _members(kind: Kind) -> tuple[Any, ...]:
    return get_args(kind) if _origin(kind) in (Union, UnionType) else (kind,)


def _origin(kind: Kind) -> Kind:
    return get_origin(kind)


def _is_model(kind: type) -> bool:
    return issubclass(kind, BaseModel)


def _tags(model: Model) -> tuple[Any, ...]:
    return get_args(model.model_fields["type"].annotation)
