"""``comfy-conformance nightly``: what the results of a night mean, for its summary and for the rolling issue."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from conformance.cli import EXIT_USAGE
from conformance.cli.shared import reading, refusal
from conformance.history.night import AFTER

if TYPE_CHECKING:
    from conformance.history.night import Decision
    from conformance.history.overview import Overview, TargetResult
    from conformance.judge.report import Report
    from conformance.run.targets import Target

MOST_NIGHTS: Final = 30
"""A report tells of as many runs before it."""


@dataclass(frozen=True)
class Found:
    """What a night left of one target: its result, and the report behind it with its directory, where there is one."""

    result: TargetResult
    report: Report | None = None
    directory: Path | None = None


@click.command(short_help="Decide what the results of a night mean for the rolling issue.")
@click.argument("directories", nargs=-1, metavar="[DIR]...", type=click.Path(path_type=Path))
@click.option(
    "--targets",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The targets that were to be checked: one that left nothing is told. [default: those that left something]",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the runs of the night in this history, and show it in their reports. [default: as they were kept]",
)
@click.option(
    "--after",
    type=click.IntRange(1, MOST_NIGHTS),
    default=AFTER,
    show_default=True,
    metavar="N",
    help="Nights in a row without a verdict until that is a trouble.",
)
@click.option(
    "--issue",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The body of the issue that is open. [default: none is open]",
)
@click.option("--url", metavar="URL", help="Where people find the reports. [default: nowhere]")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where decision.json, outputs.txt, body.md, comment.md, summary.md and commands.txt go. [default: nowhere]",
)
def nightly(  # noqa: PLR0913, PLR0917 - one parameter for each option
    directories: tuple[Path, ...],
    targets: Path | None,
    history: Path | None,
    after: int,
    issue: Path | None,
    url: str | None,
    output: Path | None,
) -> int:
    """Decide what the results of a night mean for the rolling issue.

    DIR is a report directory of `check --all`, or of one `check`. What is to be done with the issue is
    `open`, `update`, `close` or `nothing`: docs/ci.md has the rules.

    Exit status: 1 where the night showed that something is not well, 0 else; a night without a verdict is 0 until
    it is the N-th in a row; 4 for what cannot be read.
    """
    import time

    from conformance.history.night import decide, known_keys
    from conformance.history.overview import overview
    from conformance.judge.ledger import instant
    from conformance.render import night as told

    found = [each for directory in directories for each in _found(directory)]
    names = [each.result.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise refusal(f"two reports are of a target named {twice!r}: a night has one of each")
    found += _missing(targets, names)
    if not found:
        raise refusal("a night has at least one report: give its DIR, or name the targets with --targets")
    unkept, results = _kept(found, history)
    times = sorted(at for one in results for at in (one.start, one.end) if at) or [instant(time.time())]
    whole = overview(results, start=times[0], end=times[-1])
    known = None if issue is None else known_keys(_text(issue))
    decision = decide(results, known, after=after)
    if output is not None:
        _write(output, decision, whole, url)
    for line in told.lines(decision, whole):
        click.echo(line)
    if unkept is not None:
        click.echo(unkept, err=True)
        return decision.exit or EXIT_USAGE
    return decision.exit


def _found(directory: Path) -> list[Found]:
    """Read what is left in a directory: of all targets of an overview, or of the one that was checked."""
    from msgspec import DecodeError

    from conformance.history.overview import decode
    from conformance.judge.exit import exit_status
    from conformance.render.overview import result

    path = directory / "overview.json"
    if not path.exists() or _written(directory / "compliance.json") > _written(path):
        report = reading(directory / "compliance.json")
        options = {name: report.run.options.get(name) is True for name in ("fail_on_should", "inconclusive_ok")}
        name = re.sub(r"[^\w.-]+", "-", directory.resolve().name, flags=re.ASCII) or "target"
        return [Found(result(name, report, exit_status(report, **options)), report, directory)]
    try:
        whole = decode(path.read_bytes())
    except OSError as error:
        raise refusal(f"{path} cannot be read: {error.strerror}") from None
    except (DecodeError, UnicodeDecodeError) as error:
        raise refusal(f"{path} is no overview.json of this suite: {error}") from None
    return [
        Found(one)
        if one.report is None
        else Found(one, reading(directory / one.name / "compliance.json"), directory / one.name)
        for one in whole.targets
    ]


def _written(path: Path) -> float:
    """Return when a file was written: where one run of each kind left its own, the newer one is meant."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _missing(file: Path | None, names: Sequence[str]) -> list[Found]:
    """Return what is said of targets that left nothing."""
    if file is None:
        return []
    from conformance.problems import UsageProblem
    from conformance.run.targets import read

    try:
        wanted = [target for target in read(file) if target.name not in names]
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    return [Found(_unreported(target)) for target in wanted]


def _unreported(target: Target) -> TargetResult:
    from conformance.history.overview import TargetResult

    return TargetResult(
        name=target.name,
        target=target.url,
        dialect=str(target.options.get("dialect", "cloud")),
        outcome="error",
        reason="no report came of it: look at the log of its run",
        exit=3,
    )


def _kept(found: Sequence[Found], history: Path | None) -> tuple[str | None, list[TargetResult]]:
    """Keep the runs that no history has yet; return why that was not possible, and what the night came to."""
    from conformance.history import HistoryProblem, keep
    from conformance.render.overview import result
    from conformance.render.write import write_reports
    from conformance.text.safe import line

    unkept, results = None, []
    for each in found:
        report, directory, one = each.report, each.directory, each.result
        if history is not None and report is not None and directory is not None and report.history is None:
            strict = report.run.options.get("fail_on_should") is True
            try:
                report = keep(report, history, fail_on_should=strict)
                write_reports(report, directory, fail_on_should=strict)
            except HistoryProblem as problem:
                unkept = line(f"{problem}: this night is not in it")
            except OSError as error:
                unkept = line(f"{directory} cannot be written ({error.strerror}): its report shows no history")
            one = result(one.name, report, one.exit)
        results.append(one)
    return unkept, results


def _text(issue: Path) -> str:
    try:
        return issue.read_bytes().decode(errors="replace")
    except OSError as error:
        raise refusal(f"{issue} cannot be read ({error.strerror}): leave out --issue where none is open") from None


def _write(output: Path, decision: Decision, whole: Overview, url: str | None) -> None:
    import msgspec

    from conformance.render import night as told
    from conformance.text.files import write_whole

    title = told.title(decision) if decision.troubles else ""
    record = {"title": title, **msgspec.to_builtins(decision)}
    contents = {
        "decision.json": msgspec.json.format(msgspec.json.encode(record), indent=2).decode() + "\n",
        "outputs.txt": f"action={decision.action}\nexit={decision.exit}\ntitle={title}\n",
        "body.md": told.body(decision, whole, url) if decision.troubles else "",
        "comment.md": told.comment(decision, whole, url),
        "summary.md": told.summary(decision, whole),
        "commands.txt": "".join(f"{command}\n" for command in told.commands(decision, whole)),
    }
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_whole({output / name: text.encode() for name, text in contents.items()})
    except OSError as error:
        raise refusal(f"{output} cannot be written ({error.strerror}): give another --output") from None
