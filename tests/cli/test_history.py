"""``--history``, ``compare`` over time, ``site`` and ``badge`` as a user meets them."""

from __future__ import annotations

import json
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.reference.server import serve
from helpers.cli_runner import call, is_refused
from helpers.commands import NOWHERE, command_line, report, started, suite

FRONTS = pytest.mark.parametrize("front", [command_line, suite], ids=["comfy-conformance", "pytest"])


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one run: ``good.json``, its report, and ``good.db``, a history that holds it."""
    folder = tmp_path_factory.mktemp("good")
    call("check", "--target", "embedded", "--history", folder / "good.db", "--report-dir", folder)
    (folder / "compliance.json").rename(folder / "good.json")
    return folder


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def nights(*faults: str | None, history: str | None = "history.db") -> str:
    """Check one address, night after night, with a fault or none; return the address. Reports are in night-1 and on."""
    port = free_port()
    kept = [] if history is None else ["--history", history]
    for number, fault in enumerate(faults, 1):
        with serve(fault=fault, port=port) as endpoint:
            call("check", endpoint.url, *kept, "--report-dir", f"night-{number}")
    return endpoint.url


def runs(file: str = "history.db") -> list[tuple[Any, ...]]:
    """Return number, verdict and whether it is partial, of each run that a history holds."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute("SELECT number, verdict, partial FROM run ORDER BY number").fetchall()


# --- keeping -------------------------------------------------------------------------------------


@FRONTS
def test_a_run_is_kept_and_the_next_one_says_what_changed_since(folder: Path, front: Callable[..., Any]) -> None:
    check = ["check"] if front is command_line else []
    for _ in range(2):
        done = front(folder, *check, "--target", "embedded", "--history", "kept/history.db")
        assert done.returncode == 0, done.stderr
    assert runs("kept/history.db") == [(1, "conformant", 0), (2, "conformant", 0)]
    assert "Since run 1 of 20" in done.stdout
    assert "Neither better nor worse: no clause changed" in done.stdout
    assert [run["number"] for run in report(folder)["history"]["runs"]] == [1, 2]
    assert "Since run 1 of" in (folder / "reports/latest/summary.md").read_text(encoding="utf-8")


@FRONTS
def test_a_run_is_kept_by_the_name_of_its_target(folder: Path, front: Callable[..., Any]) -> None:
    """Runs of the embedded endpoint are distinguished by name, like two tenants of one URL."""
    check = ["check"] if front is command_line else []
    for name in ("east", "west", "west"):
        done = front(folder, *check, "--target", "embedded", "--name", name, "--history", "h.db", "--properties", "0")
        assert done.returncode == 0, done.stderr
    assert report(folder)["history"]["total"] == 2
    assert report(folder)["history"]["runs"][-1]["name"] == "west"
    assert "Old  run 2, west (the embedded" in call("compare", "--history", "h.db", "--target", "west").stdout
    is_refused(call("compare", "--history", "h.db", "--target", "east"), "holds only one run of east")


def test_a_selection_is_kept_as_what_it_is(folder: Path) -> None:
    assert suite(folder, "--target", "embedded", "--history", "history.db", "-k", "uuid").returncode == 0
    assert runs() == [(1, "conformant", 1)]
    with closing(sqlite3.connect("history.db")) as connection:
        assert connection.execute("SELECT selected FROM run").fetchone() == ("-k 'uuid'",)


def test_without_the_option_there_is_no_history(folder: Path) -> None:
    assert call("check").exit_code == 0
    assert report(folder)["history"] is None
    assert [path.name for path in folder.iterdir()] == ["reports"]


def test_two_runs_at_once_both_land(folder: Path) -> None:
    command = ("comfy-conformance", "check", "--target", "embedded", "--history", "history.db", "--report-dir")
    with started(folder, *command, "one") as one, started(folder, *command, "two") as two:
        both = [one.end(), two.end()]
    assert [done.returncode for done in both] == [0, 0], both
    assert [number for number, *_ in runs()] == [1, 2]


