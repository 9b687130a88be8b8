"""``comfy-conformance judge``: judge recorded responses or an old report, without network access."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource
from msgspec import structs

from conformance.cli.shared import GroupedCommand, GroupedOption, demand_writable, finish, options_at
from conformance.problems import UsageProblem
from conformance.run.describing import Group, Place
from conformance.run.options import at, settings_from
from conformance.run.settings import DEFAULT_QUEUE_PATH
from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.exchange.model import Exchange
    from conformance.exchange.recording import Recording, Selection
    from conformance.exchange.stored import BodyStore

RECORDINGS: Final = "Recordings"
"""The heading of the options that apply only to recordings."""
_recording_option: Final = partial(click.option, cls=GroupedOption, group=RECORDINGS)
_NAMES: Final = {"-": "standard input"}
"""How messages call a file argument, if not by the name that the user typed."""
_SHOWN: Final = 3
"""The maximum number of unreadable parts of recordings that are printed."""
_KEPT: Final = 100
"""The maximum number of unreadable parts of recordings that the report lists."""


@click.command(cls=GroupedCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@_recording_option(
    "--method",
    type=click.Choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]),
    metavar="METHOD",
    help="Request method of a raw response without a .req file. [default: GET]",
)
@_recording_option(
    "--queue-path",
    metavar="PATH",
    help="In a HAR file, judge the requests of this path. "
    f"[default: {DEFAULT_QUEUE_PATH}; if the file has none of it, another path that ends in /queue and has JSON responses]",
)
@_recording_option(
    "--target",
    metavar="URL",
    help="In a HAR file, judge the server with this base URL. [default: every server, separately]",
)
@options_at(Place.JUDGE)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Directory for index.html, compliance.json, junit.xml and summary.md. [default: no report]",
    cls=GroupedOption,
    group=Group.REPORT.value,
)
def judge(  # noqa: PLR0913, PLR0917 - one parameter for each option that this function reads
    files: tuple[str, ...],
    method: str | None,
    queue_path: str | None,
    target: str | None,
    report_dir: Path | None,
    quiet: bool,
    **options: Any,
) -> int:
    """Judge recorded responses or an old report, without network access.

    FILE is a HAR file, an HTTP response as printed by curl -i or HTTPie (with its request in a .req file of the same
    name), a JSON body, or - for standard input: docs/recordings.md says how to record. Several files are judged as one
    run, and several servers separately. A report is written only with --report-dir.

    The compliance.json of a run with --full-bodies is judged again by the current clauses, with the dialect of that run
    unless --dialect is given.
    """
    import time

    from conformance.contract.terms import Dialect
    from conformance.exchange.recording import Recording, Selection, UnreadableRecording
    from conformance.judge.build import report_on_exchanges
    from conformance.judge.rejudge import is_report, judge_again, read_source

    start = time.time()
    source = None
    try:
        chosen = {"target": target, "queue_path": queue_path or DEFAULT_QUEUE_PATH}
        settings = settings_from({}, {**options, **chosen, "report_dir": report_dir or Path()})
        selection = Selection(queue_path, settings.target)
        if report_dir is not None:
            demand_writable(report_dir)
        whole = Recording()
        for name in files:  # one by one, because together they may be too large for the memory
            data = _read(name)
            if is_report(data):
                _demand_single_report(files, method, selection)
                source, transcript = read_source(data, _NAMES.get(name, name))
            else:
                whole.extend(_recorded(name, data, method, selection, whole.store))
        given = click.get_current_context().get_parameter_source("dialect")
        if source is not None and given is ParameterSource.DEFAULT:
            settings = structs.replace(settings, dialect=Dialect(source.run.dialect))
        if source is not None:
            names = {option.name for option in at(Place.JUDGE)}
            own = {name: value for name, value in settings.options().items() if name in names}
            report = judge_again(
                source, transcript, structs.replace(settings.judging, options=own), name=_NAMES.get(files[0], files[0])
            )
        else:
            exchanges, notes = _told_apart(whole), whole.notes
            if settings.document is not None:
                from conformance.properties.required import with_declared

                exchanges = with_declared(exchanges, settings.document)
            named = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
            report = report_on_exchanges(
                exchanges, settings.judging, target=named, start=start, unread=_print_notes(notes, quiet=quiet)
            )
    except UnreadableRecording as problem:
        raise UsageProblem(str(problem)) from None
    return finish(report, settings, quiet=quiet, write=report_dir is not None)


def _read(name: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        msg = f"{name} cannot be read ({error.strerror}): give a recording, or - for standard input"
        raise UsageProblem(msg) from None


def _demand_single_report(files: Sequence[str], method: str | None, selection: Selection) -> None:
    if selection.queue_path is not None or selection.target is not None:
        raise UsageProblem(
            "--queue-path and --target apply to HAR files, and this is the report of a run: leave them out"
        )
    if len(files) > 1:
        raise UsageProblem("the report of a run is judged again separately: give only that file")
    if method is not None:
        raise UsageProblem("--method applies to a raw response, and this is the report of a run: leave it out")


def _print_notes(notes: Sequence[str], *, quiet: bool) -> tuple[str, ...]:
    """Print notes about parts of recordings that could not be read, and return those that the report lists."""
    for note in () if quiet else notes[:_SHOWN]:
        click.echo(line(f"note: {note}"), err=True)
    if len(notes) > _SHOWN and not quiet:
        click.echo(f"note: {len(notes) - _SHOWN} more like these; the report names them", err=True)
    more = (f"{len(notes) - _KEPT} more",) if len(notes) > _KEPT else ()
    return (*notes[:_KEPT], *more)


def _recorded(name: str, data: bytes, method: str | None, selection: Selection, store: BodyStore) -> Recording:
    """Read a recording. Raises UnreadableRecording."""
    from conformance.exchange.recordings import record_of, recorded

    if name in _NAMES:
        return recorded(data, name=_NAMES[name], method=method, selection=selection, store=store)
    return record_of(Path(name), method=method, data=data, selection=selection, store=store)


def _told_apart(whole: Recording) -> list[Exchange]:
    """Return the exchanges of all recordings.

    Ids that occur twice are replaced, so that each exchange has a unique id.
    """
    found = whole.named_by_server()
    names = Counter(exchange.id for exchange in found)
    return [
        replace(exchange, id=f"{exchange.id} ({number})") if names[exchange.id] > 1 else exchange
        for number, exchange in enumerate(found, 1)
    ]
