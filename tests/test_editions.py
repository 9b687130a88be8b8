"""Editions: a run is decided by the clauses of the one it is pinned to, and told what a newer one would add."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from answers import item, queue, reads, result
from click.testing import CliRunner
from command import call, is_refused
from outside import ALONE, BIN, run

from conformance import judge as judging
from conformance import settings as settling
from conformance.cli import main
from conformance.contract import CATALOGUE, Clause, Finding, Level
from conformance.contract.answer import json_texts
from conformance.contract.clause import Raised, clause, doc
from conformance.contract.docs import as_dict, explain
from conformance.deviations.apply import Night, waiving
from conformance.deviations.register import Entry, Register
from conformance.edition import EDITION
from conformance.judge import Bench, judge
from conformance.reference.server import serve
from conformance.report.html import render_html
from conformance.report.junit import render_junit
from conformance.report.markdown import render_markdown
from conformance.report.model import Report, Status, Verdict
from conformance.report.text import summary_lines
from conformance.report.words import newer_edition
from conformance.run import exit_status, report_on_exchanges
from conformance.settings import Settings

TODAY = date(2026, 11, 25)
GOOD = reads(queue(item(1), item(2)))


def made(name: str, level: Level, *, broken: bool = True, since: int = 1, raised: Raised | None = None) -> Clause:
    """Return a clause that every answer breaks, or none."""

    @clause(
        name, level, title=f"Title of {name}", source=doc("/type", "q"), why="w", keeps="k", breaks="b",
        over=json_texts, since=since, core=broken and level is Level.MUST, raised=raised,
    )  # fmt: skip
    def check(_: object) -> Iterator[Finding]:
        if broken:
            yield Finding("", "e", "g", "It is broken.")

    return check


FAILS = made("item.new-fails", Level.MUST, since=2)
WARNS = made("item.new-warns", Level.SHOULD, since=2)
KEPT = made("item.new-kept", Level.MUST, broken=False, since=2)
RAISED = made("item.raised", Level.MUST, raised=Raised(2, Level.SHOULD))


@pytest.fixture
def second(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be an edition 2, with three new clauses and one of a raised level."""
    monkeypatch.setattr(judging, "CATALOGUE", (*CATALOGUE, FAILS, WARNS, KEPT, RAISED))
    monkeypatch.setattr(judging, "EDITION", 2)
    monkeypatch.setattr(settling, "EDITION", 2)


def reported(edition: int) -> Report:
    return report_on_exchanges(GOOD, Settings(edition=edition), target="t", start=0.0)


def test_every_clause_stands_since_an_edition_that_there_is_and_the_newest_has_something_new() -> None:
    editions = {each.since for each in CATALOGUE} | {each.raised.edition for each in CATALOGUE if each.raised}
    assert editions == set(range(1, EDITION + 1))


def test_the_page_of_editions_names_each() -> None:
    page = (Path(__file__).parents[1] / "docs" / "editions.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")]
    assert rows[1:] == [str(number) for number in range(1, EDITION + 1)]


@pytest.mark.usefixtures("second")
def test_the_newest_edition_decides_where_nobody_pins() -> None:
    judgement = judge(GOOD, edition=2)
    assert judgement.verdict is Verdict.NON_CONFORMANT
    assert "item.new-fails, item.raised" in judgement.reason
    assert judgement.newer is None
    assert result(judgement, "item.raised").core


@pytest.mark.usefixtures("second")
def test_clauses_of_a_newer_edition_are_judged_and_decide_nothing() -> None:
    pinned = judge(GOOD, edition=1)
    assert pinned.verdict is Verdict.CONFORMANT
    assert {each.id for each in pinned.results} == {each.id for each in CATALOGUE} | {"item.raised"}
    assert pinned.counts.total == len(CATALOGUE) + 1
    assert pinned.newer is not None
    assert [(each.id, each.status) for each in pinned.newer.clauses] == [
        ("item.new-fails", Status.FAIL), ("item.new-warns", Status.WARN), ("item.new-kept", Status.PASS),
        ("item.raised", Status.FAIL),
    ]  # fmt: skip


@pytest.mark.usefixtures("second")
def test_a_raised_level_is_in_an_older_edition_what_it_was_then() -> None:
    found = result(judge(GOOD, edition=1), "item.raised")
    assert (found.level, found.status, found.core) == ("should", Status.WARN, False)


@pytest.mark.usefixtures("second")
def test_a_search_looks_for_what_the_edition_demands() -> None:
    demand = judge(GOOD).demand
    assert Bench(demand, 2).broken_by(GOOD) >= {"item.new-fails", "item.new-warns"}
    assert not Bench(demand, 1).broken_by(GOOD) & {"item.new-fails", "item.new-warns"}


