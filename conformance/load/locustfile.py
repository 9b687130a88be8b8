"""The file for ``locust -f``: it defines the Locust user, and checks the responses.

``comfy-conformance load --locustfile`` prints the path of this file.
"""

from __future__ import annotations

import os
import signal
import sys
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import WorkerRunner

from conformance.judge.exit import exit_status
from conformance.judge.report import Report
from conformance.load.options import LOAD_OPTIONS, load_settings, will_be_written
from conformance.load.session import Session
from conformance.load.user import QueueUser
from conformance.probe.jobs import left_behind
from conformance.problems import EXIT_USAGE, UsageProblem
from conformance.render.terminal import summary_lines
from conformance.render.write import write_reports
from conformance.run.stopping import Repeats
from conformance.text.plural import count

__all__ = ["QueueUser"]


@events.init_command_line_parser.add_listener
def _options(parser: ArgumentParser, **_: Any) -> None:
    group = parser.add_argument_group("conformance of GET /api/queue")
    for option in LOAD_OPTIONS:
        help_text = option.full_help.replace("%", "%%")
        if option.metavar is None:
            group.add_argument(option.flag, action="store_true", help=help_text)
        else:
            group.add_argument(
                option.flag,
                metavar=option.metavar,
                type=option.type,
                default=option.default,
                help=help_text,
                action="append" if option.multiple else "store",
            )


@events.init.add_listener
def _wire(environment: Environment, **_: Any) -> None:
    options = environment.parsed_options
    try:
        given = {option.name: getattr(options, option.name) for option in LOAD_OPTIONS}
        settings = load_settings(os.environ, environment.host, given)
    except UsageProblem as problem:
        sys.stderr.write(f"error: {problem}\n")
        sys.exit(EXIT_USAGE)
    repeats = Repeats()
    gevent.signal_handler(signal.SIGINT, lambda: _interrupt() if repeats.is_new() else None)
    gevent.get_hub().loop.update_now()  # otherwise the time of the imports counts as part of the run
    if not isinstance(environment.runner, WorkerRunner) and environment.web_ui is not None:
        for line in will_be_written(settings):
            sys.stderr.write(f"{line}\n")
    session = Session(environment, settings)
    QueueUser.sessions[environment] = session
    if not isinstance(environment.runner, WorkerRunner):
        environment.events.quitting.add_listener(lambda **_: _finish(environment, session))


def _print_remaining_jobs(session: Session, report: Report) -> None:
    for line in left_behind(() if report.jobs is None else report.jobs.left, session.tally.own.unknown):
        sys.stderr.write(f"{line}\n")
    if session.silent:
        silent = count(session.silent, "worker")
        sys.stderr.write(f"{silent} did not report their remaining jobs, which may still be in the queue\n")


def _interrupt() -> None:
    """End the run on SIGINT.

    Python's own handler would raise KeyboardInterrupt inside a gevent callback, where it is lost.
    """
    gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())


def _finish(environment: Environment, session: Session) -> None:
    """At the end of a run, write the report, print the summary, and set the exit status."""
    settings = session.settings
    if settings.server_changes is not None:
        with suppress(KeyboardInterrupt):  # a second signal: end without cleanup
            session.stop()
    report = session.report()
    _print_remaining_jobs(session, report)
    try:
        write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should)
    except OSError as error:
        sys.stderr.write(f"error: the report cannot be written to {settings.report_dir} ({error.strerror})\n")
        environment.process_exit_code = EXIT_USAGE
        return
    lines = [*(line.text for line in summary_lines(report)), f"report: {settings.report_dir / 'index.html'}"]
    sys.stderr.write("\n".join(["", *lines, ""]))
    environment.process_exit_code = exit_status(
        report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok
    )
