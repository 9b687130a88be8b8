"""``fleet`` and ``publish report`` as they are typed: what is refused, what is said, and what they exit with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli import main
from conformance.fleet.results import Results, packed
from conformance.fleet.tally import FleetTally
from conformance.judge.report import Report
from conformance.reference.many import serve_many
from conformance.run.ask import check
from conformance.run.settings import Settings
from helpers.fleet_samples import HEADER, MILLISECONDS, broken, kept


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with nothing of ours in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in ("COMFY_API_KEY", "CONFORMANCE_TARGET", "CI"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "urls.txt").write_text("http://127.0.0.1:1\n", encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def reports() -> Iterator[list[Report]]:
    with serve_many([None, "seconds"]) as server:
        yield [check(Settings(target=f"{server.url}/{number}")) for number in (0, 1)]


def call(*arguments: str, stdin: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=stdin)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing argument 'SOURCE'"),
        (["nowhere.csv"], "nowhere.csv cannot be read (No such file or directory): name the file of your endpoints"),
        (["urls.txt", "--resume", "--fresh"], "--resume and --fresh contradict each other"),
        (["urls.txt", "--scheduler", "tcp://127.0.0.1:1", "--workers", "2"], "--workers are processes of this machine"),
        (["urls.txt", "--part", "16/16"], "--part is one of so many, counted from 0"),
        (["urls.txt", "--parallel", "500", "--rate", "5"], "requests per second are left for each check"),
        (["urls.txt", "--rate", "0"], "0.0 is not in the range x>0"),
        (["urls.txt", "--api-key-env", "KEY"], "No such option '--api-key-env'"),
        (["urls.txt", "--dialect", "both"], "'both' is not one of 'cloud', 'oss', 'auto'"),
        (["urls.txt", "--ca-bundle", "nowhere.pem"], "urls.txt, target 'http://127.0.0.1:1': --ca-bundle nowhere.pem"),
        (["urls.txt", "--report-dir", "urls.txt"], "the report directory urls.txt cannot be written"),
        (["-"], "standard input names no endpoint"),
    ],
)
def test_what_cannot_be_run_is_one_line_and_status_4(folder: Path, arguments: list[str], told: str) -> None:
    done = call("fleet", *arguments)
    assert done.exit_code == 4
    assert told in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "reports").exists()


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.cli.fleet.find_spec", lambda _: None)
    done = call("fleet", "urls.txt")
    assert done.exit_code == 4
    assert "pip install 'comfy-queue-conformance[fleet]'" in done.stderr


def test_a_fleet_from_standard_input_is_checked_and_its_endpoints_can_be_shown(folder: Path) -> None:
    """The only one here that starts workers."""
    with serve_many([None, "seconds"]) as server:
        listed = f"url,name\n{server.url}/0,good\n{server.url}/1,bad\nhttp://127.0.0.1:1,dark\n"
        done = call("fleet", "-", "--workers", "1", "--report-dir", "out", stdin=listed)
    assert done.exit_code == 1, done.stderr
    assert done.stdout.splitlines() == [
        "FAIL item.create-time.milliseconds: 1 endpoint (bad)",
        "UNREACHABLE 1 endpoint (dark): unreachable: Connection refused",
        "3 endpoints: 1 non-conformant, 1 inconclusive, 1 conformant",
        "overview: out/index.html",
    ]
    assert done.stderr == "checking 3 endpoints, 8 at a time, by 1 process of this machine\n"
    shown = call("publish", "report", "out", "--endpoint", "bad")
    assert shown.exit_code == 1
    assert "Non-conformant: 1 must clause broken: item.create-time.milliseconds" in shown.stdout
    report = json.loads((folder / "out/endpoint/compliance.json").read_text(encoding="utf-8"))
    assert report["run"]["target"] == f"{server.url}/1"
    again = call("fleet", "-", "--resume", "--quiet", "--workers", "1", "--report-dir", "out", stdin=listed)
    assert (again.exit_code, again.stdout) == (1, "3 endpoints: 1 non-conformant, 1 inconclusive, 1 conformant\n")


def test_an_endpoint_is_shown_by_name_or_url_with_the_status_of_its_own_run(reports: list[Report]) -> None:
    with Results.begin(Path("out"), HEADER) as results:
        results.add(kept("good", target="http://127.0.0.1:1/good"), packed(reports[0]))
        results.add(broken("bad", MILLISECONDS), packed(reports[1]))
        results.add(kept("unkept"), None)
    assert call("publish", "report", "out", "--endpoint", "http://127.0.0.1:1/good", "--quiet").exit_code == 0
    assert call("publish", "report", "out", "--endpoint", "bad", "--report-dir", "here").exit_code == 1
    assert Path("here/index.html").exists()
    assert Path("out/endpoint/index.html").exists()
    for name, told in (("god", "no endpoint 'god' in out: did you mean good?"), ("unkept", "no report of 'unkept'")):
        done = call("publish", "report", "out", "--endpoint", name)
        assert done.exit_code == 4
        assert told in done.stderr


def test_the_overview_of_parts_is_one_and_says_whether_all_of_them_ended() -> None:
    for name, lines in (("a", [kept("1")]), ("b", [broken("2", MILLISECONDS)])):
        with Results.begin(Path(name), HEADER) as results:
            for line in lines:
                results.add(line, None)
            if name == "a":
                results.write(FleetTally(lines).footer("2026-02-03T02:10:00.000Z"))
    done = call("publish", "report", "a", "b", "--report-dir", "both", "--quiet")
    assert (done.exit_code, done.stdout) == (1, "2 endpoints: 1 non-conformant, 1 conformant\n")
    assert "it did not end" in Path("both/index.html").read_text(encoding="utf-8")
    assert call("publish", "report", "a", "--quiet").exit_code == 0


def test_where_there_is_no_fleet_show_says_so() -> None:
    done = call("publish", "report", "nowhere")
    assert done.exit_code == 4
    assert "nowhere/results.jsonl cannot be read (No such file or directory): name the directory" in done.stderr


def test_a_fleet_that_did_not_end_is_not_begun_anew_by_mistake() -> None:
    with Results.begin(Path("reports/fleet"), HEADER):
        pass
    done = call("fleet", "urls.txt")
    assert done.exit_code == 4
    assert "go on with --resume, or begin anew with --fresh" in done.stderr
