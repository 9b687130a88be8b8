"""Conformance suite for ``GET /api/queue`` of ComfyUI and Comfy Cloud.

``validate(body)`` says what breaks the contract in a body, ``check(url)`` what a server does; both without pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

__version__ = "0.1.0"

if TYPE_CHECKING:
    from conformance.contract.clause import Finding, Level
    from conformance.dialect import Dialect
    from conformance.library import Validator, check, validate
    from conformance.report.model import Report, Status, Verdict
    from conformance.settings import UsageProblem

__all__ = [
    "Dialect",
    "Finding",
    "Level",
    "Report",
    "Status",
    "UsageProblem",
    "Validator",
    "Verdict",
    "check",
    "validate",
]

_HOMES: Final = {
    "Dialect": "dialect",
    "Finding": "contract.clause",
    "Level": "contract.clause",
    "Report": "report.model",
    "Status": "report.model",
    "UsageProblem": "settings",
    "Validator": "library",
    "Verdict": "report.model",
    "check": "library",
    "validate": "library",
}
"""Where each name lives. It is loaded when it is asked for: to import the package costs next to nothing."""


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
