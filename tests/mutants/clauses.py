"""Which modules are changed, and which tests have to notice."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from trial import Ground

PREFIX: Final = "conformance.contract."
ROOT: Final = Path(__file__).parents[2]
_CONTRACT: Final = ROOT / "conformance" / "contract"
_NO_CLAUSES: Final = {"__init__.py", "docs.py", "omissions.py"}
"""The catalogue, its page, and what is left out of it."""
NOT_TRIED: Final = "skim"
"""It proves bodies good without building them. What holds it against the clauses, on everything that was recorded and
generated, takes minutes: too long for a mutant."""

_MODULES: Final = {
    ".".join(path.relative_to(_CONTRACT).with_suffix("").parts): path
    for path in sorted(_CONTRACT.rglob("*.py"))
    if path.name not in _NO_CLAUSES and path.parent.name != NOT_TRIED
}

_SELECTED: Final = tuple(
    f"tests/contract/test_contract_{name}.py"
    for name in ("json_text", "item", "job_number", "create_time", "error", "auth")
)
_LIFECYCLE: Final = ("tests/test_lifecycle.py",)

_MORE: Final = {
    "answer": _SELECTED, "reading": _SELECTED,
    "history": _LIFECYCLE, "lifecycle": _LIFECYCLE, "waiting": _LIFECYCLE, "removal": _LIFECYCLE,
}  # fmt: skip
"""Tests about a module beside the one that is named like it."""


def _near(short: str) -> tuple[str, ...]:
    own = f"tests/contract/test_contract_{short.replace('.', '_')}.py"
    return (*([own] if (ROOT / own).exists() else []), *_MORE.get(short, ()))


_PRELOADED: Final = (
    "hypothesis.strategies", "jsonschema", "openapi_schema_validator", "httpx", "aiohttp.web", "harfile", "yaml",
    "conformance.reference.server", "conformance.reference.faults", "conformance.reference.hostile",
    "conformance.strategies",
)  # fmt: skip
_SHARED: Final = ("fairness", "judge", "kinds", "lifecycle", "recordings")
"""Tests of what the modules do together."""

GROUND: Final = Ground(
    root=ROOT,
    modules={PREFIX + short: path for short, path in _MODULES.items()},
    near={PREFIX + short: _near(short) for short in _MODULES},
    tests=(
        *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "tests" / "contract").glob("test_*.py"))),
        *(f"tests/test_{name}.py" for name in _SHARED),
    ),
    preloaded=_PRELOADED,
    paths=(ROOT, ROOT / "tests", ROOT / "tests" / "properties"),
)
