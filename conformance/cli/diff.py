"""``comfy-conformance diff``: what changed from one run to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.cli.shared import reading, refusal

if TYPE_CHECKING:
    from conformance.history import Snapshot, Store
    from conformance.judge.report import Diff

EXIT_WORSE = 1


@click.command()
@click.argument("old", required=False)
@click.argument("new", required=False)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Compare runs of this history; OLD and NEW are their numbers. "
    "[default: its last run, with the last whole one before it]",
)
@click.option("--target", metavar="URL", help="With --history: the last run of this target. [default: of any]")
@click.option("--fail-on-should", is_flag=True, help="A newly breached 'should' is worse too.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print only whether something got worse; with --format text.")
def diff(  # noqa: PLR0913 - one parameter for each option
    *,
    old: str | None,
    new: str | None,
    history: Path | None,
    target: str | None,
    form: str,
    fail_on_should: bool,
    quiet: bool,
) -> int:
    """Say what changed from one run to another, and whether it got worse.

    OLD and NEW are two compliance.json, or with --history the numbers of two runs.

    Worse are: a clause that newly fails; one that fails with a fingerprint (place and kind) that it did not have;
    a core clause that is no longer exercised; one on which the suite itself newly fails; and a verdict that is no
    longer conformant. With --fail-on-should the first two count for warnings as well.

    Exit status: 1 where something got worse, 0 else, 4 for what cannot be compared.
    """
    if history is None:
        if target is not None:
            raise refusal("--target chooses among the runs of a history: add --history FILE")
        if old is None or new is None:
            raise refusal("two reports are compared: give OLD and NEW, or --history FILE")
        found = _of_files(Path(old), Path(new), fail_on_should=fail_on_should)
    else:
        found = _of_history(history, old, new, target, fail_on_should=fail_on_should)
    _print(found, form, quiet=quiet)
    return EXIT_WORSE if found.worse else 0


def _of_files(old: Path, new: Path, *, fail_on_should: bool) -> Diff:
    from conformance.history import compare, snapshot

    return compare(snapshot(reading(old)), snapshot(reading(new)), fail_on_should=fail_on_should)


def _of_history(path: Path, old: str | None, new: str | None, target: str | None, *, fail_on_should: bool) -> Diff:
    from conformance.history import HistoryProblem, Store, compare

    try:
        with Store(path) as store:
            before, now = _last_two(store, target) if old is None else _numbered(store, old, new, target)
            return compare(before, now, fail_on_should=fail_on_should)
    except HistoryProblem as problem:
        raise refusal(str(problem)) from None


def _numbered(store: Store, old: str, new: str | None, target: str | None) -> tuple[Snapshot, Snapshot]:
    if target is not None:
        raise refusal("--target chooses the runs itself: leave out their numbers, or --target")
    if new is None or not (old.isdecimal() and new.isdecimal()):
        raise refusal("with --history give the numbers of two runs, such as 11 12, or none for the last two")
    before, now = (store.snapshot(store.run(int(number))) for number in (old, new))
    return before, now


def _last_two(store: Store, target: str | None) -> tuple[Snapshot, Snapshot]:
    from conformance.text.suggest import did_you_mean

    newest = store.newest()
    targets = dict.fromkeys(run.target for run in newest)
    if target is not None and target not in targets:
        raise refusal(f"the history {store.path} holds no run of {target}{did_you_mean(target, targets)}")
    now = next((run for run in newest if target in (None, run.target)), None)
    before = None if now is None else store.before(now)
    if now is None or before is None:
        held = "no run" if now is None else f"only one run of {now.target}"
        raise refusal(f"the history {store.path} holds {held}: nothing to compare yet")
    return store.snapshot(before), store.snapshot(now)


def _print(found: Diff, form: str, *, quiet: bool) -> None:
    from conformance.render.diff import diff_lines, diff_markdown
    from conformance.render.terminal import COLOUR

    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    elif form == "markdown":
        click.echo(diff_markdown(found), nl=False)
    else:
        lines = diff_lines(found)
        for line in lines[-1:] if quiet else lines:
            click.secho(line.text, fg=COLOUR.get(line.style))
