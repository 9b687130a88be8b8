"""The overview of many targets: a page and a Markdown summary, made from results.jsonl."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, get_args

from conformance.fleet.model import EndpointResult
from conformance.fleet.results import endpoints, header_and_footer
from conformance.fleet.tally import FleetTally
from conformance.history.overview import Outcome
from conformance.judge.report import Verdict
from conformance.render.overview import headline, render_markdown
from conformance.render.page import render
from conformance.render.words import VERDICT
from conformance.text.files import write_whole

ROWS: Final = 10_000
"""How many targets the page lists, problems first."""
GROUPS: Final = 30
"""How many groups the page shows, and how many targets that fail in a unique way."""
OUTCOME: Final[dict[Outcome, str]] = {
    "non-conformant": VERDICT[Verdict.NON_CONFORMANT],
    "error": "Not judged",
    "inconclusive": VERDICT[Verdict.INCONCLUSIVE],
    "conformant": VERDICT[Verdict.CONFORMANT],
}


def write_overview(directories: Sequence[Path], into: Path) -> FleetTally:
    """Write ``index.html`` and ``summary.md`` of several runs, and return what their targets have in common.

    Raises OSError, and UsageProblem if one of the directories holds no results.
    """
    tally = FleetTally(_all(directories))
    linked = [*directories] == [into]
    summary = render_markdown(tally, _worst_first(directories))
    write_whole(
        {
            into / "index.html": _page(directories, tally, linked=linked).encode(),
            into / "summary.md": summary.encode(),
        }
    )
    return tally


def _page(directories: Sequence[Path], tally: FleetTally, *, linked: bool) -> str:
    """Return the page. All server text is escaped."""
    ends = [header_and_footer(directory) for directory in directories]
    footers = [footer for _, footer in ends if footer is not None]
    groups = tally.groups()
    shared = [group for group in groups if group[1].number > 1]
    alone = [group for group in groups if group[1].number == 1]
    outcome = tally.outcome
    return render(
        "overview.html",
        Verdict.INCONCLUSIVE if outcome == "error" else Verdict(outcome),
        styles=("style.css", "site/site.css", "overview.css"),
        script="overview.js",
        linked=linked,
        tally=tally,
        headline=headline(tally),
        OUTCOME=OUTCOME,
        header=ends[0][0],
        version=ends[0][0].suite_version,
        directory=directories[0] if len(directories) == 1 else "DIR",
        end=max(footer.end for footer in footers) if len(footers) == len(ends) else None,
        clauses=sorted(tally.clauses.items(), key=lambda each: -each[1].number),
        groups=shared[:GROUPS],
        more_groups=len(shared[GROUPS:]),
        outliers=alone[:GROUPS],
        more_outliers=len(alone[GROUPS:]) + tally.rarer.number,
        slowest=tally.slowest(),
        unreached=sorted(tally.unreached.items(), key=lambda each: -each[1].number)[:GROUPS],
        rows=islice(_worst_first(directories), ROWS),
        left_out=max(0, tally.total - ROWS),
        workers=sorted(tally.workers.items()),
    )


def _all(directories: Sequence[Path]) -> Iterator[EndpointResult]:
    for directory in directories:
        yield from endpoints(directory)


def _worst_first(directories: Sequence[Path]) -> Iterator[EndpointResult]:
    """Yield the targets, problems first. The files are read once per outcome, to save memory."""
    for outcome in get_args(Outcome):
        yield from (each for each in _all(directories) if each.outcome == outcome)