@FRONTS
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"no database at all, but a long text" * 40, "is not an SQLite database"),
        (None, "is of another program"),
        ("", ""),
    ],
    ids=["text", "another program's", "a directory"],
)
def test_what_is_no_history_is_refused_before_anything_is_sent(
    folder: Path, front: Callable[..., Any], content: bytes | str | None, told: str
) -> None:
    if content is None:
        with closing(sqlite3.connect("history.db")) as connection:
            connection.execute("CREATE TABLE mine (x)")
        told = "is a database of another program"
    elif isinstance(content, bytes):
        (folder / "history.db").write_bytes(content)
    else:
        (folder / "history.db").mkdir()
        told = "is a directory"
    with serve() as endpoint:
        check = ["check"] if front is command_line else []
        done = front(folder, *check, "--target", endpoint.url, "--history", "history.db")
        assert endpoint.reference.reads == 0
    assert done.returncode == 4
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let SQLite open files only for reading, also as root."""
    real: Any = sqlite3.connect

    def connect(where: str, **more: Any) -> Any:
        return real(where.replace("mode=rwc", "mode=ro").replace("mode=rw", "mode=ro"), **more)

    monkeypatch.setattr(sqlite3, "connect", connect)


@pytest.mark.parametrize(("fault", "status"), [(None, 4), ("id-as-short-code", 1), ("closes-at-once", 10)])
def test_a_run_that_cannot_be_kept_says_so_in_a_line_has_its_report_and_is_never_0(
    folder: Path, monkeypatch: pytest.MonkeyPatch, fault: str | None, status: int
) -> None:
    call("check", "--history", "history.db")
    with serve(fault=fault) as endpoint, monkeypatch.context() as patched:
        unwritable(patched)
        result = call("check", endpoint.url, "--history", "history.db", "--quiet")
    assert result.exit_code == status
    assert result.stderr == (
        "the history history.db cannot be written (attempt to write a readonly database): this run was not stored\n"
    )
    assert len(result.stdout.splitlines()) == 1
    assert report(folder)["run"]["target"] == endpoint.url
    assert len(runs()) == 1


FULL = """
import resource
from pathlib import Path
size = Path("history.db").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2))
"""


@FRONTS
def test_a_full_disk_loses_no_run_and_the_report_is_written(folder: Path, front: Callable[..., Any]) -> None:
    """No file may be written beyond half of the history's size, and the newest run is kept at its end."""
    call("check", "--history", "history.db")
    with closing(sqlite3.connect("history.db")) as connection:
        columns = ", ".join(name for _, name, *_ in connection.execute("PRAGMA table_info(run)") if name != "number")
        for _ in range(13):
            connection.execute(f"INSERT INTO run ({columns}) SELECT {columns} FROM run")  # noqa: S608 - our own names
        connection.commit()
    before = runs()
    (folder / "sitecustomize.py").write_text(FULL, encoding="utf-8")
    check = ["check"] if front is command_line else ["-p", "no:cacheprovider"]
    done = front(folder, *check, "--target", "embedded", "--history", "history.db", PYTHONPATH=str(folder))
    told = [line for line in (done.stdout + done.stderr).splitlines() if "the history" in line]
    assert len(told) == 1, done.stderr
    assert "cannot be written (" in told[0]
    assert told[0].endswith("this run was not stored")
    assert done.returncode == 4
    assert report(folder)["verdict"] == "conformant"
    assert runs() == before


# --- other reports -------------------------------------------------------------------------------


@FRONTS
def test_other_reports_are_written_where_they_are_asked_for(folder: Path, front: Callable[..., Any]) -> None:
    check = ["check"] if front is command_line else []
    done = front(folder, *check, "--target", "embedded", "--format", "ctrf", "--format", "sarif")
    assert done.returncode == 0, done.stderr
    latest = folder / "reports/latest"
    assert {path.name for path in latest.iterdir()} == {
        "index.html",
        "compliance.json",
        "junit.xml",
        "summary.md",
        "ctrf.json",
        "results.sarif",
    }
    assert json.loads((latest / "ctrf.json").read_bytes())["reportFormat"] == "CTRF"
    assert json.loads((latest / "results.sarif").read_bytes())["version"] == "2.1.0"


@FRONTS
def test_a_report_that_there_is_not_is_refused(folder: Path, front: Callable[..., Any]) -> None:
    check = ["check"] if front is command_line else []
    done = front(folder, *check, "--target", NOWHERE, "--format", "pdf")
    assert done.returncode == 4
    assert "ctrf" in done.stderr
    assert "sarif" in done.stderr


# --- diff ----------------------------------------------------------------------------------------


def test_two_reports_are_compared() -> None:
    nights(None, "id-as-short-code", "seconds", history=None)
    worse = call("compare", "--over-time", "night-1/compliance.json", "night-2/compliance.json")
    assert worse.exit_code == 1
    assert "Newly failed (1)\n    item.prompt-id.uuid (must, core: " in worse.stdout
    assert worse.stdout.splitlines()[-1].startswith("Worse: 1 clause newly failed, the verdict went from conformant")
    better = call("compare", "--over-time", "night-2/compliance.json", "night-1/compliance.json", "-q")
    assert (better.exit_code, len(better.stdout.splitlines())) == (0, 1)
    assert better.stdout.startswith("Better: the verdict went from non-conformant to conformant, 1 fixed")
    both = call("compare", "--over-time", "night-2/compliance.json", "night-3/compliance.json", "--format", "json")
    assert both.exit_code == 1
    kinds = {change["clause"]: change["kind"] for change in json.loads(both.stdout)["changes"]}
    assert kinds["item.prompt-id.uuid"] == "fixed"
    assert kinds["item.create-time.milliseconds"] == "failed"


