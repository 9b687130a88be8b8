"""The file of a history: what goes in comes out, and no run is ever lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from conformance.history import HistoryProblem, Store, UnusableHistory, history_of, keep, prepare, snapshot
from conformance.judge.report import Outage, Report, RunAt, Status
from conformance.render.changes import headline
from helpers import history_samples
from helpers import report_samples as sample

TESTS = Path(__file__).parents[1]
TIMEOUT = 60


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a history may be."""
    return tmp_path / "history.db"


def numbers(path: Path) -> list[int]:
    """Return the numbers of the runs that a sound file holds."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        statuses = connection.execute("SELECT run, count(*) FROM status GROUP BY run").fetchall()
        assert statuses == connection.execute("SELECT number, length(statuses) FROM run ORDER BY number").fetchall()
        return [number for (number,) in connection.execute("SELECT number FROM run ORDER BY number")]


def child(script: str, *arguments: str | Path, **more: Any) -> subprocess.Popen[str]:
    """Start a script that has the samples at hand."""
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


# --- what goes in comes out ----------------------------------------------------------------------


@pytest.mark.parametrize("make", sample.REPORTS.values(), ids=sample.REPORTS)
def test_a_run_comes_out_as_it_went_in(path: Path, make: Any) -> None:
    report = make()
    report = structs.replace(report, clauses=tuple({result.id: result for result in report.clauses}.values()))
    with Store(path, create=True) as store:
        number = store.add(snapshot(report))
        assert number == 1
        kept = store.snapshot(store.run(1))
    went = snapshot(report, number)
    assert kept == went
    assert list(kept.clauses) == list(went.clauses)
    assert (kept.run.p50 is None) is not any(exchange.response for exchange in report.exchanges)


def test_without_a_name_another_target_path_or_dialect_is_another_series(path: Path) -> None:
    report = sample.passing()
    others = [
        structs.replace(report.run, target="http://other.example"),
        structs.replace(report.run, dialect="oss"),
        structs.replace(report.run, options={"queue_path": "/queue"}),
    ]
    with Store(path, create=True) as store:
        for run in (report.run, *others, report.run):
            store.add(snapshot(structs.replace(report, run=run)))
        assert [run.number for run in store.newest()] == [5, 4, 3, 2]
        assert [run.number for run in store.series(store.run(5), 10)] == [1, 5]
        assert store.length(store.run(5)) == 2
        assert store.before(store.run(2)) is None


def named(name: str | None, url: str = "http://shared.example", make: Any = sample.passing) -> Any:
    """Return what is kept of a run of a target that has a name."""
    report = make()
    return snapshot(structs.replace(report, run=structs.replace(report.run, target=url)), name=name)


def test_a_name_is_a_series_of_its_own_whatever_its_url(path: Path) -> None:
    """Two tenants of one URL are two targets, and a target that moved is still the same one."""
    with Store(path, create=True) as store:
        store.add_all([named("a"), named("b", make=sample.failing), named(None)])
        store.add_all([named("a", "http://new.example"), named("b")])
        assert [(run.number, run.name) for run in store.newest()] == [(5, "b"), (4, "a"), (3, None)]
        assert [run.target for run in store.series(store.run(4), 10)] == ["http://shared.example", "http://new.example"]
        assert [store.before(store.run(number)) for number in (2, 3)] == [None, None]
        found = history_of(store, store.run(4)).diff
        assert found is not None
        assert found.notes == ("the URLs differ: http://shared.example, then http://new.example",)


@pytest.mark.parametrize("late", [False, True], ids=["before its first run", "after its first run"])
def test_a_series_is_renamed(path: Path, *, late: bool) -> None:
    with Store(path, create=True) as store:
        store.add_all([named("old", make=sample.failing), named("other")])
        if late:
            store.add(named("new"))
        store.rename(store.run(1), "new")
        if not late:
            store.add(named("new"))
        assert [(run.number, run.name) for run in store.series(store.run(3), 10)] == [(1, "new"), (3, "new")]
        assert {run.name for run in store.newest()} == {"new", "other"}


def test_a_night_is_kept_whole_or_not_at_all(path: Path) -> None:
    good = named("a")
    bad = replace(good, run=structs.replace(good.run, start=None))
    with Store(path, create=True) as store:
        with pytest.raises(HistoryProblem, match="cannot be written"):
            store.add_all([good, bad])
        assert store.add_all([good, good]) == [1, 2]


def test_an_outage_hides_nothing(path: Path) -> None:
    """When the target is back, its run is compared with the last one that reached it."""
    history_samples.fill(path, (sample.passing, sample.unreachable, sample.unreachable, sample.failing))
    with Store(path) as store:
        down, back = (history_of(store, store.run(number)) for number in (3, 4))
    assert down.diff is not None
    assert down.diff.changes == ()
    assert headline(down.diff) == "Not reached since 2026-01-02 (2 nights); no clauses were compared"
    assert down.clauses["item.array"].broken_since is None
    assert back.outage is None
    assert back.diff is not None
    assert (back.diff.old.number, back.diff.outcome) == (1, "worse")


def test_a_target_that_was_never_reached_is_compared_with_nothing(path: Path) -> None:
    history_samples.fill(path, (sample.unreachable, sample.unreachable, sample.passing))
    with Store(path) as store:
        assert history_of(store, store.run(2)).diff is None
        outage = history_of(store, store.run(2)).outage
        assert outage == Outage(since=RunAt(number=1, start="2026-01-01T03:00:00.000Z"), runs=2)
        assert history_of(store, store.run(3)).diff is None


def test_a_run_is_compared_with_the_last_whole_one(path: Path) -> None:
    partial = structs.replace(sample.passing(), run=structs.replace(sample.passing().run, partial=True))
    history_samples.fill(path, (lambda: partial, sample.passing, lambda: partial, sample.failing))
    with Store(path) as store:
        earlier = [store.before(store.run(number)) for number in (1, 2, 3, 4)]
    assert [run and run.number for run in earlier] == [None, 1, 2, 2]


def test_a_number_that_is_not_there_is_told_with_those_that_are(path: Path) -> None:
    history_samples.fill(path, (sample.passing, sample.passing))
    with Store(path) as store, pytest.raises(HistoryProblem, match="contains no run 7: it contains runs 1 to 2"):
        store.run(7)


# --- no run is lost ------------------------------------------------------------------------------

KILLED = """
import sys
from pathlib import Path
from helpers import report_samples as sample
from conformance.history import Store, snapshot
store = Store(Path(sys.argv[1]))
store.connection.execute("PRAGMA cache_size = 1")  # so that pages of the file itself are written at once
seen = 0
def stop(statement):
    global seen
    seen += statement.startswith("INSERT INTO run")
    if seen == 200:
        print("writing", flush=True)
        sys.stdin.read()
