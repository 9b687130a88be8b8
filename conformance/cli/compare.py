"""``comfy-conformance compare``: compare two endpoints, two reports or two runs of a history, clause by clause."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance.cli.progress import progress
from conformance.cli.shared import (
    GroupedCommand,
    GroupedOption,
    demand_writable,
    format_option,
    option_of_a_run,
    options_at,
    unwritable,
)
from conformance.problems import EXIT_CONFORMANT, EXIT_INCONCLUSIVE, EXIT_NON_CONFORMANT, UsageProblem
from conformance.run.describing import Group, Place
from conformance.run.options import at, settings_from
from conformance.run.settings import DEFAULT_KEY_ENV, EMBEDDED
from conformance.text.files import write_whole
from conformance.text.suggest import did_you_mean

if TYPE_CHECKING:
    from conformance.history import Snapshot, Store
    from conformance.history.comparison import Comparison
    from conformance.judge.report import PastRun, Report
    from conformance.run.settings import Settings

EXIT: Final = {"same": EXIT_CONFORMANT, "different": EXIT_NON_CONFORMANT, "unclear": EXIT_INCONCLUSIVE}
EXIT_OVER_TIME: Final = {"same": 0, "better": 0, "unclear": 0, "worse": EXIT_NON_CONFORMANT}
OF_BOTH: Final = tuple(option.name for option in at(Place.BOTH))
"""Options of ``check`` that ``compare`` uses for both sides. If a side needs other values, check it first and compare
its report.
"""
OF_ONE: Final = tuple(option.name for option in at(Place.SIDE))
"""Options of ``check`` that can be set for each side separately, such as ``--dialect-a``."""
DEFAULT_DIRECTORY: Final = "reports/compare"


def _options_of_a_side(command: Any) -> Any:
    for side in "ba":
        for option in reversed(at(Place.SIDE)):
            usual = "no key is sent" if option.name == "api_key_env" else option.usual
            about = option.about._replace(usual=usual)
            own = option._replace(help=f"of {side.upper()}, the {option.help}", about=about)
            command = option_of_a_run(own, f"-{side}")(command)
    return command


@click.command(cls=GroupedCommand, short_help="Compare two endpoints, two reports, or two runs of a history.")
@click.argument("a", required=False)
@click.argument("b", required=False)
@_options_of_a_side
@options_at(Place.BOTH)
@click.option(
    "--over-time",
    is_flag=True,
    help="A is the older run of a server and B the newer one: show what changed and whether it got worse. "
    "[with --history: always]",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare runs of this history; A and B are their numbers. "
    "[default: its last run and the last complete run before it that reached the target]",
)
@click.option(
    "--target", metavar="NAME|URL", help="With --history: the last run of this target. [default: of any target]"
)
@click.option(
    "--fail-on-should",
    is_flag=True,
    help="With --over-time or --history: a newly broken 'should' clause counts as worse too.",
)
@format_option
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    cls=GroupedOption,
    group=Group.REPORT.value,
    help="Where index.html, comparison.json and summary.md go, and the report of each side in a/ and b/. "
    f"[default: {DEFAULT_DIRECTORY}; over time: nowhere]",
)
def compare(  # noqa: PLR0913 - one parameter for each option
    *,
    a: str | None,
    b: str | None,
    over_time: bool,
    history: Path | None,
    target: str | None,
    fail_on_should: bool,
    form: str,
    report_dir: Path | None,
    quiet: bool,
    **options: Any,
) -> int:
    """Compare two endpoints, two reports or two runs of a history, clause by clause.

    A and B are base URLs (or embedded), which are checked in turn, or the compliance.json of earlier
    runs; with --history the numbers of two runs. Each key is sent only to the side whose --api-key-env-a or
    --api-key-env-b names it, and COMFY_API_KEY is sent to neither. If a side needs other options, check it first
    and give its report.

    \b
    Exit status, side by side:
      0   the same verdict, and no clause differs
      1   different: the verdicts are opposite, or a clause passes on one side and fails
          on the other, fails in different ways, or fails on one side and was not
          checked on the other
      10  no difference found, but one side is inconclusive or was not reached
    Exit status, over time (--over-time, --history):
      0   nothing got worse, or the newer run did not reach the target
      1   worse: a clause newly fails, or fails in a new way; a core clause is no
          longer checked; the suite newly fails on a clause; or the verdict is not
          conformant any more
    Both:
      4   input that cannot be compared
    """  # noqa: D301 - click wants the backspace itself
    from conformance.history import snapshot

    timely = over_time or history is not None
    if fail_on_should and not timely:
        raise UsageProblem("--fail-on-should applies to comparisons over time: add --over-time")
    if target is not None and history is None:
        raise UsageProblem("--target selects runs of a history: add --history FILE")
    if history is not None:
        if given := _first_given(options):
            raise UsageProblem(
                f"{given} applies to endpoints, and runs of a history are not checked again: leave it out"
            )
        snapshots, reports = of_history(history, a, b, target), []
    else:
        if a is None or b is None:
            raise UsageProblem("nothing to compare: give A and B, or --history FILE")
        if report_dir is None and not timely:
            report_dir = Path(DEFAULT_DIRECTORY)
        reports = _reports(a, b, options, report_dir, quiet=quiet or form != "text")
        snapshots = snapshot(reports[0]), snapshot(reports[1])
    comparison = _compare(*snapshots, timely=timely, fail_on_should=fail_on_should)
    if report_dir is not None:
        try:
            _write(comparison, reports, report_dir)
        except OSError as error:
            raise unwritable(report_dir, error) from None
    _print(comparison, report_dir, form, linked=bool(reports), quiet=quiet)
    return EXIT_OVER_TIME[comparison.outcome] if timely else EXIT[comparison.outcome]


def _first_given(options: Mapping[str, Any]) -> str | None:
    """Return the first option of one side that the user typed, such as ``--dialect-a``, or None."""
    typed = (name for name, value in options.items() if value is not None and name.rpartition("_")[0] in OF_ONE)
    return next((f"--{name.replace('_', '-')}" for name in typed), None)


def _reports(a: str, b: str, options: Mapping[str, Any], report_dir: Path | None, *, quiet: bool) -> list[Report]:
    plans = {side: _plan(side, given, options) for side, given in (("a", a), ("b", b))}
    for directory in () if report_dir is None else (report_dir, report_dir / "a", report_dir / "b"):
        demand_writable(directory)
    return [plan(quiet) for plan in plans.values()]


def _compare(a: Snapshot, b: Snapshot, *, timely: bool, fail_on_should: bool) -> Comparison:
    from conformance.history import over_time, side_by_side

    return over_time(a, b, fail_on_should=fail_on_should) if timely else side_by_side(a, b)


def of_history(path: Path, old: str | None, new: str | None, target: str | None) -> tuple[Snapshot, Snapshot]:
    """Return two runs of a history, the older one first.

    If ``old`` and ``new`` are given, they are the numbers of the runs. Otherwise the newer run is the last run of
    ``target`` (or of any target), and the older run is the last complete run before it that reached the target.
    """
    from conformance.history import Store

    with Store(path) as store:
        return _last_two(store, target) if old is None else _numbered(store, old, new, target)


def _numbered(store: Store, old: str, new: str | None, target: str | None) -> tuple[Snapshot, Snapshot]:
    if target is not None:
        raise UsageProblem("--target selects the runs: leave out either the numbers or --target")
    if new is None or not (old.isdecimal() and new.isdecimal()):
        raise UsageProblem("--history needs the numbers of two runs, such as 11 12, or none for the last two")
    before, now = (store.snapshot(store.run(int(number))) for number in (old, new))
    return before, now


def _last_two(store: Store, target: str | None) -> tuple[Snapshot, Snapshot]:
    newest = store.newest()
    known = dict.fromkeys(name for run in newest for name in (run.name, run.target) if name)
    if target is not None and target not in known:
        raise UsageProblem(f"the history {store.path} holds no run of {target}{did_you_mean(target, known)}")
    now = next((run for run in newest if target in (None, run.name, run.target)), None)
    before = None if now is None else store.before(now)
    others = "" if target is not None or len(newest) < 2 else f" (--target selects one of {_named(newest)})"
    if now is None or before is None:
        held = "no run" if now is None else _single(store, now)
        raise UsageProblem(f"the history {store.path} holds {held}: nothing to compare yet{others}")
    if others:
        click.echo(f"comparing runs of {now.name or now.target}, which has the newest run{others}", err=True)
    return store.snapshot(before), store.snapshot(now)


def _named(runs: Sequence[PastRun], most: int = 10) -> str:
    names = list(dict.fromkeys(run.name or run.target for run in runs))
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _single(store: Store, run: PastRun) -> str:
    named = run.name or run.target
    if store.length(run) == 1:
        return f"only one run of {named}"
    return f"no run of {named} before run {run.number} that reached it"


def _plan(side: str, given: str, options: Mapping[str, Any]) -> Callable[[bool], Report]:
    """Check the options of one side.

    Returns a function ``f(quiet)`` that checks or reads the side and returns its report.
    """
    own = {name: options[f"{name}_{side}"] for name in OF_ONE if options[f"{name}_{side}"] is not None}
    from conformance.judge.read import read_report

    path = Path(given)
    if given != EMBEDDED and "://" not in given and (path.suffix == ".json" or path.exists()):
        if own:
            flag = f"--{next(iter(own)).replace('_', '-')}-{side}"
            raise UsageProblem(f"{flag} applies to a URL, but {given} is a report: leave out {flag}")
        report = read_report(path)
        return lambda _quiet: report
    shared = {name: options[name] for name in OF_BOTH}
    keyless = "api_key_env" not in own and given != EMBEDDED
    try:
        settings = settings_from(os.environ, {**shared, **own, "target": given, "no_key": keyless})
    except UsageProblem as problem:
        raise _side_error(side, problem) from None
    return lambda quiet: _check_side(side, settings, quiet=quiet)


def _check_side(side: str, settings: Settings, *, quiet: bool) -> Report:
    from conformance.judge.build import report_on
    from conformance.run.consent import announcement
    from conformance.run.one_run import ask

    if not quiet:
        for text in announcement(settings):
            click.echo(f"{side.upper()}: {text}", err=True)
        if settings.no_key and os.environ.get(DEFAULT_KEY_ENV):
            click.echo(f"{side.upper()}: no key is sent (--api-key-env-{side} names one)", err=True)
    with progress(settings, quiet=quiet) as tell:
        try:
            transcript = ask(settings, tell)
        except UsageProblem as problem:
            raise _side_error(side, problem) from None
    return report_on(transcript, settings.judging)


def _side_error(side: str, problem: UsageProblem) -> UsageProblem:
    """Return an exception that names the side, and spells its options as ``compare`` does, such as ``--dialect-a``."""
    text = str(problem)
    for name in OF_ONE:
        flag = f"--{name.replace('_', '-')}"
        text = text.replace(flag, f"{flag}-{side}")
    return UsageProblem(f"{side.upper()}: {text}")


def _write(comparison: Comparison, reports: Sequence[Report], directory: Path) -> None:
    from conformance.history.comparison import encode
    from conformance.render.comparison import comparison_markdown, render_comparison
    from conformance.render.write import write_reports

    for side, report in zip("ab", reports, strict=False):  # a history keeps no reports
        write_reports(report, directory / side)
    directory.mkdir(parents=True, exist_ok=True)
    linked = bool(reports)
    write_whole(
        {
            directory / "index.html": render_comparison(comparison, linked=linked).encode(),
            directory / "comparison.json": encode(comparison),
            directory / "summary.md": comparison_markdown(comparison, linked=linked).encode(),
        }
    )


def _print(comparison: Comparison, directory: Path | None, form: str, *, linked: bool, quiet: bool) -> None:
    from conformance.history.comparison import diff_of, encode
    from conformance.render.comparison import comparison_lines, comparison_markdown
    from conformance.render.terminal import COLOUR

    if form == "json":
        import msgspec

        as_json = msgspec.json.encode(diff_of(comparison)) if comparison.over_time else encode(comparison)
        click.echo(msgspec.json.format(as_json, indent=2).decode())
        return
    if form == "markdown":
        click.echo(comparison_markdown(comparison, linked=linked and directory is not None), nl=False)
        return
    lines = comparison_lines(comparison)
    for line in lines[-1:] if quiet else lines:
        click.secho(line.text, fg=COLOUR.get(line.style))
    if not quiet and directory is not None:
        click.echo(f"report: {directory / 'index.html'}")
