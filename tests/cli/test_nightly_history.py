"""``nightly`` over a history: names, outages, and the digest of a period."""

from __future__ import annotations

import json
from pathlib import Path

from msgspec import structs

from conformance.fleet.result_lines import endpoint_result
from conformance.fleet.results import Results
from conformance.judge.exit import exit_status
from conformance.judge.report import Report
from conformance.render.write import write_reports
from helpers import history_samples
from helpers import report_samples as sample
from helpers.cli_runner import call
from helpers.fleet_samples import HEADER


def left_by(folder: Path, **reports: Report) -> str:
    """Leave a night as ``check --all`` does, of targets by name; return its directory."""
    with Results.begin(folder / "night", HEADER, fresh=True) as results:
        for name, report in reports.items():
            write_reports(report, folder / "night" / name)
            line = endpoint_result(name, report, exit_status(report), seconds=1)
            results.add(structs.replace(line, report=f"{name}/index.html"), None)
    return "night"


def test_on_the_first_night_of_names_that_share_a_url_nothing_is_counted_together(folder: Path) -> None:
    """Each is a series of its own: no night of one is a night in a row of another."""
    lost = history_samples.night(sample.unreachable(), 1)
    left_by(folder, **{f"tenant-{number}": lost for number in range(5)})
    done = call("nightly", "night", "--history", "h.db")
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "    the target cannot be reached: Connection refused")
    assert "  Not reached: 5: tenant-0 since 2026-01-01 (1 night), " in done.stdout


def test_a_dead_tenant_is_noticed_beside_a_neighbour_that_is_well(folder: Path) -> None:
    for day in (1, 2, 3):
        left_by(
            folder,
            dead=history_samples.night(sample.unreachable(), day),
            well=history_samples.night(sample.passing(), day),
        )
        done = call("nightly", "night", "--history", "h.db")
    assert done.exit_code == 1
    assert "  Not reached: 1: dead since 2026-01-01 (3 nights)" in done.stdout
    assert "1 target without a problem: well" in done.stdout


def test_nights_without_a_verdict_become_a_problem_after_three_in_a_row(folder: Path) -> None:
    exits = []
    for day, make in enumerate((sample.passing, sample.unreachable, sample.idle, sample.unreachable), 1):
        left_by(folder, prod=history_samples.night(make(), day))
        exits.append(call("nightly", "night", "--history", "h.db", "--output", "out").exit_code)
    assert exits == [0, 0, 0, 1]
    assert "- no verdict for several nights in a row: " in (folder / "out/body.md").read_text("utf-8")


def test_a_renamed_target_keeps_its_history_if_the_list_shows_that_it_was(folder: Path) -> None:
    listed = '[[target]]\nname = "{}"\nurl = "http://queue.example:8188"\n'
    (folder / "old.toml").write_text(listed.format("old"), "utf-8")
    (folder / "new.toml").write_text(listed.format("new"), "utf-8")
    left_by(folder, old=history_samples.night(sample.passing(), 1))
    call("nightly", "night", "--history", "h.db", "--targets", "old.toml")
    left_by(folder, new=history_samples.night(sample.failing(), 2))
    done = call("nightly", "night", "--history", "h.db", "--targets", "new.toml")
    assert (
        "note: new continues the history of old, which had the same URL and is no longer among the targets"
        in done.stdout
    )
    assert "  Newly broken: 1: new (2 clauses)" in done.stdout
    report = json.loads((folder / "night/new/compliance.json").read_text("utf-8"))
    assert report["history"]["total"] == 2


def test_without_the_list_a_new_name_begins_anew_and_the_way_to_go_on_is_said(folder: Path) -> None:
    left_by(folder, old=history_samples.night(sample.passing(), 1))
    call("nightly", "night", "--history", "h.db")
    left_by(folder, new=history_samples.night(sample.failing(), 2))
    done = call("nightly", "night", "--history", "h.db")
    assert "note: new is new; old had the same URL: --renamed old=new continues that history" in done.stdout
    assert "  Newly broken, fixed: unknown, because no target was compared with an earlier run" in done.stdout
    again = call("nightly", "night", "--history", "h.db", "--renamed", "old=new", "--renamed", "other=x")
    assert "note: new continues the history of old" in again.stdout
    assert "the history has no target other" in again.stdout
    assert "  Newly broken: 1: new (2 clauses)" in again.stdout


def test_a_night_without_any_report_makes_no_history(folder: Path) -> None:
    (folder / "targets.toml").write_text('[[target]]\nname = "prod"\nurl = "http://queue.example"\n', "utf-8")
    done = call("nightly", "--targets", "targets.toml", "--history", "h.db")
    assert done.exit_code == 1
    assert "1 target not checked, because the run failed: prod" in done.stdout
    assert not (folder / "h.db").exists()


def test_the_digest_of_a_night_leads_to_the_reports(folder: Path) -> None:
    left_by(folder, prod=history_samples.night(sample.failing(), 1))
    call("nightly", "night", "--output", "public/digest")
    assert 'href="../../night/prod/index.html"' in (folder / "public/digest/index.html").read_text("utf-8")


def test_a_name_that_moved_to_another_url_is_still_the_same_target(folder: Path) -> None:
    report = history_samples.night(sample.passing(), 2)
    moved = structs.replace(report, run=structs.replace(report.run, target="http://new.example"))
    for one in (history_samples.night(sample.passing(), 1), moved):
        left_by(folder, prod=one)
        done = call("nightly", "night", "--history", "h.db")
    assert "note: the URLs differ: http://queue.example:8188, then http://new.example (prod)" in done.stdout


def test_a_period_is_told_from_the_history(folder: Path) -> None:
    history_samples.fill(folder / "h.db")
    done = call("nightly", "--since", "3d", "--history", "h.db", "--output", "out")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[:3] == [
        "2026-01-05 to 2026-01-08: 1 target, 0 without a problem",
        "  Broken now: 1: http://queue.example:8188",
        "  Newly broken: 0",
    ]
    assert "  Newly broken: 1: " in call("nightly", "--since", "36h", "--history", "h.db").stdout
    assert {path.name for path in (folder / "out").iterdir()} == {"index.html", "summary.md"}
    assert "http.content-type" in (folder / "out/index.html").read_text("utf-8")
    assert call("nightly", "--since", "1h", "--history", "h.db").exit_code == 1
