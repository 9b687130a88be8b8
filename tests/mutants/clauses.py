"""The modules that are mutated, and the tests that must fail for each mutant."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trial import Ground

ROOT: Final = Path(__file__).parents[2]
_PACKAGE: Final = ROOT / "conformance"
_NO_CLAUSES: Final = {"__init__.py", "catalogue.py", "omissions.py", "terms.py", "validator.py"}
"""Modules that are not mutated: the catalogue, the omissions, the terms, and the public library."""
_SHARED_TEXT: Final = (
    *(_PACKAGE / "text" / f"{name}.py" for name in ("json_bytes", "json_runs", "large_json", "safe", "strict_json")),
    _PACKAGE / "exchange" / "headers.py",
)
"""They parse bodies, show values, read header fields, and compare a text with its value for the fast path."""

_JUDGE: Final = tuple(_PACKAGE / "judge" / f"{name}.py" for name in ("excerpt", "outcome", "tally", "verdict"))
"""They turn findings into evidence, statuses and a verdict."""


def short(module: str) -> str:
    """Return the name of a module without those of its packages."""
    return module.rpartition(".")[2]


_MODULES: Final = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in (*sorted((_PACKAGE / "contract").rglob("*.py")), *_SHARED_TEXT, *_JUDGE)
    if path.name not in _NO_CLAUSES
}

_SELECTED: Final = ("json", "item", "item_job_number", "item_create_time", "error", "auth")
_LIFECYCLE: Final = ("lifecycle_submit", "lifecycle_wait", "lifecycle_remove", "lifecycle_stop")
_MIRRORED: Final = ("contract", "judge")
_NEAR: Final = {
    "body": ("reading", *_SELECTED),
    "memory": ("reading", "reads", *_LIFECYCLE),
    "conversation": ("answer", "job_history", "expected_status", *_SELECTED, *_LIFECYCLE),
    "cors": ("privacy",),
    "expected_status": ("expected_status", "method"),
    "error_other": ("error",),
    **dict.fromkeys(
        ("large_compared", "large_job", "large_listed", "large_part", "large_recalled", "large_windows"),
        ("large_parts", "large"),
    ),
    "large": ("large_flaws", "large"),
    "large_jobs": ("large_jobs", "large"),
    **dict.fromkeys(("fast", "fast_job", "fast_proof", "fast_split", "fast_workflow"), ("fast", "fast_job")),
    "item_create_time": ("item_create_time", "item"),
    "item_job_number": ("item_job_number", "item"),
    "lifecycle_remove": ("lifecycle_remove", "job_history"),
    "lifecycle_stop": ("lifecycle_stop", "lifecycle_remove"),
    "safe": ("clause",),
    "status": ("envelope",),
    "values": ("item", "item_job_number", "workflow"),
}
"""The names of the test files about a module, if they differ from the name of the module."""
_MORE: Final = {
    **dict.fromkeys(
        ("conversation", *_LIFECYCLE),
        ("tests/contract/test_lifecycle.py",),
    ),
    "large_recalled": ("tests/contract/test_known_jobs.py", "tests/contract/test_large.py"),
    "json_bytes": ("tests/text/test_json_bytes.py", "tests/contract/test_any_size.py"),
    "json_runs": ("tests/text/test_json_runs.py",),
    "large_json": ("tests/text/test_large_json.py", "tests/text/test_large_json_parts.py"),
    "headers": ("tests/exchange/test_headers.py",),
    "safe": ("tests/text/test_safe.py",),
    "strict_json": ("tests/text/test_strict_json.py",),
}
"""Test files about a module in other folders."""


def _near(name: str) -> tuple[str, ...]:
    own = (f"tests/{package}/test_{subject}.py" for subject in _NEAR.get(name, (name,)) for package in _MIRRORED)
    return (*(file for file in own if (ROOT / file).exists()), *_MORE.get(name, ()))


_PRELOADED: Final = (
    "hypothesis.strategies",
    "jsonschema",
    "openapi_schema_validator",
    "httpx",
    "aiohttp.web",
    "harfile",
    "yaml",
    "conformance.reference.server",
    "conformance.reference.faults",
    "conformance.reference.hostile",
    "conformance.strategies",
)
_NOT_RUN: Final = {"test_catalogue", "test_large_bodies", "test_validator"}
"""These compare tables and measure memory."""
_SHARED: Final = (
    "exchange/test_har",
    "exchange/test_printed_recordings",
    "exchange/test_recordings",
    "judge/test_breach_kinds",
    "judge/test_excerpt",
    "judge/test_judge",
    "judge/test_messages",
    "judge/test_past_misjudgements",
    "text/test_json_bytes",
    "text/test_json_runs",
    "text/test_large_json",
    "text/test_large_json_parts",
    "text/test_safe",
    "text/test_strict_json",
)
"""Tests of several modules together."""

GROUND: Final = Ground(
    root=ROOT,
    modules=_MODULES,
    near={name: _near(short(name)) for name in _MODULES},
    tests=(
        *(
            str(path.relative_to(ROOT))
            for path in sorted((ROOT / "tests" / "contract").glob("test_*.py"))
            if path.stem not in _NOT_RUN
        ),
        *(f"tests/{name}.py" for name in _SHARED),
    ),
    preloaded=_PRELOADED,
    paths=(ROOT, ROOT / "tests"),
)
