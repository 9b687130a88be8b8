"""``contract_tests``: check a server that another test suite starts, as tests of that suite."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.judge.coverage import skip_reason
from conformance.judge.deviations.register import read_register
from conformance.judge.report import Report, Status, Verdict
from conformance.problems import UsageProblem
from conformance.properties.families import label_of, names
from conformance.render.qualifiers import register_problems
from conformance.render.terminal import broken_status, clause_lines, property_lines
from conformance.run.check import check, demand_options
from conformance.run.make import selected_clauses
from conformance.spec.operation import vendored

VERDICT: Final = "verdict"
_REPORTS: Final = pytest.StashKey[dict[tuple[str, str], Report]]()
_NOT_SEEN: Final = (Status.NOT_EXERCISED, Status.NOT_APPLICABLE)


class _OwnTest(NamedTuple):
    """One test. ``kind``: it is about the verdict, a clause or a family of generated requests, called ``name``."""

    kind: str
    name: str


def contract_tests(
    fixture: str, *, inconclusive_ok: bool = False, fail_on_should: bool = False, **options: Any
) -> Callable[..., None]:
    """Return a parametrised test: one case for the verdict, each clause, and each family of generated requests.

    Assign it to a name that pytest collects::

    test_queue_contract = contract_tests("gateway_url")

    ``fixture`` names a fixture of yours that yields the base URL of a running server, without ``/api/queue``. Give the
    fixture the scope of a module or a session: each URL is checked only once. ``options`` are those of
    ``conformance.check``, such as ``api_key``, ``dialect``, ``queue_path``, ``deviations``, ``properties`` and
    ``seed``. The case ``verdict`` fails if the run is inconclusive, for example because the queue contains no job,
    unless ``inconclusive_ok``. A broken ``should`` passes unless ``fail_on_should``. Nothing is written to a file.

    With ``clause`` there are cases only for the selected clauses. With ``deviations``, the cases of known deviations
    are expected failures, and a register with stale or expired entries fails the case ``verdict``.

    Raises TypeError for an option that ``conformance.check`` does not have, and UsageProblem for a ``clause`` that
    matches no clause and for a register that cannot be read.
    """
    demand_options(options, "contract_tests", ("inconclusive_ok", "fail_on_should"))
    if options.get("deviations") is not None:
        options["deviations"] = Path(options["deviations"]).absolute()  # tests may change the working directory
        read_register(options["deviations"])
    failing = {Status.FAIL, Status.ERROR} | ({Status.WARN} if fail_on_should else set())

    @pytest.mark.parametrize("contract_item", list(_items(selected_clauses(options.get("clause", ())))))
    def test_contract(contract_item: _OwnTest, request: pytest.FixtureRequest) -> None:
        report = _report(request, request.getfixturevalue(fixture), options)
        if contract_item.kind == VERDICT:
            _report_verdict(report, inconclusive_ok=inconclusive_ok)
        elif contract_item.kind == "clause":
            _report_clause(report, contract_item.name, failing)
        else:
            _report_family(report, contract_item.name, failing)

    return test_contract


def _items(only: Container[str] | None) -> Iterator[Any]:
    yield pytest.param(_OwnTest(VERDICT, VERDICT), id=VERDICT)
    ids = [clause.id for clause in CATALOGUE if only is None or clause.id in only]
    yield from (pytest.param(_OwnTest("clause", name), id=name) for name in ids)
    described = vendored()
    label = label_of(described)
    yield from (pytest.param(_OwnTest("family", name), id=f"{label} / {name}") for name in names(described))


def _report(request: pytest.FixtureRequest, url: object, options: dict[str, Any]) -> Report:
    """Return the report on the server at a URL. Only the first call for a URL sends requests."""
    if not isinstance(url, str):
        pytest.fail(f"the fixture yields {type(url).__name__}: let it yield the URL of a server as str", pytrace=False)
    reports = request.config.stash.setdefault(_REPORTS, {})
    place = (url, repr(sorted(options.items())))
    if place not in reports:
        refused = None
        try:
            reports[place] = check(url, **options)
        except UsageProblem as problem:
            refused = str(problem)
        if refused is not None:  # not within ``except``, or pytest shows the message twice
            pytest.fail(refused, pytrace=False)
    return reports[place]


def _report_verdict(report: Report, *, inconclusive_ok: bool) -> None:
    reached = any(each.response is not None for each in report.exchanges)
    if report.verdict is Verdict.INCONCLUSIVE and inconclusive_ok and reached:
        pytest.skip(f"inconclusive: {report.verdict_reason}")
    if report.verdict is not Verdict.CONFORMANT:
        pytest.fail(f"{report.verdict.value}: {report.verdict_reason}", pytrace=False)
    if report.deviations is not None and report.deviations.problems:
        lines = [f"{clause}: {problem}" for clause, problem in register_problems(report)]
        heading = f"the register {report.deviations.file} has stale or expired entries"
        pytest.fail("\n".join([heading, *lines]), pytrace=False)


def _report_clause(report: Report, clause: str, failing: set[Status]) -> None:
    result = report.clause(clause)
    if result.status in failing:
        pytest.fail("\n".join(line.text for line in clause_lines(result)), pytrace=False)
    if result.status is Status.WAIVED:
        pytest.xfail(f"waived: {result.waiver}")
    if result.status in _NOT_SEEN:
        pytest.skip(skip_reason(result, report.run))


def _report_family(report: Report, name: str, failing: set[Status]) -> None:
    found = report.properties.family(name) if report.properties is not None else None
    if found is None or not found.sent:
        pytest.skip("no request of this family was generated")
    lines = "\n".join(line.text for line in property_lines(report, found))
    statuses = {broken.clause: broken_status(report, broken.clause) for broken in found.broken}
    if failing.intersection(statuses.values()):
        pytest.fail(lines, pytrace=False)
    known = [clause for clause, status in statuses.items() if status is Status.WAIVED]
    if known:
        pytest.xfail(f"waived: {', '.join(known)}")
    if Status.NOT_EXERCISED in statuses.values():
        pytest.skip(lines)
