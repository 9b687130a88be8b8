"""Draw cases of an operation with Schemathesis and Hypothesis, by a seed."""

from __future__ import annotations

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
    """Keep files that Hypothesis writes (tables of Unicode, constants) out of the user's directory."""
    before = storage_directory("", intent_to_write=False).home_directory
    with TemporaryDirectory(prefix="comfy-conformance-", ignore_cleanup_errors=True) as place:
        set_hypothesis_home_dir(place)
        try:
            yield
        finally:
            set_hypothesis_home_dir(before)


def one_case(family: Family) -> Case[Any]:
    """Draw one case of a family."""
    cases = draw(operation_of(family).as_strategy(), 1, 0)
    return cases[0]  # type: ignore[no-any-return]


def operation_of(family: Family) -> APIOperation[Any, Any, Any, Any]:
    """Load the document of a family and return its operation."""
    config = SchemathesisConfig.from_dict(_CONFIG)
    return schemathesis.openapi.from_dict(family.document, config=config)[family.path][METHOD.upper()]


def draw(strategy: st.SearchStrategy[Any], number: int, seed: int) -> list[Any]:
    """Draw ``number`` values of a strategy, or all if it has fewer."""
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
