"""A run with a register of known deviations."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.reference.server import serve
from helpers.answers import item, queue
from helpers.cli_runner import call
from helpers.commands import report, suite
from helpers.registers import entry

EVERYWHERE = {"place": '"/*/*/1"'}
STALE = {"clause": '"item.array"', "place": '"/*/*"'}


@pytest.mark.parametrize(
    ("changes", "verdict", "status", "told"),
    [
        (
            EVERYWHERE,
            "conformant",
            0,
            "WAIVED item.prompt-id.uuid (must: prompt_id (element 1 of a job) is a UUID) (broken in",
        ),
        (
            STALE,
            "non-conformant",
            1,
            "DEVIATION item.array: stale, because the failure is gone (a violation at /*/*): remove",
        ),
        (EVERYWHERE | {"expires": "2020-06-01", "since": "2020-01-01"}, "non-conformant", 1, "expired on 2020-06-01"),
        (
            {"place": '"/*/*/1"\nkind = "surrounded"'},
            "non-conformant",
            1,
            "fails in a way that no entry covers: a violation at",
        ),
        (EVERYWHERE | {"target": '"http://elsewhere"'}, "non-conformant", 1, "FAILED item.prompt-id.uuid"),
    ],
)
def test_a_run_says_what_is_waived_and_what_does_not_hold(
    folder: Path, changes: dict[str, str], verdict: str, status: int, told: str
) -> None:
    (folder / "known.toml").write_text(entry(**changes))
    with serve(fault="id-as-short-code") as endpoint:
        done = call("check", endpoint.url, "--deviations", "known.toml")
    assert done.exit_code == status, done.output
    assert told in done.stdout
    assert report(folder)["verdict"] == verdict
    assert report(folder)["run"]["options"]["deviations"] == "known.toml"


def test_a_register_that_does_not_hold_fails_a_run_whose_verdict_is_good(folder: Path) -> None:
    (folder / "known.toml").write_text(entry(**STALE))
    done = call("check", "--target", "embedded", "-q", "--deviations", "known.toml")
    assert done.exit_code == 1
    assert done.stdout.startswith("Conformant: ")
    assert done.stdout.endswith("[the register of known deviations has 1 stale entry]\n")
    for name in ("index.html", "summary.md", "junit.xml"):
        text = (folder / "reports" / "latest" / name).read_text(encoding="utf-8")
        assert "stale, because the failure is gone" in text, name
        assert "known.toml, deviation 1" in text, name


def test_recordings_are_judged_with_a_register_too(folder: Path) -> None:
    (folder / "known.toml").write_text(entry())
    (folder / "queue.json").write_bytes(queue(item(1, e1="job-1"), item(2)))
    done = call("judge", "queue.json", "--deviations", "known.toml")
    assert done.exit_code == 0
    assert "WAIVED item.prompt-id.uuid" in done.stdout


def test_pytest_shows_a_waived_clause_as_an_expected_failure(folder: Path) -> None:
    (folder / "known.toml").write_text(entry(**EVERYWHERE))
    with serve(fault="id-as-short-code") as endpoint:
        done = suite(folder, "--target", endpoint.url, "--deviations", "known.toml", "-rx")
        part = suite(folder, "--target", endpoint.url, "--deviations", "known.toml", "-k", "item-array or five")
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
    assert "waived: Ids are short (Q-7; Ada, until 2099-12-25)" in done.stdout
    assert "DEVIATION" not in part.stdout


def test_pytest_fails_where_a_register_does_not_hold(folder: Path) -> None:
    (folder / "known.toml").write_text(entry(**STALE))
    done = suite(folder, "--target", "embedded", "--deviations", "known.toml")
    assert done.returncode == 1
    assert "DEVIATION item.array: stale" in done.stdout
    assert "Conformant" in done.stdout
