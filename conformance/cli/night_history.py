"""Store the results of a nightly run in a history, and recognise targets that were renamed."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from conformance.text.safe import line

if TYPE_CHECKING:
    from conformance.history import Snapshot, Store
    from conformance.history.night_results import TargetResult
    from conformance.judge.report import PastRun, Report


def _no_report() -> None:
    return None


@dataclass(frozen=True)
class Found:
    """The result of a nightly run for one target.

    ``read`` returns its report. ``directory`` is the report's directory, or None if the report has no directory of its
    own. ``named`` is false if the target has no name, so that the result has its URL as name.
    """

    result: TargetResult
    read: Callable[[], Report | None] = _no_report
    directory: Path | None = None
    named: bool = True


def keep_night(
    found: Sequence[Found], history: Path | None, renamed: Mapping[str, str], *, targets: Path | None
) -> tuple[str | None, list[str], list[TargetResult]]:
    """Store the runs that are not in a history yet.

    Returns the error message if a run could not be stored (otherwise None), notes about renamed targets, and the
    results of all targets, with what changed since earlier runs.
    """
    nothing = all(each.read is _no_report for each in found)
    if history is None or (nothing and not history.exists()):  # an empty history is of no use
        return None, [], [each.result for each in found]
    from conformance.history import HistoryProblem, Store, snapshot

    try:
        with Store(history, create=True) as store:
            store.examine()
            known = store.newest()
            numbers: dict[int, int] = {}
            new: dict[int, Snapshot] = {}
            for place, each in enumerate(found):
                report = each.read()  # one at a time: a report is large
                if report is not None and report.history is not None:
                    numbers[place] = report.history.runs[-1].number
                elif report is not None:
                    new[place] = snapshot(report, name=each.result.name if each.named else None)
            numbers |= zip(new, store.add_all([*new.values()]), strict=True)
            listed = None if targets is None else {each.result.name for each in found}
            said = _rename(store, known, {*numbers.values()}, renamed, listed=listed)
            results, unwritten = [], None
            for place, each in enumerate(found):
                shown, problem = each.result, None
                if place in numbers:
                    shown, problem = _shown(store, each, numbers[place])
                results.append(shown)
                unwritten = problem or unwritten
            return unwritten, said, results
    except HistoryProblem as problem:
        return line(f"{problem}: this night was not stored"), [], [each.result for each in found]


def _shown(store: Store, each: Found, number: int) -> tuple[TargetResult, str | None]:
    """Add the history to a target's report.

    Returns the result with the history, and a message if the report could not be written.
    """
    from msgspec import structs

    from conformance.history import HistoryProblem, history_of
    from conformance.render.overview import result
    from conformance.render.write import write_reports

    report, directory = each.read(), each.directory
    assert report is not None
    strict = report.run.options.get("fail_on_should") is True
    try:
        run = store.run(number)
        if (run.start, run.end) != (report.run.start, report.run.end):
            return each.result, None  # it is in another history
        past = history_of(store, run, fail_on_should=strict)
    except HistoryProblem:
        return each.result, None
    problem = None
    if past != report.history:
        report = structs.replace(report, history=past)
        if directory is not None:
            try:
                write_reports(report, directory, fail_on_should=strict)
            except OSError as error:
                problem = line(f"{directory} cannot be written ({error.strerror}): its report shows no history")
    return structs.replace(result(each.result.name, report, each.result.exit), report=each.result.report), problem


# --- renamed targets ------------------------------------------------------------------------------


def _rename(
    store: Store,
    known: Sequence[PastRun],
    tonight: Container[int],
    renamed: Mapping[str, str],
    *,
    listed: Container[str] | None,
) -> list[str]:
    """Join the histories of targets that were renamed. Returns notes that say so.

    ``known`` are the newest runs of all targets, ``tonight`` the numbers of the runs of this night. A target counts as
    renamed if ``renamed`` (``--renamed``) maps its old name to a new one. It also counts as renamed if its old name is
    not in ``listed``, the names of all current targets, and exactly one old and one new name have the same URL, path
    and dialect. In other cases a note says what may have been renamed.
    """
    said = []
    for old, new in renamed.items():
        run = next((run for run in known if old in {run.name, None if run.name else run.target}), None)
        if run is None:
            said.append(line(f"the history has no target {old}: nothing was renamed to {new}"))
            continue
        store.rename(run, new)
        said.append(line(f"{new} continues the history of {old}"))
    newest = store.newest()
    fresh = [run for run in newest if run.number in tonight and run.name and store.length(run) == 1]
    gone = [run for run in newest if run.number not in tonight and _called(run) not in (listed or ())]
    for now in fresh:
        before = [run for run in gone if _where(run) == _where(now)]
        rivals = [other for other in fresh if _where(other) == _where(now)]
        if listed is not None and len(before) == len(rivals) == 1:
            store.rename(before[0], _called(now))
            told = f"continues the history of {_called(before[0])}, which had the same URL and is no longer among the targets"
            said.append(line(f"{now.name} {told}"))
        elif before:
            told = f"--renamed {_called(before[0])}={now.name} continues that history"
            said.append(line(f"{now.name} is new; {', '.join(map(_called, before))} had the same URL: {told}"))
    return said


def _where(run: PastRun) -> tuple[str, str, str]:
    return run.target, run.queue_path, run.dialect


def _called(run: PastRun) -> str:
    return run.name or run.target
