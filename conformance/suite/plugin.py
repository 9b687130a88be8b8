"""The pytest plugin: it adds options and markers, runs the suite, reports each clause, and sets the exit status."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import structs

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import PROFILE_MEANING, profile_of
from conformance.exchange.transcript import Transcript
from conformance.exchange.trouble import internal_error_text
from conformance.judge.build import report_on
from conformance.judge.coverage import skip_reason
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Status, decode, encode
from conformance.problems import UsageProblem
from conformance.properties.names import DECLARED
from conformance.render.terminal import COLOUR, broken_status, clause_lines, property_lines, summary_lines
from conformance.render.write import check_writable, write_reports
from conformance.run.consent import announcement, demand_consent
from conformance.run.one_run import ask
from conformance.run.options import settings_from
from conformance.run.settings import Settings
from conformance.suite.options import add_options, given_options
from conformance.text.safe import line

MARKS: Final = {
    clause.id: [
        getattr(pytest.mark, name)
        for name in dict.fromkeys(
            (
                clause.level.value,
                profile_of(clause.id).value,
                clause.subject,
                *(["core"] if clause.core else []),
            )
        )
    ]
    for clause in CATALOGUE
}
SETTINGS: Final = pytest.StashKey[Settings]()
REQUESTS_SENT: Final = "generated requests"
"""The name of a pytest user property: its value says how many generated requests were sent and broke no clause."""
TRANSCRIPT: Final = pytest.StashKey[Transcript]()
REPORT: Final = pytest.StashKey[Report]()


def _markers() -> list[tuple[str, str]]:
    subjects = dict.fromkeys(clause.subject for clause in CATALOGUE if clause.subject not in PROFILE_MEANING)
    return [
        ("conformance", "the conformance suite"),
        ("must", "clauses that make the verdict non-conformant if they are broken"),
        ("should", "clauses that cause a warning if they are broken"),
        ("property", "families of requests that Schemathesis generates from the OpenAPI document"),
        ("core", "clauses that must have been checked for the verdict conformant"),
        *((profile.value, f"clauses of this profile ({meaning})") for profile, meaning in PROFILE_MEANING.items()),
        *((subject, f"clauses on {subject}") for subject in subjects),
    ]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


class SuiteModule(pytest.Module):
    """The module with the suite's tests. Its tests start with test_, whatever python_functions is set to."""

    def funcnamefilter(self, name: str) -> bool:
        """Return whether the name is the name of a test."""
        return name.startswith("test_")


def _report(config: pytest.Config) -> Report:
    """Return the report on all clauses. The first call sends the requests and judges the responses."""
    if REPORT not in config.stash:
        if _is_worker(config):
            config.stash[REPORT] = decode(config.workerinput["conformance_report"])  # type: ignore[attr-defined]
        else:
            try:
                config.stash[TRANSCRIPT] = ask(config.stash[SETTINGS])
                config.stash[REPORT] = report_on(config.stash[TRANSCRIPT], config.stash[SETTINGS].judging)
            except UsageProblem as problem:
                pytest.exit(str(problem), pytest.ExitCode.USAGE_ERROR)
            except Exception as error:  # noqa: BLE001 - a traceback with -l would show the key
                pytest.exit(internal_error_text(error, os.environ), pytest.ExitCode.INTERNAL_ERROR)
    return config.stash[REPORT]


def report_clause(config: pytest.Config, clause_id: str) -> None:
    """Pass, fail, skip or xfail the test of a clause by the clause's status.

    A failure shows the findings without a traceback.
    """
    report = _report(config)
    result = report.clause(clause_id)
    if result.status in _failing(config.stash[SETTINGS]):
        pytest.fail("\n".join(line.text for line in clause_lines(result)), pytrace=False)
    if result.status is Status.WAIVED:
        pytest.xfail(f"waived: {result.waiver} [{clause_id}]")
    if result.status in (Status.NOT_EXERCISED, Status.NOT_APPLICABLE):
        pytest.skip(skip_reason(result, report.run))  # with -ra, pytest prints one line for each reason
    if result.status is Status.WARN:
        raise Warned


