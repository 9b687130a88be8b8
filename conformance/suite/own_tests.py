"""``contract_tests``: check a server that another test suite starts, as tests of that suite."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from typing import Any, Final, NamedTuple

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.judge.coverage import skip_reason
from conformance.judge.report import Report, Status, Verdict
from conformance.problems import UsageProblem
from conformance.properties.families import label_of, names
from conformance.render.terminal import broken_status, clause_lines, property_lines
from conformance.run.check import check, demand_options
from conformance.run.make import selected_clauses
from conformance.spec.operation import shipped

VERDICT: Final = "verdict"
_REPORTS: Final = pytest.StashKey[dict[tuple[str, str], Report]]()
_NOT_SEEN: Final = (Status.NOT_EXERCISED, Status.NOT_APPLICABLE)


class _Item(NamedTuple):
    """One test: ``kind`` is the verdict, a clause, or a family of generated requests; ``name`` says which."""

    kind: str
    name: str


def contract_tests(
    fixture: str, *, inconclusive_ok: bool = False, fail_on_should: bool = False, **options: Any
) -> Callable[..., None]:
    """Return a parametrised test: one case for the verdict, each clause, and each family of generated requests.

    Assign it to a name that pytest collects::

        test_queue_contract = contract_tests("gateway_url")

    ``fixture`` names a fixture of yours that yields the base URL of a running server, without ``/api/queue``. Give it
    the scope of a module or a session: each URL is checked once. ``options`` are those of ``conformance.check``, such
    as ``api_key``, ``dialect``, ``queue_path``, ``properties`` and ``seed``. The case ``verdict`` fails if the run is
    inconclusive, for example because the queue contains no job, unless ``inconclusive_ok``. A broken ``should`` passes
    unless ``fail_on_should``. Nothing is written to a file.

    With ``clause`` there are cases only for the selected clauses.

    Raises TypeError for an option that ``conformance.check`` does not have, and UsageProblem for a ``clause`` that
    matches no clause.
    """
    demand_options(options)
    failing = {Status.FAIL, Status.ERROR} | ({Status.WARN} if fail_on_should else set())

    @pytest.mark.parametrize("contract_item", list(_items(selected_clauses(options.get("clause", ())))))
    def test_contract(contract_item: _Item, request: pytest.FixtureRequest) -> None:
        report = _report(request, request.getfixturevalue(fixture), options)
        if contract_item.kind == VERDICT:
            _report_verdict(report, inconclusive_ok=inconclusive_ok)
        elif contract_item.kind == "clause":
            _report_clause(report, contract_item.name, failing)
        else:
            _report_family(report, contract_item.name, failing)

    return test_contract


def _items(only: Container[str] | None) -> Iterator[Any]:
    yield pytest.param(_Item(VERDICT, VERDICT), id=VERDICT)
    ids = [clause.id for clause in CATALOGUE if only is None or clause.id in only]
    yield from (pytest.param(_Item("clause", name), id=name) for name in ids)
    described = shipped()
    label = label_of(described)
    yield from (pytest.param(_Item("family", name), id=f"{label} / {name}") for name in names(described))


def _report(request: pytest.FixtureRequest, url: object, options: dict[str, Any]) -> Report:
    """Return the report on the server at a URL. Only the first call for a URL sends requests."""
    if not isinstance(url, str):
        pytest.fail(f"the fixture yields {type(url).__name__}: let it yield the URL of a server as str", pytrace=False)
    reports = request.config.stash.setdefault(_REPORTS, {})
    place = (url, repr(sorted(options.items())))
    if place not in reports:
        try:
            reports[place] = check(url, **options)
        except UsageProblem as problem:
            pytest.fail(str(problem), pytrace=False)
    return reports[place]


def _report_verdict(report: Report, *, inconclusive_ok: bool) -> None:
    reached = any(each.response is not None for each in report.exchanges)
    if report.verdict is Verdict.INCONCLUSIVE and inconclusive_ok and reached:
        pytest.skip(f"inconclusive: {report.verdict_reason}")
    if report.verdict is not Verdict.CONFORMANT:
        pytest.fail(f"{report.verdict.value}: {report.verdict_reason}", pytrace=False)


def _report_clause(report: Report, clause: str, failing: set[Status]) -> None:
    result = report.clause(clause)
    if result.status in failing:
        pytest.fail("\n".join(line.text for line in clause_lines(result)), pytrace=False)
    if result.status in _NOT_SEEN:
        pytest.skip(skip_reason(result, report.run))


def _report_family(report: Report, name: str, failing: set[Status]) -> None:
    found = report.properties.family(name) if report.properties is not None else None
    if found is None or not found.sent:
        pytest.skip("no request of this family was generated")
    lines = "\n".join(line.text for line in property_lines(report, found))
    statuses = {broken_status(report, broken.clause) for broken in found.broken}
    if statuses & failing:
        pytest.fail(lines, pytrace=False)
    if Status.NOT_EXERCISED in statuses:
        pytest.skip(lines)
