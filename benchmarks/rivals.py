"""Other ways to validate a body of ``GET /api/queue``, each used as its documentation says, and what each checks.

Each way either accepts a body or refuses it; an exception is a refusal. The schemas are those of the corrected OpenAPI
document, because the published document refuses every real job.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import GenericAlias
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
import yaml
from measure import import_extra

from conformance import Validator
from conformance.spec.document import CORRECTED_PATH

Passes = Callable[[bytes], bool]
SCHEMA_CHECKS: Final = "five elements; one of the five types at any place"


@dataclass(frozen=True)
class Rival:
    """A way to validate a body.

    ``make`` returns the validating function, or raises ImportError if it is not installed.
    """

    name: str
    checks: str
    make: Callable[[], Passes]


def _document() -> Any:
    return yaml.safe_load(CORRECTED_PATH.read_text(encoding="utf-8"))


def _schema() -> dict[str, Any]:
    """Return the schema of a QueueInfo, with the schema of its items inserted."""
    schemas = _document()["components"]["schemas"]
    queue: dict[str, Any] = schemas["QueueInfo"]
    for member in queue["properties"].values():
        member["items"] = schemas["QueueItem"]
    return queue


def _read(loads: Callable[[bytes], Any]) -> Passes:
    def passes(body: bytes) -> bool:
        loads(body)
        return True

    return passes


class _Metadata(msgspec.Struct):
    create_time: int | float


_Item = tuple[Annotated[int, msgspec.Meta(ge=1)], UUID, msgspec.Raw, list[str], _Metadata]


class _Queue(msgspec.Struct):
    queue_running: list[_Item]
    queue_pending: list[_Item]


def _msgspec() -> Passes:
    return _read(msgspec.json.Decoder(_Queue).decode)


def _pydantic() -> Passes:
    pydantic = import_extra("pydantic")
    metadata = pydantic.create_model("Metadata", create_time=(int | float, ...))
    number = Annotated[int, pydantic.Field(ge=1)]
    item = GenericAlias(tuple, (number, UUID, dict[str, Any], list[str], metadata))
    items = GenericAlias(list, item)
    queue = pydantic.create_model("Queue", queue_running=(items, ...), queue_pending=(items, ...))
    return _read(partial(queue.model_validate_json, strict=True))


def _jsonschema() -> Passes:
    validator = import_extra("jsonschema").Draft202012Validator(_schema())
    return lambda body: bool(validator.is_valid(json.loads(body)))


def _jsonschema_rs() -> Passes:
    validator = import_extra("jsonschema_rs").Draft202012Validator(_schema())
    loads = import_extra("orjson").loads
    return lambda body: bool(validator.is_valid(loads(body)))


def _fastjsonschema() -> Passes:
    validator = import_extra("fastjsonschema").compile(_schema())
    loads = import_extra("orjson").loads
    return _read(lambda body: validator(loads(body)))


def _openapi_core() -> Passes:
    api = import_extra("openapi_core").OpenAPI.from_dict(_document())
    testing = import_extra("openapi_core.testing")
    request = testing.MockRequest("https://cloud.comfy.org", "get", "/api/queue", headers={"X-API-Key": "any"})
    return _read(lambda body: api.validate_response(request, testing.MockResponse(body)))


def _schemathesis() -> Passes:
    operation = import_extra("schemathesis").openapi.from_dict(_document())["/api/queue"]["GET"]
    httpx = import_extra("httpx")
    request = httpx.Request("GET", "https://cloud.comfy.org/api/queue")
    headers = {"Content-Type": "application/json"}

    def passes(body: bytes) -> bool:
        response = httpx.Response(200, headers=headers, content=body, request=request)
        response.elapsed = timedelta()  # a real client sets this, and Schemathesis reads it
        return bool(operation.is_valid_response(response))

    return passes


def _ours(*, must_only: bool) -> Passes:
    validator = Validator(must_only=must_only)
    return lambda body: not validator.validate(body)


MUST: Final = "ours, must"
ALL: Final = "ours, all clauses"
RIVALS: Final = (
    Rival(MUST, "every `must` of a body, strict JSON and UTF-8", partial(_ours, must_only=True)),
    Rival(ALL, "these and every `should`: order, workflows, duplicate names in them", partial(_ours, must_only=False)),
    Rival("msgspec, typed", "types by place, UUID, ≥ 1; workflows are not looked at", _msgspec),
    Rival("orjson.loads", "that it is JSON", lambda: _read(import_extra("orjson").loads)),
    Rival("json.loads", "that Python can parse it, NaN included", lambda: _read(json.loads)),
    Rival("pydantic", "types by place, UUID, ≥ 1; workflow any object", _pydantic),
    Rival("orjson + jsonschema-rs", SCHEMA_CHECKS, _jsonschema_rs),
    Rival("orjson + fastjsonschema", SCHEMA_CHECKS, _fastjsonschema),
    Rival("json + jsonschema", SCHEMA_CHECKS, _jsonschema),
    Rival("openapi-core", f"{SCHEMA_CHECKS}; status, media type", _openapi_core),
    Rival("Schemathesis", f"{SCHEMA_CHECKS} (its response schema check)", _schemathesis),
)


def ready() -> dict[str, tuple[Rival, Passes]]:
    """Return the installed ways to validate. Those that are not installed are named on standard error."""
    made = {}
    for rival in RIVALS:
        try:
            made[rival.name] = (rival, rival.make())
        except ImportError as error:
            print(f"left out: {rival.name}: {error.name} is not installed (extra bench)", file=sys.stderr)
    return made


def left_out(made: dict[str, tuple[Rival, Passes]]) -> list[str]:
    """Return a note that names the ways to validate that are not installed; empty if all are installed."""
    names = [rival.name for rival in RIVALS if rival.name not in made]
    return [f"Left out, because not installed: {', '.join(names)}."] if names else []


def refuses(passes: Passes, body: bytes) -> bool:
    """Return whether a body is refused: the function returns False or raises."""
    try:
        return not passes(body)
    except Exception:  # noqa: BLE001 - each library raises its own exceptions
        return True
