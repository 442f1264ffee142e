"""Questions about the shape of the models: which keys stand at a place, where a key belongs, what the default is.

It only looks at pydantic's field tables; it reads no file and judges no value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel

from pagemill.config.yaml_source import KeyPath, dotted

Model = type[BaseModel]


def keys_at(model: Model, path: KeyPath) -> tuple[str, ...]:
    """The keys that the section at that place knows, in the models' order; empty where keys are free."""
    section = _section_at(model, path)
    return tuple(section.model_fields) if section is not None else ()


def places_of(model: Model, key: str) -> list[str]:
    """The dotted paths at which that key exists, nearest to the top first."""
    found = [path for path in _walk(model) if path[-1] == key]
    return [dotted(path) for path in sorted(found, key=len)]


def default_at(model: Model, path: KeyPath) -> str:
    """The default of a single value as YAML writes it; empty for sections, lists and values that have none."""
    section = _section_at(model, path[:-1])
    field = section.model_fields.get(str(path[-1])) if section is not None and path else None
    if field is None or field.is_required() or field.default is None:
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    if isinstance(field.default, float):
        return f"{field.default:g}"
    return "" if isinstance(field.default, (BaseModel, tuple, dict)) else str(field.default)


def _section_at(model: Model, path: KeyPath) -> Model | None:
    place: Any = model
    for part in path:
        if _is_model(place):
            field = place.model_fields.get(str(part))
            place = field.annotation if field is not None else None
        else:
            place = _inside(place)
    return place if _is_model(place) else None


def _inside(annotation: Any) -> Any:
    """What a mapping of this type holds, such as a platform's fields; lists hold no sections."""
    return get_args(annotation)[1] if get_origin(annotation) is dict else None


def _walk(model: Model, above: KeyPath = ()) -> Iterator[KeyPath]:
    for name, field in model.model_fields.items():
        path = (*above, name)
        yield path
        if _is_model(field.annotation):
            yield from _walk(field.annotation, path)


def _is_model(annotation: Any) -> TypeGuard[Model]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
