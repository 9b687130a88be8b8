"""Conformance suite for ``GET /api/queue`` of ComfyUI and Comfy Cloud.

``validate(body)`` returns the findings for a response body, ``check(url)`` checks a server. Neither needs pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from conformance.version import __version__

if TYPE_CHECKING:
    from conformance.contract.clause import Finding
    from conformance.contract.terms import Dialect, Level
    from conformance.contract.validator import Validator, validate
    from conformance.judge.report import Report, Status, Verdict
    from conformance.problems import UsageProblem
    from conformance.run.check import check

__all__ = [
    "Dialect",
    "Finding",
    "Level",
    "Report",
    "Status",
    "UsageProblem",
    "Validator",
    "Verdict",
    "__version__",
    "check",
    "validate",
]

_HOMES: Final = {
    "Dialect": "contract.terms",
    "Finding": "contract.clause",
    "Level": "contract.terms",
    "Report": "judge.report",
    "Status": "judge.report",
    "UsageProblem": "problems",
    "Validator": "contract.validator",
    "Verdict": "judge.report",
    "check": "run.check",
    "validate": "contract.validator",
}
"""The module of each public name. The module is imported when the name is first used, so importing the package is
cheap.
"""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
