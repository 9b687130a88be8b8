"""The pytest plugin: options, the one run behind all tests, markers, terminal summary, reports and exit status."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from conformance import check
from conformance.contract import CATALOGUE
from conformance.report.model import Report, Status, decode, encode
from conformance.report.text import COLOUR, clause_lines, summary_lines
from conformance.report.write import check_writable, write_reports
from conformance.settings import (
    DEFAULT_QUEUE_PATH,
    DEFAULT_REPORT_DIR,
    Bounds,
    Settings,
    UsageProblem,
    announcement,
    make_settings,
)

SUITE: Final = Path(__file__).parent / "suite"
MARKS: Final = {
    clause.id: [
        getattr(pytest.mark, name) for name in (clause.level.value, clause.subject, *(["core"] if clause.core else []))
    ]
    for clause in CATALOGUE
}
SETTINGS: Final = pytest.StashKey[Settings]()
TRANSCRIPT: Final = pytest.StashKey[check.Transcript]()
REPORT: Final = pytest.StashKey[Report]()
UNWRITTEN: Final = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the suite (README has the table)."""
    bounds = Bounds()
    group = parser.getgroup("conformance", "conformance of GET /api/queue")
    add = group.addoption
    add(
        "--target",
        metavar="URL",
        help="base URL of the endpoint, or 'embedded' [default: $CONFORMANCE_TARGET, else embedded]",
    )
    add(
        "--queue-path",
        metavar="PATH",
        default=DEFAULT_QUEUE_PATH,
        help="path of the queue below the target [default: %(default)s]",
    )
    add(
        "--dialect",
        default="cloud",
        metavar="cloud|oss|auto",
        help="the reading of the tuple that is demanded [default: %(default)s]",
    )
    add("--api-key-env", metavar="NAME", help="the environment variable that holds the key [default: COMFY_API_KEY]")
    add("--no-key", action="store_true", help="send no key, whatever the environment holds")
    add(
        "--allow-plain-http-key",
        action="store_true",
        help="send the key over plain http also to a host that is not loopback",
    )
    add("--report-dir", metavar="DIR", default=DEFAULT_REPORT_DIR, help="where the reports go [default: %(default)s]")
    add("--fail-on-should", action="store_true", help="a breached 'should' fails too")
    add("--inconclusive-ok", action="store_true", help="exit 0 also where something could not be exercised")
    add(
        "--wait-for-items",
        type=float,
        default=0.0,
        metavar="S",
        help="poll an idle queue for up to S seconds until it has a job",
    )
    add(
        "--deadline",
        type=float,
        default=bounds.deadline,
        metavar="S",
        help="seconds for the whole run [default: %(default)s]",
    )
    add(
        "--exchange-timeout",
        type=float,
        default=bounds.exchange_timeout,
        metavar="S",
        help="seconds for one exchange, first to last byte [default: %(default)s]",
    )
    add(
        "--connect-timeout",
        type=float,
        default=bounds.connect_timeout,
        metavar="S",
        help="seconds to connect [default: %(default)s]",
    )
    add(
        "--max-body",
        type=int,
        default=bounds.max_body,
        metavar="BYTES",
        help="bytes of one body after decompression [default: %(default)s]",
    )
    add(
        "--max-requests",
        type=int,
        default=bounds.max_requests,
        metavar="N",
        help="requests in a run [default: %(default)s]",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the options before anything is collected; name the markers."""
    for name, text in _markers():
        config.addinivalue_line("markers", f"{name}: {text}")
    option = config.option
    try:
        settings = make_settings(
            os.environ, target=option.target, queue_path=option.queue_path, dialect=option.dialect,
            api_key_env=option.api_key_env, no_key=option.no_key, allow_plain_http_key=option.allow_plain_http_key,
            report_dir=option.report_dir, fail_on_should=option.fail_on_should, inconclusive_ok=option.inconclusive_ok,
            wait_for_items=option.wait_for_items,
            bounds=Bounds(**{name: getattr(option, name) for name in vars(Bounds())}),
        )  # fmt: skip
        directory = (config.invocation_params.dir / settings.report_dir).resolve()
        if not _is_worker(config) and not option.collectonly:
            check_writable(directory)
    except UsageProblem as problem:
        raise pytest.UsageError(str(problem)) from None
    except OSError as error:
        msg = f"the report directory {option.report_dir} cannot be written ({error.strerror}): choose another with --report-dir"
        raise pytest.UsageError(msg) from None
    # made absolute: tests may change the working directory
    config.stash[SETTINGS] = replace(settings, report_dir=directory)


def _markers() -> list[tuple[str, str]]:
    subjects = dict.fromkeys(clause.subject for clause in CATALOGUE)
    return [
        ("conformance", "the conformance suite"),
        ("must", "clauses whose breach is non-conformance"),
        ("should", "clauses whose breach is a warning"),
        ("core", "clauses that must have been exercised for a verdict of conformant"),
        *((subject, f"clauses on {subject}") for subject in subjects),
    ]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


# --- collecting: names in somebody's pytest.ini do not decide what our modules hold -------------


class SuiteModule(pytest.Module):
    """A module of the suite. Its tests are those named test_, whatever python_functions says."""

    def funcnamefilter(self, name: str) -> bool:
        """Tell whether a function is a test."""
        return name.startswith("test_")


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> SuiteModule | None:
    """Collect the suite's own modules by our names."""
    if module_path.parent == SUITE:
        node_id = f"conformance/suite/{module_path.name}"  # the same wherever the package is installed
        module: SuiteModule = SuiteModule.from_parent(parent, path=module_path, nodeid=node_id)
        return module
    return None


# --- the one run --------------------------------------------------------------------------------


def _report(config: pytest.Config) -> Report:
    """Return the report on all clauses; the first call sends the requests."""
    if REPORT not in config.stash:
        if _is_worker(config):
            config.stash[REPORT] = decode(config.workerinput["conformance_report"])  # type: ignore[attr-defined]
        else:
            config.stash[TRANSCRIPT] = check.ask(config.stash[SETTINGS])
            config.stash[REPORT] = check.report_on(config.stash[TRANSCRIPT], config.stash[SETTINGS])
    return config.stash[REPORT]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the report to a worker of pytest-xdist: the plan of requests is sent once, by the controller."""
    node.workerinput["conformance_report"] = encode(_report(node.config))


def tell(config: pytest.Config, clause_id: str) -> None:
    """Turn the status of a clause into the outcome of its test: findings rather than Python tracebacks."""
    result = _report(config).clause(clause_id)
    demanded = {Status.FAIL, Status.ERROR} | ({Status.WARN} if config.stash[SETTINGS].fail_on_should else set())
    if result.status in demanded:
        pytest.fail("\n".join(line.text for line in clause_lines(result)), pytrace=False)
    if result.status in (Status.NOT_EXERCISED, Status.NOT_APPLICABLE):
        pytest.skip(f"{result.status.value}: {result.reason}")
    if result.status is Status.WARN:
        raise Warned


class Warned(Exception):
    """A breached `should`: the test passes, and says that it does not keep the clause."""


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let a test that warns pass, marked."""
    try:
        return (yield)
    except Warned:
        pyfuncitem.user_properties.append(("conformance", Status.WARN.value))
        return True


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Show a breached `should` as a warning, not as a pass."""
    if report.when == "call" and report.passed and ("conformance", Status.WARN.value) in report.user_properties:
        return "warned", "W", ("WARNED", {"yellow": True})
    return None


# --- the end --------------------------------------------------------------------------------------


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say who is asked what, and who receives the key."""
    settings = config.stash[SETTINGS]
    return [f"conformance: {line}" for line in announcement(settings)]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note which clauses were read out."""
    if report.when == "call" and "::test_clause[" in report.nodeid:
        _finished.add(report.nodeid.rpartition("[")[2].removesuffix("]"))


_finished: Final[set[str]] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the reports and set the exit status: pytest's own where it says more than passed and failed."""
    config = session.config
    if _is_worker(config) or not _finished or REPORT not in config.stash:
        return
    settings = config.stash[SETTINGS]
    report = config.stash[REPORT]
    if len(_finished) < len(CATALOGUE):
        selected = (
            " ".join(f"-{flag} {value!r}" for flag, value in _selections(config) if value)
            or "the run was stopped early"
        )
        report = check.report_on(config.stash[TRANSCRIPT], settings, only=frozenset(_finished), selected=selected)
        config.stash[REPORT] = report
    try:
        write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should)
    except OSError as error:
        config.stash[UNWRITTEN] = f"the reports could not be written to {settings.report_dir}: {error.strerror}"
        session.exitstatus = pytest.ExitCode.USAGE_ERROR
        return
    others_failed = session.testsfailed > _failures(report, settings)
    if exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not others_failed:
        session.exitstatus = check.exit_status(
            report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok
        )


def _selections(config: pytest.Config) -> list[tuple[str, str]]:
    return [("k", config.option.keyword), ("m", config.option.markexpr)]


def _failures(report: Report, settings: Settings) -> int:
    failing = {Status.FAIL, Status.ERROR} | ({Status.WARN} if settings.fail_on_should else set())
    return sum(result.status in failing for result in report.clauses)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print findings, counts and the verdict."""
    if REPORT not in config.stash or not _finished:
        return
    terminalreporter.section("conformance")
    for line in summary_lines(config.stash[REPORT]):
        colour = COLOUR.get(line.style)
        terminalreporter.write_line(line.text, **({colour: True} if colour else {}))
    if UNWRITTEN in config.stash:
        terminalreporter.write_line(config.stash[UNWRITTEN], red=True)
    else:
        terminalreporter.write_line(f"report: {config.stash[SETTINGS].report_dir / 'index.html'}")
