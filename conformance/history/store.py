"""The SQLite file that stores runs. A run, or a nightly run over many targets, is stored completely or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from conformance.history.file import WAIT, HistoryFile, HistoryProblem, UnusableHistory
from conformance.history.snapshot import ClauseThen, Snapshot
from conformance.history.tables import (
    COLUMNS,
    STATUS,
    digest,
    failures_of,
    failures_text,
    letters,
    row_of,
    run_of,
)
from conformance.judge.coverage import ProfileCounts
from conformance.judge.report import Fingerprint, Outage, PastRun, RunAt, Waiver

EXAMINED: Final = 32 << 20
"""Files up to this size in bytes are examined for damage before each run, which takes 0.1 s. ``nightly`` examines all.
"""
_RUNS: Final = f"SELECT {COLUMNS}, name FROM run JOIN (SELECT id, name FROM series) ON id = series"  # noqa: S608 - our own words
_SAME: Final = "series = (SELECT series FROM run WHERE number = ?)"
_NO_TIME: Final = "~"  # sorts after all times
_STATE: Final = "clauses, statuses, failures"
FileState = tuple[int, str, int]
"""The values of ``_STATE`` for a run. Runs with equal values have equal results."""


class Past(NamedTuple):
    """The statuses of one run's clauses, one letter each. ``at`` identifies the run."""

    at: RunAt
    clauses: Sequence[str]
    statuses: str


class NightResult(NamedTuple):
    """The result of one run, in short form."""

    verdict: str
    warned: bool
    reached: bool