def report_family(config: pytest.Config, family: str, item: pytest.Item) -> None:
    """Pass, fail, skip or xfail the test of a family of generated requests by the clauses that they broke."""
    report = _report(config)
    if report.properties is None:
        pytest.skip("no requests are generated (--properties 0, or the run ended early)")
    found = report.properties.family(family)
    if family == DECLARED and not found.sent:
        pytest.skip("the OpenAPI document declares no parameters of GET /api/queue")
    lines, failing = property_lines(report, found), _failing(config.stash[SETTINGS])
    if report.properties.stopped and not found.sent:
        pytest.skip(f"not sent: {report.properties.stopped}")
    statuses = {broken_status(report, broken.clause) for broken in found.broken}
    if statuses & failing:
        pytest.fail("\n".join(line.text for line in lines), pytrace=False)
    if Status.WAIVED in statuses:
        pytest.xfail("waived: every clause that these requests break is a known deviation")
    if Status.NOT_EXERCISED in statuses:
        pytest.skip("\n".join(line.text for line in lines))
    item.user_properties.append((REQUESTS_SENT, lines[-1].text))
    if Status.WARN in statuses:
        raise Warned


class Warned(Exception):
    """Raised in a test whose should clause is broken: the test passes, but pytest shows it as a warning."""


def _selection(session: pytest.Session, exitstatus: int) -> str:
    """Describe which tests the user selected, or that the run stopped early."""
    option = session.config.option
    selection = [f"--clause {pattern!r}" for pattern in option.clause or ()]
    selection += [f"-{flag} {value!r}" for flag, value in (("k", option.keyword), ("m", option.markexpr)) if value]
    if session.shouldfail or session.shouldstop or exitstatus == pytest.ExitCode.INTERRUPTED:
        selection.append("stopped early")
    return ", ".join(selection) or "individually selected clauses"


def _failing(settings: Settings) -> set[Status]:
    return {Status.FAIL, Status.ERROR} | ({Status.WARN} if settings.fail_on_should else set())


