"""Answers questions about the structure of the models: which keys a section has, where a key belongs, its default.

It only looks at pydantic's tables of fields; it reads no file and judges no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pagemill.config.yaml_source import KeyPath, dotted

Model = type[BaseModel]


def keys_at(model: Model, path: KeyPath) -> tuple[str, ...]:
    """The keys of the section at that path, in the models' order; empty if keys are free there."""
    keys: dict[str, None] = {}
    for section in _sections_at(model, path):
        keys |= dict.fromkeys(_key_of(name, field) for name, field in section.model_fields.items())
        for inner in _short_forms(section):
            keys |= dict.fromkeys(_key_of(name, field) for name, field in inner.model_fields.items())
    return tuple(keys)


def places_of(model: Model, key: str) -> list[str]:
    """The dotted paths at which that key exists, nearest to the top first."""
    found = [path for path in _walk(model) if path[-1] == key]
    return [dotted(path) for path in sorted(found, key=len)]


def default_at(model: Model, path: KeyPath) -> str:
    """The default of a single value in YAML; empty for sections, lists and values without one."""
    field = next((field for section in _sections_at(model, path[:-1]) if (field := _field_of(section, path[-1]))), None)
    if field is None or field.is_required() or field.default is None:
        return ""
    return "" if isinstance(field.default, (BaseModel, tuple, dict)) else as_written(field.default)


def as_written(value: object) -> str:
    """A single value as YAML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sections_at(model: Model, path: KeyPath) -> list[Model]:
    """The models that may be at a path: one, or several for the items of a list or a union."""
    places: list[Any] = [model]
    for part in path:
        if not isinstance(part, int):
            places = [item for place in places for item in _items(place)]
        places = [inner for place in places for inner in _below(place, part)]
    return [item for place in places for item in _items(place) if _is_model(item)]


def _items(place: Any) -> list[Any]:
    """What may be written instead of a list: one item of it."""
    return _branches(_inside(place)) if get_origin(place) in (list, tuple) else [place]


def _below(place: Any, part: str | int) -> list[Any]:
    if not _is_model(place):
        return _branches(_inside(place))
    for section in (place, *_short_forms(place)):
        if (field := _field_of(section, part)) is not None:
            return _branches(field.annotation)
    return []


def _short_forms(section: Model) -> list[Model]:
    """The models that the file may have in place of the section: an item of its list, as the short form."""
    name = getattr(section, "short_form_of", None)
    return (
        []
        if name is None
        else [kind for kind in _branches(_inside(section.model_fields[name].annotation)) if _is_model(kind)]
    )


def _field_of(section: Model, part: str | int) -> FieldInfo | None:
    return next((field for name, field in section.model_fields.items() if _key_of(name, field) == part), None)


def _key_of(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _branches(annotation: Any) -> list[Any]:
    """The annotation itself, or the members of a union or the type inside an annotated one."""
    if get_origin(annotation) is Annotated:
        return _branches(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [branch for inner in get_args(annotation) for branch in _branches(inner)]
    return [annotation]


def _inside(annotation: Any) -> Any:
    """The type of the values in a mapping or list, such as a platform's fields."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is dict:
        return arguments[1]
    return arguments[0] if origin in (list, tuple) and arguments else None


def _walk(model: Model, above: KeyPath = ()) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        path = (*above, _key_of(name, field))
        yield path
        if _is_model(field.annotation):
            yield from _walk(field.annotation, path)


def _is_model(annotation: Any) -> TypeGuard[Model]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
