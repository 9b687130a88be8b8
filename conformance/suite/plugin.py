"""The pytest plugin: options, the run behind all tests, markers, summary, reports and exit status."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec import structs

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import PROFILE_MEANING, profile_of
from conformance.exchange.transcript import Transcript
from conformance.exchange.trouble import told
from conformance.judge.build import report_on
from conformance.judge.coverage import skip_reason
from conformance.judge.exit import exit_status
from conformance.judge.report import Report, Status, decode, encode
from conformance.problems import UsageProblem
from conformance.properties.names import DECLARED
from conformance.render.terminal import COLOUR, broken_status, clause_lines, property_lines, summary_lines
from conformance.render.write import check_writable, write_reports
from conformance.run.ask import ask
from conformance.run.consent import announcement, demand_consent
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
KEPT: Final = "generated requests"
"""The property of a test that says how many requests broke no clause."""
TRANSCRIPT: Final = pytest.StashKey[Transcript]()
REPORT: Final = pytest.StashKey[Report]()


def _markers() -> list[tuple[str, str]]:
    subjects = dict.fromkeys(clause.subject for clause in CATALOGUE if clause.subject not in PROFILE_MEANING)
    return [
        ("conformance", "the conformance suite"),
        ("must", "clauses whose breach is non-conformance"),
        ("should", "clauses whose breach is a warning"),
        ("property", "families of requests that Schemathesis generates from the document"),
        ("core", "clauses that must have been checked for a verdict of conformant"),
        *((profile.value, f"clauses of this profile ({meaning})") for profile, meaning in PROFILE_MEANING.items()),
        *((subject, f"clauses on {subject}") for subject in subjects),
    ]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


class SuiteModule(pytest.Module):
    """A module of the suite. Its tests start with test_, whatever python_functions is."""

    def funcnamefilter(self, name: str) -> bool:
        """Return whether a function is a test."""
        return name.startswith("test_")


def _report(config: pytest.Config) -> Report:
    """Return the report on all clauses; the first call sends the requests."""
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
                pytest.exit(told(error, os.environ), pytest.ExitCode.INTERNAL_ERROR)
    return config.stash[REPORT]


def tell(config: pytest.Config, clause_id: str) -> None:
    """Turn the status of a clause into the outcome of its test, with findings instead of Python tracebacks."""
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


def tell_property(config: pytest.Config, family: str, item: pytest.Item) -> None:
    """Turn the breaches by a family of generated requests into the outcome of its test."""
    report = _report(config)
    if report.properties is None:
        pytest.skip("no requests are generated (--properties 0, or the plan ended early)")
    found = report.properties.family(family)
    if family == DECLARED and not found.sent:
        pytest.skip("the document declares no parameter of this operation")
    lines, told = property_lines(report, found), _failing(config.stash[SETTINGS])
    if report.properties.stopped and not found.sent:
        pytest.skip(f"not sent: {report.properties.stopped}")
    statuses = {broken_status(report, broken.clause) for broken in found.broken}
    if statuses & told:
        pytest.fail("\n".join(line.text for line in lines), pytrace=False)
    if Status.WAIVED in statuses:
        pytest.xfail("waived: every clause that these requests break is a known deviation")
    if Status.NOT_EXERCISED in statuses:
        pytest.skip("\n".join(line.text for line in lines))
    item.user_properties.append((KEPT, lines[-1].text))
    if Status.WARN in statuses:
        raise Warned


class Warned(Exception):
    """A broken `should` clause: the test passes, but is shown as a warning."""


def _selected(session: pytest.Session, exitstatus: int) -> str:
    """Describe which tests were selected."""
    option = session.config.option
    told = [f"--clause {pattern!r}" for pattern in option.clause or ()]
    told += [f"-{flag} {value!r}" for flag, value in (("k", option.keyword), ("m", option.markexpr)) if value]
    if session.shouldfail or session.shouldstop or exitstatus == pytest.ExitCode.INTERRUPTED:
        told.append("stopped early")
    return ", ".join(told) or "individually selected clauses"


def _failing(settings: Settings) -> set[Status]:
    return {Status.FAIL, Status.ERROR} | ({Status.WARN} if settings.fail_on_should else set())


class Plugin:
    """The hooks of a run. ``node`` is the node id of the suite's tests, and ``suite`` their file.

    ``located`` turns an argument that names the suite into its path.
    """

    def __init__(self, node: str, suite: Path, located: Callable[[str], str]) -> None:
        self._node, self._suite, self._located = node, suite, located
        self._heard: set[str] = set()
        """The clauses whose tests have run."""
        self._properties = 0
        """The families of generated requests whose tests have run."""
        self._failed_properties = 0
        self._unwritten: str | None = None
        self._unkept: str | None = None

    @staticmethod
    def pytest_addoption(parser: pytest.Parser) -> None:
        """Add the options of a run, with the headings of `check --help`."""
        add_options(parser)

    def pytest_configure(self, config: pytest.Config) -> None:
        """Check the options before collection, and register the markers."""
        for name, text in _markers():
            config.addinivalue_line("markers", f"{name}: {text}")
        config.args[:] = [self._located(arg) for arg in config.args]
        if config.known_args_namespace.noconftest:
            config.getini("usefixtures").clear()  # they belong to another project's conftest.py
        option = config.option
        try:
            settings = settings_from(os.environ, given_options(option))
            demand_consent(settings)
            here = config.invocation_params.dir
            # made absolute: tests may change the working directory
            settings = replace(
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
        """Collect the suite's module by its own naming rules."""
        if module_path == self._suite:
            module: SuiteModule = SuiteModule.from_parent(parent, path=module_path, nodeid=self._node)
            return module
        return None

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Keep the path of the installation out of the output of ``-v``."""
        if isinstance(item.parent, SuiteModule):
            item.location = (self._node, *item.location[1:])

    @staticmethod
    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(node: Any) -> None:
        """Pass the report to a worker of pytest-xdist: the controller sends the requests once."""
        node.workerinput["conformance_report"] = encode(_report(node.config))

    @staticmethod
    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
        """Let a test that warns pass, and mark it."""
        try:
            return (yield)
        except Warned:
            pyfuncitem.user_properties.append(("conformance", Status.WARN.value))
            return True

    @staticmethod
    def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show a broken `should` as a warning instead of a pass, and with -v how many generated requests passed."""
        if report.when != "call" or not report.passed:
            return None
        if ("conformance", Status.WARN.value) in report.user_properties:
            return "warned", "W", ("WARNED", {"yellow": True})
        told = dict(report.user_properties).get(KEPT)
        return ("passed", ".", (f"PASSED {told}", {"green": True})) if told else None

    @staticmethod
    def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
        """Create a test for each family of generated requests of the document."""
        if isinstance(metafunc.definition.parent, SuiteModule) and "family" in metafunc.fixturenames:
            from conformance.properties.families import label_of, names

            settings = metafunc.config.stash[SETTINGS]
            found = names(settings.described, settings.gateway.names)
            label = label_of(settings.described)
            metafunc.parametrize("family", found, ids=[f"{label} / {name}" for name in found])

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the clauses that ``--clause`` does not match."""
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
        """Return the announcement of the run: the target, and who receives the key."""
        settings = config.stash[SETTINGS]
        return [f"conformance: {line}" for line in announcement(settings)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the reports and set the exit status. pytest's own status stays if it is neither passed nor failed."""
        config = session.config
        read_out = self._heard
        if _is_worker(config) or not (read_out or self._properties) or REPORT not in config.stash:
            return
        settings = config.stash[SETTINGS]
        report = config.stash[REPORT]
        selected = _selected(session, exitstatus)
        if not read_out:  # every clause judges the generated requests
            report = structs.replace(report, run=structs.replace(report.run, partial=True, selected=selected))
            config.stash[REPORT] = report
        elif len(read_out) < len(CATALOGUE):
            report = report_on(config.stash[TRANSCRIPT], settings.judging, only=frozenset(read_out), selected=selected)
            config.stash[REPORT] = report
        if settings.history is not None:
            from conformance.history import HistoryProblem, keep

            try:
                report = config.stash[REPORT] = keep(report, settings.history, fail_on_should=settings.fail_on_should)
            except HistoryProblem as problem:
                self._unkept = f"{problem}: this run was not stored"
        try:
            write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should, formats=settings.formats)
        except OSError as error:
            self._unwritten = f"the reports cannot be written to {settings.report_dir} ({error.strerror})"
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return
        if not read_out:
            return
        failed = sum(result.status in _failing(settings) for result in report.clauses) + self._failed_properties
        others_failed = session.testsfailed > failed
        if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not others_failed:
            session.exitstatus = exit_status(
                report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok
            )
            if self._unkept is not None and session.exitstatus == pytest.ExitCode.OK:
                session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print the findings that pytest did not print, the counts and the verdict."""
        if REPORT not in config.stash or not (self._heard or self._properties):
            return
        report, settings = config.stash[REPORT], config.stash[SETTINGS]
        terminalreporter.write_sep("=", "conformance")
        for one in summary_lines(report, told=_failing(settings)):
            colour = COLOUR.get(one.style)
            terminalreporter.write_line(one.text, **({colour: True} if colour else {}))
        if self._unkept is not None:
            terminalreporter.write_line(line(self._unkept), red=True)
        if self._unwritten is not None:
            terminalreporter.write_line(self._unwritten, red=True)
        else:
            terminalreporter.write_line(f"report: {settings.report_dir / 'index.html'}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record which tests have run."""
        if report.when == "call" and report.nodeid.startswith(f"{self._node}::test_clause["):
            self._heard.add(report.nodeid.rpartition("[")[2].removesuffix("]"))
        if report.when == "call" and report.nodeid.startswith(f"{self._node}::test_property["):
            self._properties += not report.skipped
            self._failed_properties += report.failed