class Store(HistoryFile):
    """The runs in an open history."""

    def __init__(self, path: Path, *, create: bool = False, wait: float = WAIT) -> None:
        super().__init__(path, create=create, wait=wait)
        self._kept: dict[int, Any] = {}
        self._clauses: dict[FileState, dict[str, ClauseThen]] = {}
        self._results: dict[tuple[str, str, tuple[Fingerprint, ...]], ClauseThen] = {}
        self._known: dict[str, tuple[str, str, bool]] | None = None

    # --- writing ------------------------------------------------------------------------------------

    def add(self, snapshot: Snapshot) -> int:
        """Store a run in one transaction, and return its number."""
        return self.add_all([snapshot])[0]

    def add_all(self, snapshots: Sequence[Snapshot]) -> list[int]:
        """Store the runs of a night in one transaction, and return their numbers."""
        self._known = None
        self._clauses.clear()
        self._results.clear()
        with self.told("written"), self.transaction():
            clauses = {clause.id: clause for snapshot in snapshots for clause in snapshot.clauses.values()}
            self.connection.executemany(
                "INSERT INTO clause VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET title = excluded.title, "
                "level = excluded.level, core = excluded.core WHERE (title, level, core) "
                "IS NOT (excluded.title, excluded.level, excluded.core)",
                [(clause.id, clause.title, clause.level, clause.core) for clause in clauses.values()],
            )
            return [self._add(snapshot) for snapshot in snapshots]

    def rename(self, old: PastRun, new: str) -> None:
        """Rename the target of a run, in all its runs.

        If a target with the new name exists, the runs of both are merged.
        """
        with self.told("written"), self.transaction():
            execute = self.connection.execute
            (before,) = execute("SELECT series FROM run WHERE number = ?", (old.number,)).fetchone()
            now = execute("SELECT id FROM series WHERE name = ?", (new,)).fetchone()
            if now is None:
                execute("UPDATE series SET name = ? WHERE id = ?", (new, before))
            elif now[0] != before:
                execute("UPDATE run SET series = ? WHERE series = ?", (now[0], before))
                execute("DELETE FROM series WHERE id = ?", (before,))

    def _add(self, snapshot: Snapshot) -> int:
        run, clauses = snapshot.run, snapshot.clauses.values()
        columns = f"number, series, {COLUMNS.removeprefix('number, ')}, clauses, statuses, failures, waivers, profiles"
        number = self.connection.execute(
            f"INSERT INTO run ({columns}) VALUES (NULL{', ?' * 23})",  # noqa: S608 - our own words
            (
                self._series(run),
                *row_of(run),
                self._keep(msgspec.json.encode(list(snapshot.clauses)).decode()),
                letters(clauses),
                self._keep(failures_text(clauses)),
                self._keep(msgspec.json.encode(snapshot.waivers).decode()),
                self._keep(msgspec.json.encode(snapshot.profiles).decode()),
            ),
        ).lastrowid
        assert number is not None
        return number

    def _series(self, run: PastRun) -> int:
        """Return the id of the series that a run belongs to: by its name, else by its target, path and dialect."""
        where = (run.target, run.queue_path, run.dialect)
        if run.name is None:
            sql = "SELECT id FROM series WHERE name IS NULL AND target = ? AND queue_path = ? AND dialect = ?"
            found = self.connection.execute(sql, where).fetchone()
        else:
            found = self.connection.execute("SELECT id FROM series WHERE name = ?", (run.name,)).fetchone()
        if found is not None:
            sql = "UPDATE series SET target = ?, queue_path = ?, dialect = ? WHERE id = ?"
            self.connection.execute(sql, (*where, found[0]))
            return int(found[0])
        sql = "INSERT INTO series (name, target, queue_path, dialect) VALUES (?, ?, ?, ?)"
        made = self.connection.execute(sql, (run.name, *where)).lastrowid
        assert made is not None
        return made

    def _keep(self, content: str) -> int:
        mark = digest(content)
        found = self.connection.execute("SELECT id FROM kept WHERE digest = ?", (mark,)).fetchone()
        if found is not None:
            return int(found[0])
        made = self.connection.execute("INSERT INTO kept (digest, content) VALUES (?, ?)", (mark, content)).lastrowid
        assert made is not None
        return made

    # --- reading ------------------------------------------------------------------------------------

    def newest(self) -> list[PastRun]:
        """Return the newest run of each target, newest first."""
        return self._runs(
            "number IN (SELECT (SELECT max(number) FROM run WHERE series = each.id) FROM series AS each) "
            "ORDER BY number DESC"
        )

    def series(self, run: PastRun, limit: int) -> list[PastRun]:
        """Return the last runs of a target up to and including ``run``, at most ``limit``, oldest first."""
        where = f"{_SAME} AND number <= ? ORDER BY number DESC LIMIT ?"
        return self._runs(where, run.number, run.number, limit)[::-1]

    def length(self, run: PastRun) -> int:
        """Return how many runs of the same target the history has up to and including ``run``."""
        sql = f"SELECT count(*) FROM run WHERE {_SAME} AND number <= ?"  # noqa: S608 - our own words
        return int(self.one(sql, run.number, run.number)[0])

    def before(self, run: PastRun, start: str | None = None) -> PastRun | None:
        """Return the earlier run to compare ``run`` with, or None if no earlier run reached the same target.

        It is the last complete run that reached the target, or else the last partial run that reached it. With
        ``start``, only runs that started before that time are considered; if there are none, it is the first run since
        then.
        """
        for when, order in (("started < ?", "DESC"), ("started >= ?", "ASC")):
            for which in (f"{when} AND NOT partial", when):
                where = f"{_SAME} AND number < ? AND unreached IS NULL AND {which} ORDER BY number {order} LIMIT 1"
                if found := self._runs(where, run.number, run.number, start or _NO_TIME):
                    return found[0]
        return None

    def reached(self, run: PastRun) -> PastRun | None:
        """Return the last run up to ``run`` that reached its target, or None."""
        where = f"{_SAME} AND number <= ? AND unreached IS NULL ORDER BY number DESC LIMIT 1"
        return next(iter(self._runs(where, run.number, run.number)), None)

    def outage(self, run: PastRun) -> Outage | None:
        """Return since when and for how many runs the target has not been reached; None if ``run`` reached it."""
        if run.unreached is None:
            return None
        last = self.reached(run)
        sql = f"SELECT count(*), min(number), started FROM run WHERE {_SAME} AND number <= ? AND number > ?"  # noqa: S608 - our own words
        number, first, started = self.one(sql, run.number, run.number, 0 if last is None else last.number)
        return Outage(since=RunAt(number=first, start=started), runs=number)

    def run(self, number: int) -> PastRun:
        """Return one run by its number. Raises HistoryProblem if it does not exist."""
        found = self._runs("number = ?", number)
        if not found:
            held = self.one("SELECT count(*), min(number), max(number) FROM run")
            told = f"runs {held[1]} to {held[2]}" if held[0] else "no run yet"
            raise HistoryProblem(f"the history {self.path} contains no run {number}: it contains {told}")
        return found[0]

    def snapshot(self, run: PastRun) -> Snapshot:
        """Return a run with its clauses. Runs with the same results share the objects for the clauses."""
        sql = f"SELECT {_STATE}, waivers, profiles FROM run WHERE number = ?"  # noqa: S608 - our own words
        *state, waivers, profiles = self.one(sql, run.number)
        with self.sound():
            return Snapshot(
                run,
                self._found(tuple(state)),
                tuple(self._content(waivers, list[Waiver])),
                tuple(self._content(profiles, list[ProfileCounts])),
            )

    def past(self, run: PastRun) -> Iterator[Past]:
        """Yield the statuses of ``run`` and of the earlier runs of its target, newest first."""
        sql = f"SELECT number, started, clauses, statuses FROM run WHERE {_SAME} AND number <= ? ORDER BY number DESC"  # noqa: S608 - our own words
        with self.told("read"), self.sound():
            for number, started, clauses, statuses in self.connection.execute(sql, (run.number, run.number)):
                yield Past(RunAt(number=number, start=started), self._content(clauses, list[str]), statuses)

    def nights(self, run: PastRun, limit: int, start: str = "") -> list[NightResult]:
        """Return the last runs of a target up to ``run``, at most ``limit`` and none before ``start``, oldest first."""
        sql = (
            "SELECT started, verdict, instr(statuses, 'w'), unreached IS NULL "  # noqa: S608 - our own words
            f"FROM run WHERE {_SAME} AND number <= ? ORDER BY number DESC LIMIT ?"
        )
        with self.told("read"):
            rows = self.connection.execute(sql, (run.number, run.number, limit))
            found = takewhile(lambda row: row[0] >= start, rows)  # earlier rows are not read
            return [NightResult(verdict, bool(warned), bool(reached)) for _, verdict, warned, reached in found][::-1]

    def _found(self, state: FileState) -> Mapping[str, ClauseThen]:
        """Return the clauses of a run.

        Runs with the same results share one object, and so do clauses with the same result.
        """
        if state not in self._clauses:
            if self._known is None:
                rows = self.all("SELECT id, title, level, core FROM clause")
                self._known = {name: (title, level, bool(core)) for name, title, level, core in rows}
            clauses, statuses, marks = state
            failures = failures_of(self._text(marks))
            found = self._clauses[state] = {}
            for name, letter in zip(self._content(clauses, list[str]), statuses, strict=True):
                key = (name, letter, failures.get(name, ()))
                if key not in self._results:
                    self._results[key] = ClauseThen(name, *self._known[name], STATUS[letter], key[2])  # type: ignore[arg-type]
                found[name] = self._results[key]
        return self._clauses[state]

    def _content(self, number: int, kind: Any) -> Any:
        if number not in self._kept:
            self._kept[number] = msgspec.json.decode(self._text(number), type=kind)
        return self._kept[number]

    def _text(self, number: int) -> str:
        return str(self.one("SELECT content FROM kept WHERE id = ?", number)[0])

    def _runs(self, where: str, *values: object) -> list[PastRun]:
        rows = self.all(f"{_RUNS} WHERE {where}", *values)
        with self.sound():
            return [run_of(row, name) for *row, name in rows]


def prepare(path: Path) -> None:
    """Check that a run can be stored in a history, before anything is sent. Creates its directory.

    Raises UnusableHistory if no run could ever be stored in it. Temporary problems (a lock, a full disk, a read-only
    file) are reported after the run.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableHistory(f"the history {path} cannot be created ({error.strerror}): name another file") from None
    if not path.exists():
        return
    try:
        with Store(path) as store:
            if path.stat().st_size <= EXAMINED:
                store.examine()
    except UnusableHistory:
        raise
    except HistoryProblem:
        return
