"""Write a history as a static site: an index, and a page for each target and each run. No scripts, no network."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from conformance.history.comparison import diff_of, over_time
from conformance.history.digest import digest
from conformance.history.file import HistoryProblem
from conformance.history.period import labels, result_of
from conformance.history.snapshot import snapshot
from conformance.history.store import Store
from conformance.history.trend import history_of
from conformance.judge.read import NAME
from conformance.judge.report import History, PastRun, Verdict, decode
from conformance.render.badge import badge_of, render_endpoint, render_svg
from conformance.render.digest import block
from conformance.render.formats import FORMATS
from conformance.render.nights import broken, strip_of
from conformance.render.page import render
from conformance.render.words import STATUS, by_subject
from conformance.render.write import NAMES
from conformance.text.files import write_whole
from conformance.version import __version__

TITLE: Final = "Queue conformance"
RUNS: Final = 100
"""How many runs of each target have a page."""
LINE: Final = 60
"""How many runs the table of clauses on a target's page shows."""
SHORT_LINE: Final = 30
"""How many runs of each target the index shows."""
TREND: Final = 365
STRIP: Final = 90
"""``TREND`` is how many runs the charts of a target show, ``STRIP`` how many nightly runs its row of bars shows."""
FEW: Final = 5
"""Up to this number of targets, the index shows the details of each. With more, it shows only a summary."""
_WORST: Final = (Verdict.NON_CONFORMANT, Verdict.INCONCLUSIVE, Verdict.CONFORMANT)
_OURS: Final = b'<meta name="generator" content="comfy-queue-conformance'

Page = tuple[str, bytes]
"""The path of a file below the site's directory, and its content."""
SeriesKey = tuple[str, ...]
"""A key that identifies a run both in a history and in a report."""


@dataclass(frozen=True)
class TargetSeries:
    """One target on the site. ``run`` is its newest run, and ``runs`` are those that have a page, newest first.

    ``slug`` is the name of its directory. ``trend`` are the runs in its charts, oldest first.
    """

    slug: str
    name: str
    run: PastRun
    history: History
    runs: tuple[PastRun, ...]
    trend: tuple[PastRun, ...]


@dataclass(frozen=True)
class Reports:
    """The reports that were found: the directory of each run's report, and the unreadable compliance.json files."""

    directories: Mapping[SeriesKey, Path]
    unread: tuple[Path, ...]


@dataclass(frozen=True)
class SiteContents:
    """What a written site contains: how many targets and runs have a page, and how many runs also have a report."""

    targets: int
    runs: int
    reports: int


def find_reports(directory: Path) -> Reports:
    """Find every ``compliance.json`` below a directory. Reports of old responses that were judged again are ignored."""
    found, unread = {}, []
    for path in sorted(directory.rglob(NAME)):
        try:
            report = decode(path.read_bytes())
        except (OSError, UnicodeDecodeError, msgspec.DecodeError):
            unread.append(path)
            continue
        if report.run.made_from is None:
            found[_key(snapshot(report).run)] = path.parent
    return Reports(found, tuple(unread))


def write_site(
    store: Store, directory: Path, *, reports: Reports | None = None, title: str = TITLE, runs: int = RUNS
) -> SiteContents:
    """Write the site. Each file is replaced atomically, the index last. Other files are not touched.

    Raises HistoryProblem if the history is empty, FileExistsError if another program wrote the index, and OSError.
    """
    index = directory / "index.html"
    if index.exists() and _OURS not in index.read_bytes():
        raise FileExistsError(f"{index} is not a page of this suite")
    site = _Site(store, title, runs, {} if reports is None else reports.directories)
    for path, content in site.pages():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole({file: content})
    return SiteContents(
        len(site.targets), len(site.linked), sum(_key(run) in site.reports for run in site.linked.values())
    )


def _key(run: PastRun) -> SeriesKey:
    return run.target, run.queue_path, run.dialect, run.start, run.end


def _slug(run: PastRun) -> str:
    """Return the directory name of a target: readable, the same in every run, and unique."""
    own = run.name or run.target.lower().removeprefix("http://").removeprefix("https://")
    readable = re.sub("[^a-z0-9]+", "-", own.lower()).strip("-")[:60]
    if run.name is not None:
        return f"{readable}-{hashlib.sha256(run.name.encode()).hexdigest()[:6]}"
    mark = hashlib.sha256(f"{run.target}\n{run.queue_path}\n{run.dialect}".encode()).hexdigest()[:6]
    return f"{readable}-{run.dialect}-{mark}"


