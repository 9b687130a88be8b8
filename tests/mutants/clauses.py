"""Which modules are changed, and which tests have to notice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trial import Ground

ROOT: Final = Path(__file__).parents[2]
_PACKAGE: Final = ROOT / "conformance"
_NO_CLAUSES: Final = {"__init__.py", "catalogue.py", "omissions.py", "terms.py", "validator.py"}
"""The catalogue, what is left out of it, its terms, and the library around it."""
NOT_TRIED: Final = "fast*.py"
"""They prove bodies good without building them. What holds them against the clauses, on everything that was recorded
and generated, takes minutes: too long for a mutant."""
_SHARED_TEXT: Final = (_PACKAGE / "text" / "safe.py", _PACKAGE / "exchange" / "headers.py")
"""What clauses say of a value and read from a field is made there."""


def short(module: str) -> str:
    """Return the name of a module without those of its packages."""
    return module.rpartition(".")[2]


_MODULES: Final = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts): path
    for path in (*sorted((_PACKAGE / "contract").rglob("*.py")), *_SHARED_TEXT)
    if path.name not in _NO_CLAUSES and not path.match(NOT_TRIED)
}

_SELECTED: Final = ("json_text", "item", "job_number", "create_time", "error", "auth")
_LIFECYCLE: Final = ("lifecycle", "waiting", "removal")
_NEAR: Final = {
    "body": ("reading", *_SELECTED),
    "memory": ("reading", "reads", *_LIFECYCLE),
    "conversation": ("answer", "history", *_SELECTED, *_LIFECYCLE),
    "cors": ("privacy",),
    "expected_status": ("allowed",),
    "headers": ("http", "caching", "error"),
    "item_create_time": ("create_time",),
    "item_job_number": ("job_number",),
    "json": ("json_text",),
    "lifecycle_remove": ("removal",),
    "lifecycle_submit": ("lifecycle",),
    "lifecycle_wait": ("waiting",),
    "safe": ("clause",),
    "status": ("envelope",),
    "values": ("item", "job_number", "workflow"),
}
"""The subjects of the tests about a module, where there is none that is named like it alone."""
_MORE: Final = {
    **dict.fromkeys(
        ("conversation", "lifecycle_submit", "lifecycle_wait", "lifecycle_remove"), ("tests/test_lifecycle.py",)
    ),
    "safe": ("tests/report/test_report_inert.py",),
}
"""Tests about a module elsewhere."""


def _near(name: str) -> tuple[str, ...]:
    own = (f"tests/contract/test_contract_{subject}.py" for subject in _NEAR.get(name, (name,)))
    return (*(file for file in own if (ROOT / file).exists()), *_MORE.get(name, ()))


_PRELOADED: Final = (
    "hypothesis.strategies", "jsonschema", "openapi_schema_validator", "httpx", "aiohttp.web", "harfile", "yaml",
    "conformance.reference.server", "conformance.reference.faults", "conformance.reference.hostile",
    "conformance.strategies",
)  # fmt: skip
_SHARED: Final = ("fairness", "judge", "kinds", "lifecycle", "recordings")
"""Tests of what the modules do together."""

GROUND: Final = Ground(
    root=ROOT,
    modules=_MODULES,
    near={name: _near(short(name)) for name in _MODULES},
    tests=(
        *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "contract").glob("test_*.py"))),
        *(f"tests/test_{name}.py" for name in _SHARED),
        "tests/report/test_report_inert.py",
    ),
    preloaded=_PRELOADED,
    paths=(ROOT, ROOT / "tests", ROOT / "tests" / "properties", ROOT / "tests" / "report"),
)
