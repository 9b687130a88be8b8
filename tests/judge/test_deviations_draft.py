"""A register of known deviations is begun from a report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.exchange.model import Exchange
from conformance.exchange.transcript import Transcript
from conformance.judge.build import build
from conformance.judge.deviations.draft import draft
from conformance.judge.deviations.register import Entry, read_register
from conformance.judge.judge import Judgement
from conformance.judge.judging import Judging
from conformance.judge.report import Deviations, Report, Status
from conformance.reference.server import serve
from helpers.answers import NOW, item, queue, reads, result
from helpers.cli_runner import call, is_refused
from helpers.registers import TARGET, TODAY, held, known


def filled(text: str) -> str:
    """Fill in what says TODO."""
    return re.sub(r'"TODO: [^"]*"', '"told"', text)


def test_a_register_is_begun_from_a_run_and_waives_it_when_it_is_filled_in(folder: Path) -> None:
    with serve(fault="id-as-short-code") as endpoint:
        assert call("check", endpoint.url).exit_code == 1
        done = call("deviations", "init", "reports/latest", "-o", "known.toml")
        assert (done.exit_code, done.stdout) == (0, "")
        assert done.stderr.startswith("wrote known.toml: replace each TODO")
        is_refused(call("check", endpoint.url, "--deviations", "known.toml"), "fill in `reason`, `issue` and `owner`")
        text = (folder / "known.toml").read_text()
        assert 'place = "/*/*/1"' in text
        assert f'target = "{endpoint.url}"' in text
        (folder / "known.toml").write_text(filled(text))
        assert call("check", endpoint.url, "--deviations", "known.toml").exit_code == 0
        again = call("deviations", "init", "reports/latest/compliance.json")
        assert (again.exit_code, again.stdout) == (0, "")
        assert "every failure is already waived" in again.stderr


def test_a_run_without_a_failure_has_nothing_to_waive() -> None:
    with serve(fault="id-in-upper-case") as endpoint:
        call("check", endpoint.url)
    told = "no failure, and 1 warning (--should writes an entry for each): nothing to write\n"
    assert call("deviations", "init", "reports/latest").stderr.endswith(told)


def test_a_register_is_never_written_over(folder: Path) -> None:
    call("check", "--target", "embedded")
    (folder / "known.toml").write_text("mine")
    with serve(fault="id-as-short-code") as endpoint:
        call("check", endpoint.url)
    is_refused(call("deviations", "init", "reports/latest", "-o", "known.toml"), "known.toml exists already")
    assert (folder / "known.toml").read_text() == "mine"
    is_refused(call("deviations", "init", "reports/latest", "-o", "no/known.toml"), "no/known.toml cannot be written")


@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot be read: No such file"), (b"{}", "is not a report of a run (")]
)
def test_what_is_no_report_begins_no_register(folder: Path, content: bytes | None, told: str) -> None:
    if content is not None:
        (folder / "compliance.json").write_bytes(content)
    is_refused(call("deviations", "init", "compliance.json"), told)


def reported(judgement: Judgement, exchanges: list[Exchange], deviations: Deviations | None = None) -> Report:
    return build(judgement, Transcript(tuple(exchanges), TARGET, NOW, NOW, None), Judging(), deviations=deviations)


def drafted(exchanges: list[Exchange], *entries: Entry, **more: bool) -> str:
    judgement, deviations = held(exchanges, *entries)
    return draft(reported(judgement, exchanges, deviations), TODAY, **more)


def places(text: str) -> list[str]:
    return re.findall(r"^place = (.*)$", text, flags=re.MULTILINE)


def test_what_shows_in_both_lists_is_one_entry() -> None:
    both = reads(queue(item(1, e1="a"), item(2, e1="0" * 32), running=(item(3, e1="b"),)))
    assert places(drafted(both)) == ['"/queue_pending/*/1"', '"/*/*/1"']


def test_only_what_is_new_is_written_where_some_is_known() -> None:
    both = reads(queue(item(1, e1="a"), running=(item(3, e1="b"),)))
    assert places(drafted(both, known())) == ['"/queue_running/*/1"']


def test_warnings_are_written_where_they_are_asked_for() -> None:
    twice = reads(queue(item(1, e3=["9", "9"])))
    assert drafted(twice) == ""
    assert places(drafted(twice, should=True)) == ['"/queue_pending/*/3/*"']


@pytest.mark.parametrize(
    "name",
    [
        '"""',
        "\\",
        "\n[[deviation]]\n",
        "\x1b]0;x\x07",
        "\u202e",
        "\x00",
        "::error::x",
        "##vso[x",
        "\ud800",
        "é\U0001f642",
    ],
)
def test_names_of_a_hostile_server_are_harmless_in_a_register_and_still_match(folder: Path, name: str) -> None:
    exchanges = reads(queue(item(1, e4={"create_time": int(NOW * 1000) - 9000, name: float("nan")})))
    text = drafted(exchanges)
    assert text.replace("\n", "").isprintable()
    assert "::error" not in text
    (folder / "known.toml").write_text(filled(text))
    judgement, deviations = held(exchanges, *read_register("known.toml").entries)
    assert result(judgement, "json.finite-numbers").status is Status.WAIVED
    assert deviations.problems == ()
