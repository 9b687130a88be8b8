"""One test for each clause: the run is asked and judged once, each test reads out what it says of its clause."""

from __future__ import annotations

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.suite.plugin import MARKS, tell

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("clause", [pytest.param(clause, marks=MARKS[clause.id], id=clause.id) for clause in CATALOGUE])
def test_clause(clause: Clause, request: pytest.FixtureRequest) -> None:
    """The target keeps the clause."""
    tell(request.config, clause.id)