store.connection.set_trace_callback(stop)
store.add_all([snapshot(sample.failing())] * 300)
"""


def test_a_run_that_is_killed_while_it_writes_loses_no_earlier_one_and_leaves_nothing(path: Path) -> None:
    history_samples.fill(path, (sample.passing, sample.passing))
    process = child(KILLED, path)
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert path.with_name("history.db-journal").stat().st_size > 0
    process.kill()
    process.communicate(timeout=TIMEOUT)
    assert process.returncode == -signal.SIGKILL
    with Store(path) as store:
        assert store.add(snapshot(sample.failing())) == 3
    assert numbers(path) == [1, 2, 3]
    assert not path.with_name("history.db-journal").exists()


MANY = """
import sys
from pathlib import Path
from helpers import report_samples as sample
from conformance.history import keep
print("ready", flush=True)
sys.stdin.readline()
for _ in range(15):
    print(keep(sample.failing(), Path(sys.argv[1])).history.runs[-1].number)
"""


def test_two_processes_that_write_at_once_both_land(path: Path) -> None:
    """The file is not there yet: they make it at once as well."""
    both = [child(MANY, path), child(MANY, path)]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=TIMEOUT) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert numbers(path) == list(range(1, 31))
    assert sorted(int(number) for out, _ in told for number in out.split()) == list(range(1, 31))


FULL = """
import os, resource, sys
from pathlib import Path
from helpers import report_samples as sample
from conformance.history import HistoryProblem, keep
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size, path.stat().st_size))
try:
    while True:
        print(keep(sample.failing(), path).history.runs[-1].number)
except HistoryProblem as problem:
    print(problem)
