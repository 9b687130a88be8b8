"""Make the JSON Schema of ``compliance.json`` from the types of a report. ``tox -e docs`` writes the file."""

from __future__ import annotations

import json
from inspect import cleandoc
from pathlib import Path
from typing import Any, Final

import msgspec

from conformance.judge.report import Report

PATH: Final = Path(__file__).parents[1] / "conformance" / "render" / "compliance.schema.json"
ID: Final = "urn:comfy-queue-conformance:compliance:1"


def build_schema() -> dict[str, Any]:
    """Return the schema (draft 2020-12). Objects allow unknown members, because the format may grow."""
    (top,), components = msgspec.json.schema_components([Report], ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ID,
        "title": "compliance.json of comfy-queue-conformance",
        "description": "What one run of the conformance suite for GET /api/queue found. "
        "Members may be added to this format, but never changed or removed.",
        **top,
        # msgspec before 0.21 does not remove the indentation of docstrings
        "$defs": {name: {**one, "description": cleandoc(one["description"])} for name, one in components.items()},
    }


def schema_text() -> str:
    """Return the content of the schema file."""
    return json.dumps(build_schema(), indent=2, ensure_ascii=False) + "\n"
