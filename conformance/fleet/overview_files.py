"""Write the overview of many targets, a page and a Markdown summary, from the results in results.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, get_args

import msgspec
from msgspec import structs

from conformance.fleet.result_lines import EndpointResult, Footer, Header
from conformance.fleet.results import endpoints, header_and_footer
from conformance.fleet.tally import FleetTally
from conformance.history.digest import Digest, digest
from conformance.history.night_results import TargetOutcome
from conformance.judge.read import NAME as REPORT
from conformance.judge.report import Verdict
from conformance.render.digest import NAMES, block, digest_markdown, icon, some
from conformance.render.markdown import plain
from conformance.render.overview import headline, render_markdown
from conformance.render.page import render
from conformance.render.words import VERDICT
from conformance.text.files import write_whole
from conformance.text.plural import count

Ends = tuple[Header, Footer | None]

ROWS: Final = 10_000
"""Maximum number of targets that the HTML page lists, worst first."""
LISTED: Final = 1000
"""Maximum number of directories of earlier runs that the HTML page names."""
OUTCOME: Final[dict[TargetOutcome, str]] = {
    "non-conformant": VERDICT[Verdict.NON_CONFORMANT],
    "error": "Not judged",
    "inconclusive": VERDICT[Verdict.INCONCLUSIVE],
    "conformant": VERDICT[Verdict.CONFORMANT],
}


class _RunEnd(msgspec.Struct):
    end: str


class _ReportEnd(msgspec.Struct):
    run: _RunEnd


@dataclass(frozen=True)
class OverviewContents:
    """What an overview shows. ``earlier`` are subdirectories of its directory that are left over from earlier runs."""

    tally: FleetTally
    digest: Digest
    earlier: tuple[str, ...]


def write_overview(directories: Sequence[Path], into: Path) -> OverviewContents:
    """Write ``index.html`` and ``summary.md`` of several runs, and return what they show.

    Raises OSError if a file cannot be written, and UsageProblem if one of the directories holds no results.
    """
    ends = [header_and_footer(directory) for directory in directories]
    start, end = _times(ends)
    linked = [*directories] == [into]
    results = (one if linked else structs.replace(one, report=None) for one in _all(directories))
    shown = OverviewContents(
        FleetTally(_all(directories)),
        digest(results, start=start, end=end or start),
        tuple(_earlier(into, _all(directories), start)) if linked else (),
    )
    parts = (
        digest_markdown(shown.digest),
        plain(left_by_earlier(shown.earlier, LISTED)),
        _every(shown.tally, directories),
    )
    write_whole(
        {
            into / "index.html": _page(directories, ends, shown, linked=linked).encode(),
            into / "summary.md": ("\n\n".join(part.rstrip("\n") for part in parts if part) + "\n").encode(),
        }
    )
    return shown


def left_by_earlier(names: Sequence[str], most: int = NAMES) -> str:
    """Return a sentence about reports of earlier runs in the same directory, or ``""``."""
    if not names:
        return ""
    told = [REPORT if name == "." else f"{name}/" for name in names]
    return f"Reports of an earlier run, not included here: {some(told, len(told), most)}"


def _earlier(directory: Path, results: Iterable[EndpointResult], start: str) -> list[str]:
    """Return the subdirectories with reports of runs that ended before this run started; "." for ``directory`` itself.

    ``results`` are the results of this run, which started at ``start``. Nothing is deleted, because the operator may
    still need the reports. Raises OSError if the directory cannot be read.
    """
    found = {path.parent for path in (directory / REPORT, *directory.glob(f"*/{REPORT}"))}
    if found:
        found -= {(directory / one.report).parent for one in results if one.report is not None}
    return sorted(str(path.relative_to(directory)) for path in found if _ended(path) < start)


def _ended(directory: Path) -> str:
    """Return when the run of a report ended, or a text that sorts after every time if the report cannot be read."""
    try:
        return msgspec.json.decode((directory / REPORT).read_bytes(), type=_ReportEnd).run.end
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return "~"


def _times(ends: Sequence[Ends]) -> tuple[str, str | None]:
    """Return the start of the first run and the end of the last run. The end is None if a run has not ended."""
    footers = [footer for _, footer in ends if footer is not None]
    ended = max(footer.end for footer in footers) if len(footers) == len(ends) else None
    return min(header.start for header, _ in ends), ended


def _every(tally: FleetTally, directories: Sequence[Path]) -> str:
    """Return the table of all targets as Markdown, in a section that is folded at first."""
    table = render_markdown(tally, _worst_first(directories)).rstrip("\n")
    return f"<details><summary>{count(tally.total, 'target')} one by one</summary>\n\n{table}\n\n</details>"


def _page(directories: Sequence[Path], ends: Sequence[Ends], shown: OverviewContents, *, linked: bool) -> str:
    """Return the overview as an HTML page. All text from servers is escaped."""
    tally, header = shown.tally, ends[0][0]
    return render(
        "overview.html",
        icon(shown.digest),
        styles=("style.css", "site/site.css", "nights.css", "overview.css"),
        script="overview.js",
        linked=linked,
        tally=tally,
        headline=headline(tally),
        OUTCOME=OUTCOME,
        header=header,
        version=header.suite_version,
        directory=directories[0] if len(directories) == 1 else "DIR",
        end=_times(ends)[1],
        earlier=left_by_earlier(shown.earlier, LISTED),
        clauses=sorted(tally.clauses.items(), key=lambda each: -each[1].number),
        slowest=tally.slowest(),
        rows=islice(_worst_first(directories), ROWS),
        left_out=max(0, tally.total - ROWS),
        workers=sorted(tally.workers.items()),
        **block(shown.digest),
    )


def _all(directories: Sequence[Path]) -> Iterator[EndpointResult]:
    for directory in directories:
        yield from endpoints(directory)


def _worst_first(directories: Sequence[Path]) -> Iterator[EndpointResult]:
    """Yield the results, worst first. The files are read once per outcome, to save memory."""
    for outcome in get_args(TargetOutcome):
        yield from (each for each in _all(directories) if each.outcome == outcome)
