"""The file that keeps runs: SQLite, one transaction a run, so that a run is in it whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import msgspec

from conformance.contract.terms import EDITION
from conformance.history.snapshot import ClauseThen, Snapshot, in_order
from conformance.judge.report import Counts, Fingerprint, PastRun, RunAt, Status, Verdict
from conformance.problems import UsageProblem

APPLICATION_ID: Final = 0x43514831
"""``CQH1`` in ``PRAGMA application_id`` tells a history from the SQLite files of other programs."""
VERSION: Final = 4
"""``PRAGMA user_version``: raise this number whenever the tables change. A file with another number is refused."""
WAIT: Final = 30.0
"""Seconds to wait for another process that writes to the same file."""
_UNUSABLE: Final = {"SQLITE_NOTADB": "is no SQLite database", "SQLITE_CORRUPT": "is a damaged SQLite database"}
_RUN: Final = (
    "number, target, queue_path, dialect, started, ended, verdict, reason, partial, selected, suite_version, "
    "document_sha256, counts, failed_on_should, p50, p95"
)
_TABLES: Final = """
CREATE TABLE run (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL,
    queue_path TEXT NOT NULL,
    dialect TEXT NOT NULL,
    started TEXT NOT NULL,
    ended TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    partial INTEGER NOT NULL,
    selected TEXT,
    suite_version TEXT NOT NULL,
    document_sha256 TEXT NOT NULL,
    counts TEXT NOT NULL,
    failed_on_should INTEGER NOT NULL,
    p50 REAL,
    p95 REAL
);
CREATE INDEX run_of_a_series ON run (target, queue_path, dialect, number);
CREATE TABLE clause (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    level TEXT NOT NULL,
    core INTEGER NOT NULL
);
CREATE TABLE status (
    run INTEGER NOT NULL REFERENCES run,
    clause TEXT NOT NULL REFERENCES clause,
    status TEXT NOT NULL
);
CREATE UNIQUE INDEX status_of_a_clause ON status (clause, run);
CREATE INDEX status_of_a_run ON status (run);
CREATE TABLE failure (
    run INTEGER NOT NULL REFERENCES run,
    clause TEXT NOT NULL REFERENCES clause,
    place TEXT,
    kind TEXT NOT NULL
);
CREATE INDEX failure_of_a_run ON failure (run);
"""
"""``counts`` is JSON as in compliance.json. A clause has the title and level of the newest run. Times are seconds."""
_SERIES: Final = "target = ? AND queue_path = ? AND dialect = ?"


class HistoryProblem(UsageProblem):
    """A history cannot be read or written now. The text is one line: which file, and what is wrong with it."""


class UnusableHistory(HistoryProblem):
    """A file that can never be this suite's history: not a history, damaged, or of another version."""


class Seen(NamedTuple):
    """A run in which a clause had a status."""

    at: RunAt
    status: Status