class _Site:
    """Makes the pages in the order in which they must be written: each page after the pages that it links to."""

    def __init__(self, store: Store, title: str, runs: int, reports: Mapping[SeriesKey, Path]) -> None:
        self.store, self.title, self.reports = store, title, reports
        newest = store.newest()
        if not newest:
            raise HistoryProblem(f"the history {store.path} has no run yet: run check with --history first")
        self.newest = newest[0]
        names = labels(newest)
        targets = [
            TargetSeries(
                _slug(run),
                names[run.number],
                run,
                history_of(store, run, last=LINE),
                tuple(reversed(store.series(run, runs))),
                tuple(store.series(run, TREND)),
            )
            for run in newest
        ]
        self.targets = sorted(targets, key=lambda target: _WORST.index(target.run.verdict))
        self.linked = {run.number: run for target in targets for run in target.runs}
        self.total = sum(target.history.total for target in targets)

    def pages(self) -> Iterator[Page]:
        for target in self.targets:
            yield from self._of_target(target)
        worst = self.targets[0].run.verdict
        yield (
            "runs/index.html",
            self._render(
                "runs",
                worst,
                "../",
                runs=sorted(self.linked.values(), key=lambda run: -run.number),
                slugs={run.number: target.slug for target in self.targets for run in target.runs},
            ),
        )
        verdicts = [target.run.verdict for target in self.targets]
        yield (
            "index.html",
            self._render(
                "index",
                worst,
                "",
                targets=self.targets,
                short_line=SHORT_LINE,
                few=FEW,
                **self._digest(),
                verdicts={verdict: verdicts.count(verdict) for verdict in Verdict},
            ),
        )

    def _digest(self) -> dict[str, Any]:
        """Return the template values for the summary on the index, which compares each target with its previous run."""
        by_name = sorted(self.targets, key=lambda target: target.name)
        results = (result_of(self.store, target.run, target.name) for target in by_name)
        end = max(target.run.start for target in self.targets)
        links = {target.name: f"targets/{target.slug}/index.html" for target in by_name}
        return block(digest(results, start=end, end=end), links)

    def _of_target(self, target: TargetSeries) -> Iterator[Page]:
        numbers = [run.number for run in target.runs]
        for run, later, earlier in zip(target.runs, [None, *numbers[:-1]], [*numbers[1:], None], strict=True):
            yield from self._of_run(run, slug=target.slug, later=later, earlier=earlier)
        made, folder = badge_of(self.store.snapshot(target.run)), f"targets/{target.slug}"
        svg = render_svg(made)
        yield f"{folder}/badge.svg", svg
        yield f"{folder}/badge.json", render_endpoint(made)
        whole = self.store.before(target.run) if target.run.selected else None
        clauses = self.store.snapshot(whole or target.run).clauses
        yield (
            f"{folder}/index.html",
            self._render(
                "target",
                target.run.verdict,
                "../../",
                run=target.run,
                history=target.history,
                trend=target.trend,
                nights=strip_of(target.trend[-STRIP:]),
                first_night=target.trend[-STRIP:][0].start,
                broken=broken(target.trend),
                whole=whole,
                badge_text=f"{made.label}: {made.message}",
                badge_svg=svg.decode(),
                subjects=by_subject(clause for name, clause in clauses.items() if name in target.history.clauses),
            ),
        )

    def _of_run(self, run: PastRun, **around: Any) -> Iterator[Page]:
        held = self.reports.get(_key(run))
        files = [] if held is None else [held / name for name in (*NAMES, *(each.file for each in FORMATS.values()))]
        files = [file for file in files if file.is_file()]
        for file in files:
            yield f"runs/{run.number}/report/{file.name}", file.read_bytes()
        before, now = self.store.before(run), self.store.snapshot(run)
        clauses = now.clauses.values()
        by_status = [(status, [clause for clause in clauses if clause.status is status]) for status in STATUS]
        yield (
            f"runs/{run.number}/index.html",
            self._render(
                "run",
                run.verdict,
                "../../",
                run=run,
                report=[file.name for file in files],
                known=list(now.clauses),
                statuses=[(status, group) for status, group in by_status if group],
                diff=None
                if before is None
                else diff_of(over_time(self.store.snapshot(before), now, keep_same=False), self.store.outage(run)),
                **around,
            ),
        )

    def _render(self, name: str, verdict: Verdict, root: str, **values: Any) -> bytes:
        page = render(
            f"site/{name}.html",
            verdict,
            styles=("style.css", "site/site.css", "nights.css"),
            at=name,
            root=root,
            title=self.title,
            version=__version__,
            total=self.total,
            newest=self.newest,
            linked=self.linked,
            profiles=lambda run: self.store.snapshot(run).profiles,
            **values,
        )
        return page.encode()