def test_the_last_two_runs_of_a_history_are_compared() -> None:
    url = nights(None, "id-in-upper-case", "id-in-upper-case")
    assert call("compare", "--history", "history.db").stdout.endswith("Neither better nor worse: no clause changed\n")
    first = call("compare", "--history", "history.db", "1", "2", "--format", "markdown")
    assert first.exit_code == 0
    assert "Now with a warning" in first.stdout
    assert call("compare", "--history", "history.db", "1", "2", "--fail-on-should").exit_code == 1
    call("check", "--history", "history.db")
    assert url in call("compare", "--history", "history.db", "--target", url).stdout
    is_refused(call("compare", "--history", "history.db"), "holds only one run of embedded: nothing to compare yet")


def test_what_else_differs_is_said_before_anything() -> None:
    nights(None, history=None)
    with serve(variant="oss") as endpoint:
        call("check", endpoint.url, "--dialect", "oss", "--report-dir", "other")
    lines = call("compare", "--over-time", "night-1/compliance.json", "other/compliance.json").stdout.splitlines()
    assert lines[0].startswith("NOTE the URLs differ: http://127.0.0.1:")
    assert lines[1] == "NOTE the dialects differ: cloud, then oss"


def test_an_outage_is_one_line_and_not_a_regression() -> None:
    nights(None, "seconds", "closes-at-once", "seconds")
    over_time = ("compare", "--over-time", "night-1/compliance.json", "night-3/compliance.json")
    lost = call(*over_time)
    assert lost.exit_code == 0
    assert lost.stdout.splitlines()[-1].startswith("Not reached: the target ")
    assert "no clauses were compared" in lost.stdout
    assert "item." not in lost.stdout
    assert call("compare", "night-1/compliance.json", "night-3/compliance.json").exit_code == 10
    again = call("compare", "--history", "history.db")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[0].startswith("Old  run 2, ")
    assert call("compare", "--history", "history.db", "1", "3").exit_code == 0


def test_without_a_target_the_others_of_a_history_are_offered() -> None:
    with serve() as one, serve() as other:
        for name, url in (("a", one.url), ("a", one.url), ("b", other.url)):
            call("check", url, "--name", name, "--history", "history.db", "-q")
    told = "only one run of b: nothing to compare yet (--target selects one of b, a)"
    is_refused(call("compare", "--history", "history.db"), told)
    chosen = call("compare", "--history", "history.db", "--target", "a")
    assert (chosen.exit_code, chosen.stderr) == (0, "")


