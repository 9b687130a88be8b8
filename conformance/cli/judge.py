"""``comfy-conformance judge``: judge recorded answers, without any network."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from conformance.cli.shared import finish, options_of_a_run, refusal, unwritable
from conformance.judge.judging import VERDICT_OPTIONS
from conformance.run.options import settings_from

if TYPE_CHECKING:
    from conformance.exchange.model import Exchange


_NAMES: Final = {"-": "standard input"}
"""By what is typed, what it is called."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--method",
    type=click.Choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]),
    metavar="METHOD",
    help="The method that a raw answer answers, where no .req file stands beside it. [default: GET]",
)
@options_of_a_run(VERDICT_OPTIONS)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where index.html, compliance.json, junit.xml and summary.md go. [default: no report]",
)
def judge(files: tuple[str, ...], method: str | None, report_dir: Path | None, quiet: bool, **options: Any) -> int:
    """Judge recorded answers, without any network.

    FILE is a raw HTTP answer (.http, its request in a .req file beside it), a JSON body, a HAR file,
    or - for standard input. Several files are judged as one run. A report is written where --report-dir says.

    The compliance.json of a run with --full-bodies is judged again, by the clauses of today: with the dialect of
    that run, unless --dialect is given.
    """
    import time

    from conformance.contract.terms import Dialect
    from conformance.exchange.recordings import UnreadableRecording
    from conformance.judge.build import report_on_exchanges
    from conformance.judge.rejudge import is_report, judge_again, read_source
    from conformance.judge.whole import NotWhole
    from conformance.problems import UsageProblem

    start = time.time()
    source = None
    try:
        settings = settings_from({}, {**options, "report_dir": report_dir or Path()})
        contents = [(_NAMES.get(name, name), _read(name)) for name in files]
        if any(is_report(data) for _, data in contents):
            _is_alone(files, method)
            source, transcript = read_source(contents[0][1], contents[0][0])
            if click.get_current_context().get_parameter_source("dialect") is ParameterSource.DEFAULT:
                settings = replace(settings, dialect=Dialect(source.run.dialect))
        if report_dir is not None:
            _check_writable(report_dir)
        if source is not None:
            report = judge_again(source, transcript, settings.judging, name=contents[0][0])
        else:
            exchanges = _exchanges(contents, method)
            target = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
            report = report_on_exchanges(exchanges, settings.judging, target=target, start=start)
    except (UnreadableRecording, NotWhole, UsageProblem) as problem:
        raise refusal(str(problem)) from None
    return finish(report, settings, quiet=quiet, write=report_dir is not None)


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        msg = f"{name} cannot be read: {error.strerror}"
        raise refusal(msg) from None


def _check_writable(directory: Path) -> None:
    from conformance.render.write import check_writable

    try:
        check_writable(directory)
    except OSError as error:
        raise unwritable(directory, error) from None


def _is_alone(files: Sequence[str], method: str | None) -> None:
    if len(files) > 1:
        raise refusal("the report of a run is judged again by itself: give it alone")
    if method is not None:
        raise refusal("--method is for a raw answer: the report of a run says what was asked")


def _exchanges(contents: Sequence[tuple[str, bytes]], method: str | None) -> list[Exchange]:
    """Read the exchanges of recordings, each with a name of its own. Raises UnreadableRecording."""
    from conformance.exchange.recordings import read, read_file

    found = [
        exchange
        for name, data in contents
        for exchange in (
            read(data, name=name, method=method)
            if name in _NAMES.values()
            else read_file(Path(name), method=method, data=data)
        )
    ]
    names = Counter(exchange.id for exchange in found)
    return [
        replace(exchange, id=f"{exchange.id} ({number})") if names[exchange.id] > 1 else exchange
        for number, exchange in enumerate(found, 1)
    ]
