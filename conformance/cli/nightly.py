"""``comfy-conformance nightly``: summarise a nightly run, and say what to do with its GitHub issue."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from conformance.cli.night_history import Found, keep_night
from conformance.cli.shared import Command
from conformance.history.night import AFTER
from conformance.problems import EXIT_USAGE, UsageProblem
from conformance.text.files import write_whole

if TYPE_CHECKING:
    from conformance.fleet.result_lines import EndpointResult
    from conformance.history.digest import Digest
    from conformance.history.night import Decision
    from conformance.history.night_results import Overview, TargetResult

MOST_NIGHTS: Final = 30
"""The number of earlier runs that a report shows. It is also the maximum of ``--after``."""


_PERIOD: Final = re.compile(r"(\d{1,5})([hdw])", re.ASCII)
_UNITS: Final = {"h": "hours", "d": "days", "w": "weeks"}


@click.command(cls=Command, short_help="Summarise a nightly run, and say what to do with its GitHub issue.")
@click.argument("directories", nargs=-1, metavar="[DIR]...", type=click.Path(path_type=Path))
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="List of the targets that should have been checked; a target without a result is reported. [default: those with a result]",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Store the runs of the night in this history, and show it in their reports. [default: the runs' own]",
)
@click.option(
    "--since",
    metavar="PERIOD",
    help="Instead of DIR, summarise the last PERIOD of the history, such as 7d or 36h. [default: the runs in DIR]",
)
@click.option(
    "--renamed",
    multiple=True,
    metavar="OLD=NEW",
    help="Continue the history of the target OLD under the name NEW; OLD is a URL if the target had no name; repeatable. "
    "[default: recognised from --targets]",
)
@click.option(
    "--after",
    type=click.IntRange(1, MOST_NIGHTS),
    default=AFTER,
    show_default=True,
    metavar="N",
    help="Report a problem after this many inconclusive nights in a row.",
)
@click.option(
    "--issue",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File with the body of the open issue. [default: no issue is open]",
)
@click.option("--url", metavar="URL", help="URL of the published reports, for links. [default: no links]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Directory for index.html, decision.json, outputs.txt, body.md, comment.md, summary.md and commands.txt; "
    "with --since for index.html and summary.md. [default: write no files]",
)
def nightly(  # noqa: PLR0913, PLR0917 - one parameter for each option
    directories: tuple[Path, ...],
    targets: Path | None,
    history: Path | None,
    since: str | None,
    renamed: tuple[str, ...],
    after: int,
    issue: Path | None,
    url: str | None,
    output: Path | None,
) -> int:
    """Summarise a nightly run or a period, and say whether to open, update or close its GitHub issue.

    DIR is a report directory of `check --all`, or of a single `check`. The output starts with five lines: broken now,
    newly broken, fixed, not reached, waivers that expire within 14 days. Then come the targets that fail in the same
    way, with one explanation for each group. The action for the issue is `open`, `update`, `close` or `nothing`; it
    is in outputs.txt, and printed with --issue. Nothing is sent: docs/ci.md has the rules.

    With --since, the same is reported for a period of the history, and nothing is decided.

    Exit status: 1 if the night showed a problem, or if a target is broken at the end of the period; else 0.
    Inconclusive nights exit with 0 until there are N in a row. 4 for input that cannot be read.
    """
    if since is not None:
        if directories or history is None:
            raise UsageProblem("--since reads a history instead of DIR: give --history FILE and no DIR")
        return _of_period(history, _length(since), output)
    new_names = _renamings(renamed, history)
    import time

    from conformance.history.digest import digest
    from conformance.history.night import decide, known_keys
    from conformance.history.night_results import Overview
    from conformance.judge.ledger import instant
    from conformance.render import night as told

    found = _distinct([each for directory in directories for each in _found(directory)])
    names = [each.result.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageProblem(f"two reports are for the target {twice!r}: give only one of each target")
    found += _missing(targets, names)
    if not found:
        raise UsageProblem(
            "nothing to summarise: give the report directories (DIR), or --targets FILE for targets without a report"
        )
    unkept, said, results = keep_night(found, history, new_names, targets=targets)
    times = sorted(at for one in results for at in (one.start, one.end) if at) or [instant(time.time())]
    paged = (_paged(one, each, output) for one, each in zip(results, found, strict=True))
    shown = digest(paged, start=times[0], end=times[-1], said=said)
    whole = Overview(times[0], times[-1], tuple(map(_keyed, results)))
    known = None if issue is None else known_keys(_text(issue))
    decision = decide(whole.targets, known, after=after)
    if output is not None:
        _write(output, decision, whole, shown, url)
    for text in told.lines(decision, shown, tracked=issue is not None):
        click.echo(text)
    if unkept is not None:
        click.echo(unkept, err=True)
        return decision.exit or EXIT_USAGE
    return decision.exit


def _length(text: str) -> timedelta:
    """Parse a period such as ``7d``, ``36h`` or ``2w``."""
    found = _PERIOD.fullmatch(text)
    if found is None or int(found[1]) == 0:
        raise UsageProblem(f"--since must be a number of hours, days or weeks, such as 36h, 7d or 2w, not {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _of_period(history: Path, length: timedelta, output: Path | None) -> int:
    from conformance.history import Store
    from conformance.history.period import period
    from conformance.render.digest import digest_lines, digest_markdown, render_digest

    with Store(history) as store:
        found = period(store, length)
    if output is not None:
        page = render_digest(found, title="Queue conformance")
        _put(output, {"index.html": page, "summary.md": digest_markdown(found)})
    for text in digest_lines(found):
        click.echo(text)
    return 1 if found.broken.number else 0


def _renamings(given: tuple[str, ...], history: Path | None) -> dict[str, str]:
    if given and history is None:
        raise UsageProblem("--renamed applies to the targets of a history: add --history FILE")
    for text in given:
        if not all(text.partition("=")):
            raise UsageProblem(f"--renamed must be OLD=NEW, such as prod=prod-eu, not {text!r}")
    return {old: new for old, _, new in (text.rpartition("=") for text in given)}


def _found(directory: Path) -> list[Found]:
    """Read the results in a report directory, which is that of one target or of ``check --all``."""
    from conformance.fleet.results import RESULTS, endpoints
    from conformance.judge.exit import exit_status
    from conformance.judge.read import NAME, read_report
    from conformance.render.overview import result

    path, single = directory / RESULTS, directory / NAME
    if not path.exists() or _written(single) > _written(path):
        report = read_report(single)
        options = {name: report.run.options.get(name) is True for name in ("fail_on_should", "inconclusive_ok")}
        given = report.run.options.get("name")
        shown = result(str(given or report.run.target), report, exit_status(report, **options))
        return [Found(shown, partial(read_report, single), directory, named=given is not None)]
    return [_target(directory, one) for one in endpoints(directory)]


def _target(directory: Path, one: EndpointResult) -> Found:
    from conformance.fleet.filing import directory_of
    from conformance.fleet.results import report_of
    from conformance.judge.read import NAME, read_report

    named = one.name != one.target
    if one.report is not None:
        place = directory / directory_of(one.name)
        return Found(one, partial(read_report, place / NAME), place, named=named)
    if one.stored is not None:
        return Found(one, partial(report_of, directory, one), named=named)
    return Found(one, named=named)


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Add dialect and path to the URLs of targets without names, if several have the same URL."""
    from dataclasses import replace

    from msgspec import structs

    urls = Counter(each.result.name for each in found if not each.named)
    shown = []
    for each in found:
        one = each.result
        if not each.named and urls[one.name] > 1 and (report := each.read()) is not None:
            path = str(report.run.options.get("queue_path") or "")
            one = structs.replace(one, name=f"{one.name} {one.dialect} {path}".strip())
        shown.append(replace(each, result=one))
    return shown