"""


def test_a_full_disk_is_told_in_a_line_and_loses_no_earlier_run(path: Path) -> None:
    history_samples.fill(path, (sample.passing,) * 3)
    out, err = child(FULL, path).communicate(timeout=TIMEOUT)
    *landed, problem = out.splitlines()
    assert problem.startswith(f"the history {path} cannot be written ("), err
    assert numbers(path) == [1, 2, 3, *map(int, landed)]


def test_a_file_that_another_process_holds_is_waited_for_and_then_told(path: Path) -> None:
    history_samples.fill(path, (sample.passing,))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with Store(path, wait=0.01) as store, pytest.raises(HistoryProblem, match=r"written \(database is locked\)"):
            store.add(snapshot(sample.passing()))
    assert numbers(path) == [1]


def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite open files only for reading, also as root."""
    real: Any = sqlite3.connect

    def connect(where: str, **more: Any) -> Any:
        return real(where.replace("mode=rwc", "mode=ro").replace("mode=rw", "mode=ro"), **more)

    monkeypatch.setattr(sqlite3, "connect", connect)


def test_a_read_only_file_can_be_read_and_is_told_when_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history_samples.fill(path, (sample.passing,))
    read_only(monkeypatch)
    prepare(path)
    with Store(path) as store:
        assert store.run(1).verdict == "conformant"
    with pytest.raises(HistoryProblem, match="cannot be written") as told:
        keep(sample.passing(), path)
    assert not isinstance(told.value, UnusableHistory)


def test_an_interrupted_write_is_undone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history_samples.fill(path, (sample.passing,))

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    with Store(path) as store:
        monkeypatch.setattr(msgspec.json, "encode", interrupted)
        with pytest.raises(KeyboardInterrupt):
            store.add(snapshot(sample.passing()))
        monkeypatch.undo()
        assert store.add(snapshot(sample.passing())) == 2
    assert numbers(path) == [1, 2]


# --- what a report shows of it --------------------------------------------------------------------


def at(report: Report, clause: str) -> tuple[Any, ...]:
    """Return what a report's history says of a clause."""
    assert report.history is not None
    found = report.history.clauses[clause]
    return (
        [(span.status and span.status.value, span.runs) for span in found.spans],
        found.last_exercised and found.last_exercised.number,
        found.broken_since and found.broken_since.number,
    )


def test_a_clause_has_its_line_and_since_when_it_is_broken() -> None:
    """Nights without an answer end no series of failures; a pass does."""
    aged = history_samples.aged()
    milliseconds = [("pass", 2), ("fail", 2), ("not-exercised", 1), ("pass", 2), ("fail", 2)]
    assert at(aged, "item.create-time.milliseconds") == (milliseconds, 9, 8)
    assert at(aged, "error.code") == ([("not-exercised", 9)], None, None)
    assert at(aged, "item.array") == ([("pass", 4), ("not-exercised", 1), ("pass", 4)], 9, None)
    assert at(aged, "item.prompt-id.lower-case")[2] == 8, "a breach that is waived is one"


def test_since_when_looks_back_beyond_the_runs_that_are_shown(path: Path) -> None:
    history_samples.fill(path, (sample.passing, sample.failing, *[sample.failing] * 5, sample.unreachable))
    with Store(path) as store:
        history = history_of(store, store.run(8), last=3)
    line = history.clauses["item.create-time.milliseconds"]
    assert [run.number for run in history.runs] == [6, 7, 8]
    assert history.total == 8
    assert [(span.status, span.runs) for span in line.spans] == [(Status.FAIL, 2), (Status.NOT_EXERCISED, 1)]
    assert line.last_exercised == RunAt(number=7, start="2026-01-07T03:00:00.000Z")
    assert line.last_status is Status.FAIL
    assert line.broken_since is not None
    assert line.broken_since.number == 2


def test_a_run_that_did_not_judge_a_clause_leaves_a_gap_in_its_line(path: Path) -> None:
    one = structs.replace(sample.passing(), clauses=(sample.clause("item.array"),))
    one = structs.replace(one, run=structs.replace(one.run, partial=True, selected="-k array"))
    history_samples.fill(path, (sample.passing, lambda: one, sample.passing))
    with Store(path) as store:
        history = history_of(store, store.run(3))
    spans = history.clauses["envelope.object"].spans
    assert [(span.status, span.runs) for span in spans] == [(Status.PASS, 1), (None, 1), (Status.PASS, 1)]
