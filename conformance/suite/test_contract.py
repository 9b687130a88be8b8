"""One test for each clause, and one for each family of generated requests.

The requests are sent and judged once; each test reports the result of its clause or family.
"""

from __future__ import annotations

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Clause
from conformance.suite.plugin import MARKS, report_clause, report_family

pytestmark = pytest.mark.conformance


@pytest.mark.parametrize("clause", [pytest.param(clause, marks=MARKS[clause.id], id=clause.id) for clause in CATALOGUE])
def test_clause(clause: Clause, request: pytest.FixtureRequest) -> None:
    """The server follows the clause."""
    report_clause(request.config, clause.id)


@pytest.mark.property
def test_property(family: str, request: pytest.FixtureRequest) -> None:
    """No generated request of the family breaks a clause. The plugin adds one test for each family."""
    report_family(request.config, family, request.node)
