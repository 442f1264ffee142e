"""Adds the answers of the frame itself to the OpenAPI document, so that no route has to describe them.

Works on the finished document, because only that says which operations need a token.
"""

from __future__ import annotations

from typing import Any

from pagemill.control_room.frame.envelope import ErrorEnvelope

_SCHEMAS = "#/components/schemas/"
_JSON = "application/json"
_METHODS = ("get", "put", "post", "delete", "patch", "options", "head", "trace")

_ALWAYS = {
    "400": "The request cannot be read",
    "408": "The body took too long to arrive",
    "413": "The body is too large",
    "421": "Without a secret: the request was sent to another name than localhost",
    "500": "Something went wrong here; the API's log says what",
    "503": "Redis or the database is out of reach",
}
_WITH_ACCESS = {
    "401": "No token, or one that is not good any more",
    "403": "The role does not allow it, or the request may be forged",
}
_FORGED = {"403": "Another site may not do this"}
_INVALID = {"422": "A parameter or the body is not as described; the message names the field"}
_CHALLENGED = {"WWW-Authenticate": {"description": "`Bearer`", "schema": {"type": "string"}}}


def document_failures(document: dict[str, Any]) -> None:
    """Adds each answer of the frame that an operation does not describe itself. May be repeated."""
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    schema = ErrorEnvelope.model_json_schema(mode="serialization", ref_template=_SCHEMAS + "{model}")
    schemas.update(schema.pop("$defs", {}))
    schemas[ErrorEnvelope.__name__] = schema
    for path in document.get("paths", {}).values():
        for method in _METHODS:
            if method in path:
                _document(path[method], changes=method != "get")
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _document(operation: dict[str, Any], *, changes: bool) -> None:
    answers: dict[str, Any] = operation.setdefault("responses", {})
    if _is_of_fastapi(answers.get("422", {})):
        del answers["422"]
    wanted = dict(_ALWAYS)
    if operation.get("security"):
        wanted |= _WITH_ACCESS
    elif changes:
        wanted |= _FORGED
    if operation.get("parameters") or "requestBody" in operation:
        wanted |= _INVALID
    for status, description in wanted.items():
        answers.setdefault(status, {"description": description})
    for status, answer in answers.items():
        if status.startswith(("4", "5")):
            answer.setdefault("content", {_JSON: {"schema": {"$ref": _SCHEMAS + ErrorEnvelope.__name__}}})
        if status == "401":
            answer.setdefault("headers", _CHALLENGED)
    operation["responses"] = dict(sorted(answers.items()))


def _is_of_fastapi(answer: dict[str, Any]) -> bool:
    schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    return bool(schema.get("$ref") == _SCHEMAS + "HTTPValidationError")