def test_two_runs_of_a_history_have_a_page_if_it_is_asked_for(folder: Path) -> None:
    nights(None, "id-in-upper-case")
    call("compare", "--history", "history.db", "--report-dir", "out")
    assert {path.name for path in (folder / "out").iterdir()} == {"index.html", "comparison.json", "summary.md"}
    assert 'href="a/' not in (folder / "out/index.html").read_text("utf-8")
    made = json.loads((folder / "out/comparison.json").read_bytes())
    assert (made["over_time"], made["a"]["number"], made["b"]["number"]) == (True, 1, 2)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        (["compare"], "nothing to compare: give A and B, or --history FILE"),
        (["compare", "good.json"], "give A and B"),
        (["compare", "good.json", "missing.json"], "missing.json cannot be read: No such file or directory"),
        (["compare", "good.json", "text.json"], "text.json is not a report of a run"),
        (["compare", "good.json", "other.json"], "other.json is not a report of a run"),
        (["compare", "good.json", "latin.json"], "latin.json is not a report of a run"),
        (["compare", "good.json", "good.json", "--fail-on-should"], "add --over-time"),
        (["compare", "--history", "good.db", "1", "1", "--dialect-a", "oss"], "--dialect-a applies to endpoints"),
        (["compare", "a", "b", "--target", "c"], "add --history FILE"),
        (["compare", "--history", "missing.db"], "the history missing.db does not exist"),
        (["compare", "--history", "text.json"], "is not an SQLite database"),
        (["compare", "--history", "good.db"], "holds only one run of embedded: nothing to compare yet"),
        (["compare", "--history", "empty.db"], "holds no run: nothing to compare yet"),
        (["compare", "--history", "good.db", "1"], "needs the numbers of two runs"),
        (["compare", "--history", "good.db", "1", "last"], "needs the numbers of two runs"),
        (["compare", "--history", "good.db", "1", "7"], "contains no run 7: it contains runs 1 to 1"),
        (["compare", "--history", "good.db", "1", "1", "--target", "x"], "leave out either the numbers or --target"),
        (["compare", "--history", "good.db", "--target", "embeded"], "holds no run of embeded: did you mean embedded?"),
        (["compare", "--history", "good.db", "1", "1", "--format", "pdf"], "'text', 'markdown', 'json'"),
        (["publish", "badge", "missing.json"], "missing.json cannot be read"),
        (["publish", "badge", "text.json"], "text.json is not a report of a run"),
        (["publish", "badge", "good.json", "-o", "badge.png"], "badge.png is neither SVG nor JSON"),
        (["publish", "badge", "good.json", "--label", " "], "--label is empty"),
        (
            ["publish", "badge", "good.json", "--output", "text.json/x.svg"],
            "text.json cannot be written (File exists)",
        ),
        (["publish", "site", "out"], "Missing option '--history'"),
        (["publish", "site", "out", "--history", "missing.db"], "the history missing.db does not exist"),
        (["publish", "site", "out", "--history", "empty.db"], "has no run yet"),
        (["publish", "site", "out", "--history", "good.db", "--reports", "missing"], "'missing' does not exist"),
        (["publish", "site", "out", "--history", "good.db", "--runs", "0"], "0 is not in the range x>=1"),
        (["publish", "site", "text.json", "--history", "good.db"], "text.json cannot be written"),
        (
            ["publish", "site", "taken", "--history", "good.db"],
            "index.html is not a page of this suite: give another DIR",
        ),
        (["check", NOWHERE, "--name", " "], "--name must be 1 to 200 printable characters, such as prod"),
        (["check", NOWHERE, "--name", "a\nb"], "--name must be 1 to"),
        (["check", "--all", "targets.toml", "--name", "a"], "--name applies to one target"),
        (["check", NOWHERE, "--history", ""], "--history is empty: name a file"),
        (["check", NOWHERE, "--history", "text.json"], "is not an SQLite database"),
        (["check", NOWHERE, "--history", "text.json/below"], "cannot be created"),
        (["check", NOWHERE, "--format", "junit"], "'ctrf', 'sarif'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_was_typed_wrong_is_one_line_and_4(folder: Path, good: Path, typed: list[str], told: str) -> None:
    for name in ("good.db", "good.json"):
        (folder / name).write_bytes((good / name).read_bytes())
    (folder / "empty.db").touch()
    (folder / "text.json").write_text("no JSON, " * 200)
    (folder / "other.json").write_text('{"verdict": "fine"}')
    (folder / "latin.json").write_bytes(b'{"verdict": "\xff"}')
    (folder / "taken").mkdir()
    (folder / "taken/index.html").write_text("mine")
    is_refused(call(*typed), told)


# --- site and badge ------------------------------------------------------------------------------


def test_a_site_is_made_of_nights(folder: Path) -> None:
    nights(None, "seconds", None)
    (folder / "night-9").mkdir()
    (folder / "night-9/compliance.json").write_text("{}")
    result = call("publish", "site", "public", "--history", "history.db", "--reports", ".", "--title", "Our queues")
    assert result.exit_code == 0
    assert result.stdout == "1 target, 3 runs, 3 of them with their report\nsite: public/index.html\n"
    assert result.stderr == "left out, because it is not a compliance.json of this suite: night-9/compliance.json\n"
    assert '<h1 id="overview">Our queues</h1>' in (folder / "public/index.html").read_text(encoding="utf-8")
    assert (folder / "public/runs/2/report/index.html").read_bytes() == (folder / "night-2/index.html").read_bytes()
    assert call("publish", "site", "public", "--history", "history.db", "-q").output == ""


def test_a_badge_is_made_of_the_latest_report(folder: Path) -> None:
    call("check")
    result = call("publish", "badge")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0].startswith("GET /api/queue: conformant · embedded endpoint · ")
    assert {path.name for path in (folder / "reports/latest").iterdir()} >= {"badge.svg", "badge.json"}
    assert call("publish", "badge", "-q", "-o", "elsewhere/deep/prod.json", "--label", "prod").output == ""
    assert json.loads((folder / "elsewhere/deep/prod.json").read_bytes())["label"] == "prod"
    assert [path.name for path in (folder / "elsewhere/deep").iterdir()] == ["prod.json"]
    assert call("publish", "badge", "-q", "-o", "prod.svg", "-o", "prod.json").exit_code == 0
    assert (folder / "prod.svg").read_bytes() == (folder / "reports/latest/badge.svg").read_bytes()