def _paged(one: TargetResult, each: Found, output: Path | None) -> TargetResult:
    """Return a result that links to its report page, relative to the output directory."""
    from urllib.parse import quote

    from msgspec import structs

    page = None
    if output is not None and each.directory is not None:
        with suppress(ValueError):  # on another drive of Windows
            page = quote(Path(os.path.relpath(each.directory / "index.html", output)).as_posix())
    return structs.replace(one, report=page)


def _keyed(one: TargetResult) -> TargetResult:
    """Return a result whose name can be part of the key of a problem, for example without spaces."""
    from msgspec import structs

    from conformance.fleet.filing import directory_of
    from conformance.history.night import is_name

    return one if is_name(one.name) else structs.replace(one, name=directory_of(one.name))


def _written(path: Path) -> float:
    """Return when a file was last written (seconds since the epoch), or 0 if it does not exist."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _missing(file: Path | None, names: Sequence[str]) -> list[Found]:
    """Return a result for each target of the targets file that left no report: its name is not in ``names``."""
    if file is None:
        return []
    from conformance.fleet.result_lines import failed_result
    from conformance.run.targets import read

    wanted = [target for target in read(file) if target.name not in names]
    return [Found(failed_result(target, "no report was written: look at the log of the run")) for target in wanted]


def _text(issue: Path) -> str:
    try:
        return issue.read_bytes().decode(errors="replace")
    except OSError as error:
        raise UsageProblem(
            f"{issue} cannot be read ({error.strerror}): if no issue is open, leave out --issue"
        ) from None


def _write(output: Path, decision: Decision, whole: Overview, shown: Digest, url: str | None) -> None:
    import msgspec

    from conformance.render import night as told
    from conformance.render.digest import render_digest

    title = told.title(decision) if decision.troubles else ""
    record = {"title": title, **msgspec.to_builtins(decision)}
    contents = {
        "decision.json": msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n",
        "outputs.txt": f"action={decision.action}\nexit={decision.exit}\ntitle={title}\n",
        "body.md": told.body(decision, whole, url) if decision.troubles else "",
        "comment.md": told.comment(decision, whole, url),
        "summary.md": told.summary(decision, whole, shown),
        "index.html": render_digest(shown, title="Queue conformance"),
        "commands.txt": "".join(f"{command}\n" for command in told.commands(decision, whole)),
    }
    _put(output, contents)


def _put(output: Path, contents: Mapping[str, str]) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_whole({output / name: text.encode() for name, text in contents.items()})
    except OSError as error:
        raise UsageProblem(f"{output} cannot be written ({error.strerror}): give another --output") from None
