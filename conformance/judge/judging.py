"""What a judgement depends on beside the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.contract.terms import Dialect

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register

VERDICT_OPTIONS: Final = (
    "dialect",
    "redact_workflows",
    "full_bodies",
    "deviations",
    "fail_on_should",
    "inconclusive_ok",
)
"""Options, by name, on which the verdict or what a report shows of it depends: every verb with a verdict has them."""


@dataclass(frozen=True)
class Judging:
    """How answers are judged. ``options`` are all those of the run, as the report shows them."""

    dialect: Dialect = Dialect.CLOUD
    hide_workflows: bool = False
    """Leave out of the report what users wrote into workflows."""
    full_bodies: bool = False
    """Keep whole bodies, so that the report can be judged again."""
    register: Register | None = None
    """Known deviations, which are waived."""
    options: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