@pytest.mark.usefixtures("second")
def test_what_is_known_of_a_newer_clause_is_waived_there_and_not_counted_as_a_failure_to_come() -> None:
    entry = Entry(
        clause="item.new-fails", place="", reason="r", issue="i", owner="o", since=TODAY, expires=TODAY,
        dialect="any", target="*",
    )  # fmt: skip
    newer = judge(GOOD, edition=1, waive=waiving(Register("known.toml", (entry,)), Night("t", TODAY))).newer
    assert newer is not None
    assert newer.clauses[0].status is Status.WAIVED


@pytest.mark.usefixtures("second")
def test_the_report_says_what_a_newer_edition_would_add() -> None:
    report = reported(1)
    assert (report.run.edition, exit_status(report, fail_on_should=False)) == (1, 0)
    told = "edition 2 would add 3 clauses and raise the level of 1, of which 2 would fail and 1 would warn"
    assert newer_edition(report) == told
    text = "\n".join(line.text for line in summary_lines(report))
    assert f"E{told[1:]}." in text
    assert "FAILED item.new-fails: Title of item.new-fails (broken in 1 of 1 answer)" in text
    assert f"E{told[1:]}." in render_markdown(report)
    assert f"E{told[1:]}." in render_html(report)
    cases = [case.attrib["name"] for case in ET.fromstring(render_junit(report)).iter("testcase")]  # noqa: S314
    assert "item.new-fails" not in cases
    assert text.splitlines()[-1].endswith("[by edition 1]")
    assert newer_edition(reported(2)) == ""
    assert "Edition 2" not in render_html(reported(2))


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize(
    ("clauses", "told"),
    [
        ((), "edition 2 would add 0 clauses, of which none would fail"),
        ((KEPT,), "edition 2 would add 1 clause, of which none would fail"),
        ((RAISED,), "edition 2 would raise the level of 1, of which 1 would fail"),
        ((WARNS,), "edition 2 would add 1 clause, of which 1 would warn"),
    ],
)
def test_it_is_said_in_words(monkeypatch: pytest.MonkeyPatch, clauses: tuple[Clause, ...], told: str) -> None:
    monkeypatch.setattr(judging, "CATALOGUE", (*CATALOGUE, *clauses))
    assert newer_edition(reported(1)) == told


LATER = """
from dataclasses import replace

import conformance.edition

conformance.edition.EDITION = 2

from conformance import contract

contract.CATALOGUE = tuple(
    replace(clause, since=2) if clause.id == "item.prompt-id.uuid" else clause for clause in contract.CATALOGUE
)
"""
"""What a fresh interpreter is told, so that a clause is one of edition 2."""


def test_pytest_skips_the_test_of_a_clause_that_is_newer_than_the_edition_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(LATER)
    with serve(fault="id-as-short-code") as endpoint:
        command = (BIN / "pytest", "--pyargs", "conformance", "--target", endpoint.url, "-rs")
        pinned = run(tmp_path, *command, "--edition", "1", PYTHONPATH=str(tmp_path), **ALONE)
        newest = run(tmp_path, *command, PYTHONPATH=str(tmp_path), **ALONE)
    assert pinned.returncode == 0, pinned.stdout
    assert "of edition 2, and this run keeps to edition 1 [item.prompt-id.uuid]" in pinned.stdout
    assert "Edition 2 would add 1 clause, of which 1 would fail." in pinned.stdout
    assert newest.returncode == 1


def test_pinned_to_the_newest_nothing_is_newer() -> None:
    assert reported(EDITION).newer is None
    assert newer_edition(reported(EDITION)) == ""


@pytest.mark.parametrize("number", ["0", "-1", str(EDITION + 1)])
@pytest.mark.parametrize("verb", [["check"], ["judge", "queue.json"]])
def test_an_edition_that_there_is_not_is_refused(verb: list[str], number: str) -> None:
    is_refused(call(*verb, "--edition", number), f"--edition {number} is not known: this version of the suite has 1")


@pytest.mark.usefixtures("second")
def test_the_command_line_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("queue.json").write_bytes(queue(item(1), item(2)))
    pinned = CliRunner().invoke(main, ["judge", "queue.json", "--edition", "1"])
    assert pinned.exit_code == 0
    assert "Edition 2 would add 3 clauses" in pinned.stdout
    assert CliRunner().invoke(main, ["judge", "queue.json", "--edition", "2"]).exit_code == 1


def test_a_clause_says_since_when_it_stands() -> None:
    assert as_dict(FAILS)["since"] == 2
    assert "since      edition 2\n" in explain(FAILS)
    assert "since      edition 1, must since edition 2\n" in explain(RAISED)
    assert replace(RAISED, raised=None).in_edition(1) is not None