class Plugin:
    """The pytest hooks of the suite. ``node`` is the node id of the suite's module, and ``suite`` its file.

    ``located`` turns a pytest argument that names the suite into the path of that file.
    """

    def __init__(self, node: str, suite: Path, located: Callable[[str], str]) -> None:
        self._node, self._suite, self._locate = node, suite, located
        self._clauses_run: set[str] = set()
        """The ids of the clauses whose tests have run."""
        self._families_run = 0
        """How many families of generated requests had their test run."""
        self._families_failed = 0
        self._report_error: str | None = None
        self._history_error: str | None = None

    @staticmethod
    def pytest_addoption(parser: pytest.Parser) -> None:
        """Add the options of a run, below the same headings as in `check --help`."""
        add_options(parser)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Check the options before collection, and register the markers."""
        for name, text in _markers():
            config.addinivalue_line("markers", f"{name}: {text}")
        config.args[:] = [self._locate(arg) for arg in config.args]
        if config.known_args_namespace.noconftest:
            config.getini("usefixtures").clear()  # they belong to another project's conftest.py
        option = config.option
        try:
            settings = settings_from(os.environ, given_options(option))
            demand_consent(settings)
            here = config.invocation_params.dir
            # made absolute: tests may change the working directory
            settings = structs.replace(
                settings,
                report_dir=(here / settings.report_dir).resolve(),
                history=None if settings.history is None else (here / settings.history).resolve(),
            )
            if not _is_worker(config) and not option.collectonly:
                check_writable(settings.report_dir, settings.formats)
                if settings.history is not None:
                    from conformance.history import prepare

                    prepare(settings.history)
        except UsageProblem as problem:
            raise pytest.UsageError(str(problem)) from None
        except OSError as error:
            msg = f"the report directory {option.report_dir} cannot be written ({error.strerror}): choose another with --report-dir"
            raise pytest.UsageError(msg) from None
        config.stash[SETTINGS] = settings

    def pytest_pycollect_makemodule(self, module_path: Path, parent: Any) -> SuiteModule | None:
        """Collect the suite's module as a ``SuiteModule``, where no user setting decides what is a test."""
        if module_path == self._suite:
            module: SuiteModule = SuiteModule.from_parent(parent, path=module_path, nodeid=self._node)
            return module
        return None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Show the suite's node id in the output of ``-v``, not the path of the installed file."""
        if isinstance(item.parent, SuiteModule):
            item.location = (self._node, *item.location[1:])

    @staticmethod
    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(node: Any) -> None:
        """Pass the report to each worker of pytest-xdist. Only the controller sends requests."""
        node.workerinput["conformance_report"] = encode(_report(node.config))

    @staticmethod
    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Let a test pass if its should clause is broken, and mark it as a warning."""
        try:
            return (yield)
        except Warned:
            pyfuncitem.user_properties.append(("conformance", Status.WARN.value))
            return True

    @staticmethod
    def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show a test as W if its should clause is broken, and with -v how many generated requests broke nothing."""
        if report.when != "call" or not report.passed:
            return None
        if ("conformance", Status.WARN.value) in report.user_properties:
            return "warned", "W", ("WARNED", {"yellow": True})
        sent = dict(report.user_properties).get(REQUESTS_SENT)
        return ("passed", ".", (f"PASSED {sent}", {"green": True})) if sent else None

    @staticmethod
    def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
        """Create a test for each family of requests that are generated from the OpenAPI document."""
        if isinstance(metafunc.definition.parent, SuiteModule) and "family" in metafunc.fixturenames:
            from conformance.properties.families import label_of, names

            settings = metafunc.config.stash[SETTINGS]
            found = names(settings.described, settings.gateway.names)
            label = label_of(settings.described)
            metafunc.parametrize("family", found, ids=[f"{label} / {name}" for name in found])

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the tests of clauses that ``--clause`` does not match."""
        only = config.stash[SETTINGS].only
        if only is None:
            return
        start = f"{self._node}::test_clause["
        left_out = [
            item for item in items if item.nodeid.startswith(start) and item.nodeid[len(start) : -1] not in only
        ]
        if left_out:
            items[:] = [item for item in items if item not in left_out]
            config.hook.pytest_deselected(items=left_out)

    @staticmethod
    def pytest_report_header(config: pytest.Config) -> list[str]:
        """Return lines about the run for the header: the target, the limits, and who receives the key."""
        settings = config.stash[SETTINGS]
        return [f"conformance: {line}" for line in announcement(settings)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports, and set the exit status unless pytest itself failed, for example by an internal error."""
        config = session.config
        clauses_run = self._clauses_run
        if _is_worker(config) or not (clauses_run or self._families_run) or REPORT not in config.stash:
            return
        settings = config.stash[SETTINGS]
        report = config.stash[REPORT]
        selected = _selection(session, exitstatus)
        if not clauses_run:  # only families were selected: all clauses were judged on their requests
            report = structs.replace(report, run=structs.replace(report.run, partial=True, selected=selected))
            config.stash[REPORT] = report
        elif len(clauses_run) < len(CATALOGUE):
            report = report_on(
                config.stash[TRANSCRIPT], settings.judging, only=frozenset(clauses_run), selected=selected
            )
            config.stash[REPORT] = report
        if settings.history is not None:
            from conformance.history import HistoryProblem, keep

            try:
                report = config.stash[REPORT] = keep(report, settings.history, fail_on_should=settings.fail_on_should)
            except HistoryProblem as problem:
                self._history_error = f"{problem}: this run was not stored"
        try:
            write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should, formats=settings.formats)
        except OSError as error:
            self._report_error = f"the reports cannot be written to {settings.report_dir} ({error.strerror})"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        if not clauses_run:
            return
        failed = sum(result.status in _failing(settings) for result in report.clauses) + self._families_failed
        others_failed = session.testsfailed > failed
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not others_failed:
            session.exitstatus = exit_status(
                report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok
            )
            if self._history_error is not None and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print the verdict, the counts, and the findings that pytest has not printed."""
        if REPORT not in config.stash or not (self._clauses_run or self._families_run):
            return
        report, settings = config.stash[REPORT], config.stash[SETTINGS]
        terminalreporter.write_sep("=", "conformance")
        failed = {result.id for result in report.clauses if result.status in _failing(settings)}
        for one in summary_lines(report, already_shown=failed & self._clauses_run):
            colour = COLOUR.get(one.style)
            terminalreporter.write_line(one.text, **({colour: True} if colour else {}))
        if self._history_error is not None:
            terminalreporter.write_line(line(self._history_error), red=True)
        if self._report_error is not None:
            terminalreporter.write_line(self._report_error, red=True)
        else:
            terminalreporter.write_line(f"report: {settings.report_dir / 'index.html'}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record which of the suite's tests have run."""
        if report.when == "call" and report.nodeid.startswith(f"{self._node}::test_clause["):
            self._clauses_run.add(report.nodeid.rpartition("[")[2].removesuffix("]"))
        if report.when == "call" and report.nodeid.startswith(f"{self._node}::test_property["):
            self._families_run += not report.skipped
            self._families_failed += report.failed
