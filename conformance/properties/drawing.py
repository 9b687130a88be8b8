"""Draw random requests with Schemathesis and Hypothesis. The same seed gives the same requests."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import schemathesis
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir, storage_directory
from schemathesis.config import SchemathesisConfig

from conformance.properties.families import Family
from conformance.spec.operation import METHOD

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import APIOperation

_CONFIG: Final = {
    # The fixed plan sends the wrong keys, and only positive data is generated.
    "generation": {"with-security-parameters": False, "mode": "positive"}
}


@contextmanager
def temporary_storage() -> Iterator[None]:
    """Let Hypothesis write its files (Unicode tables, constants) into a temporary directory, not the user's."""
    before = storage_directory("", intent_to_write=False).home_directory
    with TemporaryDirectory(prefix="comfy-conformance-", ignore_cleanup_errors=True) as place:
        set_hypothesis_home_dir(place)
        try:
            yield
        finally:
            set_hypothesis_home_dir(before)


@contextmanager
def without_old_garbage() -> Iterator[None]:
    """Let the garbage collector ignore all objects that exist already.

    Before its first case, Schemathesis collects all garbage, among the many objects of the modules it just imported.
    """
    if gc.get_freeze_count():  # the process ignores some already, and will go on
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def one_case(family: Family) -> Case[Any]:
    """Draw one Schemathesis case (a request) of a family (a group of parameters)."""
    cases = draw(operation_of(family).as_strategy(), 1, 0)
    return cases[0]  # type: ignore[no-any-return]


def operation_of(family: Family) -> APIOperation[Any, Any, Any, Any]:
    """Load the OpenAPI document of a family into Schemathesis, and return its only operation."""
    config = SchemathesisConfig.from_dict(_CONFIG)
    return schemathesis.openapi.from_dict(family.document, config=config)[family.path][METHOD.upper()]


def draw(strategy: st.SearchStrategy[Any], number: int, seed: int) -> list[Any]:
    """Draw ``number`` values from a strategy, or all if it has fewer. ``seed`` makes the result reproducible."""
    drawn: list[Any] = []

    @hypothesis.settings(
        max_examples=number,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    @hypothesis.seed(seed)
    @hypothesis.given(strategy)
    def collect(value: Any) -> None:
        drawn.append(value)

    collect()
    return drawn
