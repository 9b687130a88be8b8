"""The settings by which the responses of a run are checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from conformance.contract.terms import Dialect

if TYPE_CHECKING:
    from conformance.judge.deviations.register import Register
    from conformance.spec.schemas import Schemas

WHOLE_AND_HIDDEN: Final = (
    "--full-bodies stores workflows, which are redacted unless the target is on this machine: add --show-workflows"
)


class Judging(Struct, frozen=True):
    """How the responses of a run are checked. ``options`` are all options of the run, as the report shows them."""

    dialect: Dialect = Dialect.CLOUD
    only: frozenset[str] | None = None
    """The ids of the clauses to check; None for all."""
    selected: str | None = None
    """In words, how the user selected clauses. None if all are checked."""
    hide_workflows: bool = False
    """Whether to mask the contents of workflows in the report."""
    show_workflows: bool = False
    """Whether to show the contents of workflows, even in recordings from another machine."""
    full_bodies: bool = False
    """Whether to store whole bodies in the report, so that ``comfy-conformance judge`` can check them again."""
    register: Register | None = None
    """The known deviations to waive, or None."""
    schemas: Schemas | None = None
    """The response schemas of the OpenAPI document given with ``--document``, or None."""
    options: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
