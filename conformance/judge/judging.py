"""The settings of a judgement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from conformance.contract.terms import Dialect

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register
    from conformance.spec.schemas import Schemas

WHOLE_AND_HIDDEN: Final = (
    "--full-bodies keeps what users wrote into workflows, which is redacted off loopback: add --show-workflows"
)


@dataclass(frozen=True)
class Judging:
    """How responses are judged. ``options`` are all options of the run, as the report shows them."""

    dialect: Dialect = Dialect.CLOUD
    only: frozenset[str] | None = None
    """The ids of the clauses to judge by; None for all."""
    selected: str | None = None
    """How the clauses were chosen, in words."""
    hide_workflows: bool = False
    """Mask the contents of workflows in the report."""
    show_workflows: bool = False
    """Show the contents of workflows, even in recordings of another machine."""
    full_bodies: bool = False
    """Keep whole bodies, so that the report can be judged again."""
    register: Register | None = None
    """The known deviations to waive."""
    schemas: Schemas | None = None
    """The response schemas of the user's own document."""
    options: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