class Store:
    """An open history. ``create`` makes the file if it does not exist.

    To be closed, best by ``with``. Raises HistoryProblem, here and from every method.
    """

    def __init__(self, path: Path, *, create: bool = False, wait: float = WAIT) -> None:
        self.path = path
        if path.is_dir():
            raise UnusableHistory(f"the history {path} is a directory: name a file")
        if not create and not path.exists():
            raise UnusableHistory(f"there is no history {path}: a run with --history {path} makes it")
        with self._told("opened"):
            # No transactions but those that are begun here; waiting is SQLite's own.
            self.connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode={'rwc' if create else 'rw'}",
                uri=True,
                timeout=wait,
                isolation_level=None,
            )
        try:
            with self._told("read"), self._transaction("DEFERRED"):  # another process may be making it
                self._check()
            with self._told("made"):
                self._make_tables()
        except HistoryProblem:
            self.connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def add(self, snapshot: Snapshot) -> int:
        """Keep a run, in one transaction, and return the number that it has in this history."""
        run, clauses = snapshot.run, snapshot.clauses.values()
        with self._told("written"), self._transaction():
            execute, many = self.connection.execute, self.connection.executemany
            number = execute(
                f"INSERT INTO run ({_RUN}) VALUES (NULL{', ?' * 15})",  # noqa: S608 - our own words
                (
                    run.target,
                    run.queue_path,
                    run.dialect,
                    run.start,
                    run.end,
                    run.verdict.value,
                    run.reason,
                    run.partial,
                    run.selected,
                    run.suite_version,
                    run.document_sha256,
                    msgspec.json.encode(run.counts).decode(),
                    run.failed_on_should,
                    run.p50,
                    run.p95,
                ),
            ).lastrowid
            assert number is not None
            many(
                "INSERT INTO clause VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
                "title = excluded.title, level = excluded.level, core = excluded.core",
                [(clause.id, clause.title, clause.level, clause.core) for clause in clauses],
            )
            many(
                "INSERT INTO status VALUES (?, ?, ?)", [(number, clause.id, clause.status.value) for clause in clauses]
            )
            many(
                "INSERT INTO failure VALUES (?, ?, ?, ?)",
                [(number, clause.id, failure.place, failure.kind) for clause in clauses for failure in clause.failures],
            )
            return number

    # --- reading ------------------------------------------------------------------------------------

    def newest(self) -> list[PastRun]:
        """Return the newest run of each series (target, path, dialect), the newest of all first."""
        return self._runs(
            "number IN (SELECT max(number) FROM run GROUP BY target, queue_path, dialect) ORDER BY number DESC"
        )

    def series(self, run: PastRun, limit: int) -> list[PastRun]:
        """Return up to ``limit`` runs of the series of ``run`` that end with it, oldest first."""
        return self._runs(f"{_SERIES} AND number <= ? ORDER BY number DESC LIMIT ?", *_upto(run), limit)[::-1]

    def length(self, run: PastRun) -> int:
        """Return how many runs of the series of ``run`` there are up to it."""
        sql = f"SELECT count(*) FROM run WHERE {_SERIES} AND number <= ?"  # noqa: S608 - our own words
        return int(self._one(sql, *_upto(run))[0])

    def before(self, run: PastRun) -> PastRun | None:
        """Return the run to compare ``run`` with: the last whole one before it in its series, else the last one."""
        earlier = self._runs(f"{_SERIES} AND number < ? ORDER BY partial, number DESC LIMIT 1", *_upto(run))
        return earlier[0] if earlier else None

    def run(self, number: int) -> PastRun:
        """Return one run by its number. Raises HistoryProblem where there is none."""
        found = self._runs("number = ?", number)
        if not found:
            held = self._one("SELECT count(*), min(number), max(number) FROM run")
            told = f"runs {held[1]} to {held[2]}" if held[0] else "no run yet"
            raise HistoryProblem(f"the history {self.path} holds no run {number}: it holds {told}")
        return found[0]

    def snapshot(self, run: PastRun) -> Snapshot:
        """Return a run with its clauses."""
        failures: dict[str, list[Fingerprint]] = {}
        for clause, place, kind in self._all("SELECT clause, place, kind FROM failure WHERE run = ?", run.number):
            failures.setdefault(clause, []).append(Fingerprint(place=place, kind=kind))
        rows = self._all(
            "SELECT id, title, level, core, status FROM status JOIN clause ON clause = id WHERE run = ? "
            "ORDER BY status.rowid",
            run.number,
        )
        return Snapshot(
            run,
            {
                name: ClauseThen(name, title, level, bool(core), Status(status), in_order(failures.get(name, ())))
                for name, title, level, core, status in rows
            },
        )

    def statuses(self, run: PastRun) -> dict[str, Status]:
        """Return the statuses of the clauses of a run by id, in the order of its report."""
        rows = self._all("SELECT clause, status FROM status WHERE run = ? ORDER BY rowid", run.number)
        return {clause: Status(status) for clause, status in rows}

    def last(self, clause: str, run: PastRun, among: Iterable[Status]) -> Seen | None:
        """Return the last run of the series up to ``run`` in which a clause had a status ``among`` these."""
        return self._seek(clause, run, among, "DESC", 0)

    def first(self, clause: str, run: PastRun, among: Iterable[Status], after: int) -> Seen | None:
        """Return the first run of the series, after the one numbered ``after``, in which it had."""
        return self._seek(clause, run, among, "ASC", after)

    def _seek(self, clause: str, run: PastRun, among: Iterable[Status], order: str, after: int) -> Seen | None:
        names = ", ".join(f"'{status.value}'" for status in among)
        row = self._one(
            f"SELECT number, started, status FROM status JOIN run ON number = run WHERE clause = ? AND {_SERIES} "  # noqa: S608 - our own words
            f"AND run <= ? AND run > ? AND status IN ({names}) ORDER BY run {order} LIMIT 1",
            clause,
            *_upto(run),
            after,
        )
        return None if row is None else Seen(RunAt(number=row[0], start=row[1]), Status(row[2]))

    def _runs(self, where: str, *values: object) -> list[PastRun]:
        return [_past(row) for row in self._all(f"SELECT {_RUN} FROM run WHERE {where}", *values)]  # noqa: S608

    def _all(self, sql: str, *values: object) -> list[Any]:
        with self._told("read"):
            return self.connection.execute(sql, values).fetchall()

    def _one(self, sql: str, *values: object) -> Any:
        with self._told("read"):
            return self.connection.execute(sql, values).fetchone()

    def _pragma(self, name: str) -> int:
        return int(self._one(f"PRAGMA {name}")[0])

    # --- being careful ------------------------------------------------------------------------------

    def _check(self) -> None:
        version, owner = self._pragma("user_version"), self._pragma("application_id")
        objects = self._one("SELECT count(*) FROM sqlite_master")[0]  # fails if the file is damaged
        if version == owner == objects == 0:
            return  # an empty file becomes a history
        if owner != APPLICATION_ID:
            raise UnusableHistory(f"the history {self.path} is a database of another program: name another file")
        if version != VERSION:
            raise UnusableHistory(
                f"the history {self.path} has tables of version {version}, and this version of the suite uses version "
                f"{VERSION}: name another file, or use the version of comfy-queue-conformance that made this one"
            )

    def _make_tables(self) -> None:
        """Make the tables in an empty file, in one transaction."""
        if self._pragma("user_version") == VERSION:
            return
        with self._transaction():
            if self._pragma("user_version") == VERSION:  # another process was faster
                return
            for statement in filter(str.strip, _TABLES.split(";")):  # executescript would commit
                self.connection.execute(statement)
            self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            self.connection.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _transaction(self, kind: str = "IMMEDIATE") -> Iterator[None]:
        self.connection.execute(f"BEGIN {kind}")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:  # a full disk ends it by itself
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            name = getattr(error, "sqlite_errorname", "")
            if name in _UNUSABLE:
                raise UnusableHistory(f"the history {self.path} {_UNUSABLE[name]}: name another file") from None
            raise HistoryProblem(f"the history {self.path} cannot be {doing} ({error})") from None


def _upto(run: PastRun) -> tuple[str, str, str, int]:
    return run.target, run.queue_path, run.dialect, run.number


def _past(row: tuple[Any, ...]) -> PastRun:
    number, target, path, dialect, start, end, verdict, reason, partial, selected, suite, *rest = row
    sha256, counts, failed_on_should, p50, p95 = rest
    return PastRun(
        number=number,
        target=target,
        queue_path=path,
        dialect=dialect,
        start=start,
        end=end,
        verdict=Verdict(verdict),
        reason=reason,
        partial=bool(partial),
        selected=selected,
        suite_version=suite,
        edition=EDITION,
        document_sha256=sha256,
        counts=msgspec.json.decode(counts, type=Counts),
        failed_on_should=bool(failed_on_should),
        p50=p50,
        p95=p95,
    )


def prepare(path: Path) -> None:
    """Look at a history before anything is sent, and make its directory.

    Raises UnusableHistory where no run could ever be kept in it. What may pass until the run is over (a lock, a full
    disk, a file that is read-only) is told then.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableHistory(f"the history {path} cannot be made ({error.strerror}): name another file") from None
    if not path.exists():
        return
    try:
        with Store(path):
            pass
    except UnusableHistory:
        raise
    except HistoryProblem:
        return
