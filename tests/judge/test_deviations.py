"""Known deviations: what a register waives, what of it does not hold, and how one is begun."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, NoResponse, Problem, Request
from conformance.exchange.recordings import read_file
from conformance.exchange.transcript import Transcript
from conformance.judge.build import build
from conformance.judge.deviations.apply import Night, account, waiving
from conformance.judge.deviations.draft import draft
from conformance.judge.deviations.register import Entry, Register, read_register
from conformance.judge.judge import Judgement, judge
from conformance.judge.judging import Judging
from conformance.judge.report import FINGERPRINTS, Deviations, Fingerprint, Report, State, Status, Verdict
from conformance.judge.tally import KINDS
from conformance.problems import UsageProblem
from conformance.reference.server import serve
from helpers.answers import NOW, item, queue, read, reads, result
from helpers.cli_runner import call, is_refused
from helpers.comfyui_runs import live_runs
from helpers.commands import report, suite

HERE = Path(__file__).parents[1]
COMFYUI = HERE.parent / "conformance" / "judge" / "deviations" / "comfyui.toml"
TODAY = date(2026, 11, 25)
TARGET = "http://queue.example"
IDS = "item.prompt-id.uuid"
BROKEN = reads(queue(item(1, e1="job-1"), item(2)))


def known(**changes: Any) -> Entry:
    """Return an entry that knows ids which are no UUIDs, with members replaced."""
    usual: dict[str, Any] = {
        "clause": IDS,
        "place": "/queue_pending/*/1",
        "reason": "Ids are short.",
        "issue": "Q-7",
        "owner": "Ada",
        "since": TODAY,
        "expires": TODAY + timedelta(days=30),
        "dialect": "cloud",
        "target": "*",
    }
    return Entry(**usual | changes)


def held(
    exchanges: Iterable[Exchange],
    *entries: Entry,
    dialect: Dialect = Dialect.CLOUD,
    partial: bool = False,
    only: set[str] | None = None,
) -> tuple[Judgement, Deviations]:
    """Judge exchanges with a register, today."""
    register, night = Register("known.toml", entries), Night(TARGET, TODAY, partial)
    judgement = judge(list(exchanges), dialect, only=only, waive=waiving(register, night))
    return judgement, account(register, night, judgement)


def problems(deviations: Deviations) -> list[tuple[str, str]]:
    return [(problem.problem, problem.clause) for problem in deviations.problems]


# --- what is waived -------------------------------------------------------------------------------


def test_a_failure_that_is_known_is_waived_and_says_why_by_whom_and_until_when() -> None:
    judgement, deviations = held(BROKEN, known())
    found = result(judgement, IDS)
    assert (found.status, found.waiver) == (Status.WAIVED, "Ids are short (Q-7; Ada, until 2026-12-25)")
    assert found.evidence
    assert (judgement.counts.waived, judgement.counts.fail) == (1, 0)
    assert judgement.counts.exercised == held(BROKEN)[0].counts.exercised
    assert judgement.verdict is Verdict.CONFORMANT
    assert judgement.reason.startswith("no must clause broken apart from known deviations, ")
    assert "waived" not in judgement.reason, "every verdict shows it already"
    assert deviations.problems == ()
    assert [(entry.entry, entry.state) for entry in deviations.known] == [(1, State.HOLDS)]


def test_a_warning_that_is_known_is_waived_too() -> None:
    twice = reads(queue(item(1, e3=["9", "9"])))
    judgement, _ = held(twice, known(clause="item.output-node-ids.distinct", place="/queue_pending/*/3/*"))
    assert result(judgement, "item.output-node-ids.distinct").status is Status.WAIVED
    assert judgement.reason.startswith("no must clause broken, ")


@pytest.mark.parametrize(
    ("place", "covers"),
    [
        ("/queue_pending/*/1", True),
        ("/queue_pending/0/1", False),
        ("/*/*/1", True),
        ("/*/1", False),
        ("/**", True),
        ("**", None),
        ("/queue_pending/**", True),
        ("/queue_pending/*/1/**", True),
        ("/queue_pending/*/1/*", False),
        ("/queue_running/*/1", False),
        ("", False),
        ("outside", False),
    ],
)
def test_a_star_is_one_name_and_two_are_all_that_follows(place: str, covers: bool | None) -> None:  # noqa: FBT001
    if covers is None:
        with pytest.raises(ValueError, match="JSON Pointer"):
            known(place=place)
        return
    assert known(place=place).covers(Fingerprint(place="/queue_pending/*/1")) is covers


def test_a_place_outside_the_body_is_another_than_the_whole_body() -> None:
    assert known(place="outside").covers(Fingerprint(place=None))
    assert not known(place="outside").covers(Fingerprint(place=""))
    assert known(place="").covers(Fingerprint(place=""))
    assert not known(place="").covers(Fingerprint(place=None))


@pytest.mark.parametrize(
    ("pattern", "target", "concerns"),
    [
        ("*", "http://[::1]:8188", True),
        ("http://[::1]:8188", "http://[::1]:8188", True),
        ("http://[::1]:8188/", "http://[::1]:8188", True),
        ("http://[:1]:8188", "http://:", False),
        ("https://*.example", "https://a.b.example", True),
        ("https://*.example", "https://a.example.org", False),
        ("https://a.example", "https://A.example", False),
    ],
)
def test_an_entry_is_for_the_targets_that_it_names(pattern: str, target: str, concerns: bool) -> None:  # noqa: FBT001
    assert known(target=pattern).concerns(target, "cloud") is concerns


@pytest.mark.parametrize(("dialect", "asked"), [("oss", Dialect.CLOUD), ("cloud", Dialect.OSS)])
def test_an_entry_for_another_dialect_or_target_does_nothing_at_all(dialect: str, asked: Dialect) -> None:
    for entry in (known(dialect=dialect), known(target="http://elsewhere")):
        exchanges = BROKEN if asked is Dialect.CLOUD else reads(queue([0, "job-1", {}, {}, []]))
        if entry.target == "*" or asked is Dialect.CLOUD:
            judgement, deviations = held(exchanges, entry, dialect=asked)
            assert result(judgement, IDS).status is Status.FAIL
            assert (deviations.known, deviations.problems) == ((), ())


def test_under_auto_the_dialect_is_the_one_by_which_the_answers_are_read() -> None:
    oss = reads(queue([0, "job-1", {}, {"create_time": 1}, ["9"]]))
    assert result(held(oss, known(dialect="oss"), dialect=Dialect.AUTO)[0], IDS).status is Status.WAIVED
    assert result(held(oss, known(dialect="cloud"), dialect=Dialect.AUTO)[0], IDS).status is Status.FAIL
    assert result(held(oss, known(dialect="any"), dialect=Dialect.AUTO)[0], IDS).status is Status.WAIVED


# --- what fails all the same ----------------------------------------------------------------------


def test_the_same_clause_in_another_way_fails_by_name() -> None:
    two = reads(queue(item(1, e1="job-1"), item(2, e1="0" * 32), running=(item(3, e1="job-3"),)))
    judgement, deviations = held(two, known())
    found = result(judgement, IDS)
    assert found.status is Status.FAIL
    assert "not a known deviation: a violation at /queue_running/*/1 and 1 more" in found.reason
    assert problems(deviations) == [("other-fingerprint", IDS)] * 2
    assert [problem.fingerprint for problem in deviations.problems] == [
        Fingerprint(place="/queue_running/*/1"),
        Fingerprint(place="/queue_pending/*/1", kind="no-hyphens"),
    ]
    assert judgement.verdict is Verdict.NON_CONFORMANT


def test_several_entries_together_know_a_clause() -> None:
    two = reads(queue(item(1, e1="job-1"), item(2, e1="0" * 32)))
    judgement, deviations = held(two, known(), known(kind="no-hyphens", reason="From an old database"))
    assert result(judgement, IDS).waiver == (
        "Ids are short (Q-7; Ada, until 2026-12-25); From an old database (Q-7; Ada, until 2026-12-25)"
    )
    assert deviations.problems == ()


def many(number: int) -> list[Exchange]:
    """Return a read with that many kinds of places at which no number stands."""
    names = {f"name-{n:03}": float("nan") for n in range(number)}
    return reads(queue(item(1, e4={"create_time": int(NOW * 1000) - 9000, **names})))


def test_what_is_not_listed_as_evidence_is_not_waived_for_it() -> None:
    clause, kind = "json.finite-numbers", "python-json"
    listed = [known(clause=clause, kind=kind, place=f"/queue_pending/*/4/name-{n:03}") for n in range(KINDS)]
    assert result(held(many(KINDS), *listed)[0], clause).status is Status.WAIVED
    judgement, deviations = held(many(KINDS + 1), *listed)
    assert len(result(judgement, clause).evidence) == KINDS
    assert result(judgement, clause).status is Status.FAIL
    assert [problem.fingerprint.place for problem in deviations.problems] == [f"/queue_pending/*/4/name-{KINDS:03}"]


def test_what_is_broken_in_more_ways_than_are_kept_is_never_waived() -> None:
    wide = known(clause="json.finite-numbers", kind="python-json", place="/**")
    assert result(held(many(FINGERPRINTS - 1), wide)[0], wide.clause).status is Status.WAIVED
    judgement, deviations = held(many(FINGERPRINTS), wide)
    assert result(judgement, wide.clause).status is Status.FAIL
    assert "too many different violations to be waived" in result(judgement, wide.clause).reason
    assert deviations.problems == ()


def test_a_warning_in_another_way_stays_a_warning_and_fails_nothing() -> None:
    later = reads(queue(*(item(n, e4={"create_time": int(NOW * 1000) + 10 * 60_000 + n}) for n in (1, 2))))
    place = "/queue_pending/*/4/create_time"
    judgement, deviations = held(later, known(clause="item.create-time.past", place=place, kind="local-time"))
    found = result(judgement, "item.create-time.past")
    assert found.status is Status.WARN
    assert "not a known deviation: a violation at /queue_pending/*/4/create_time" in found.reason
    assert problems(deviations) == [("stale", "item.create-time.past")]


def test_an_entry_holds_to_the_end_of_its_last_day_and_then_fails_by_name() -> None:
    assert result(held(BROKEN, known(expires=TODAY))[0], IDS).status is Status.WAIVED
    late = known(since=TODAY - timedelta(days=9), expires=TODAY - timedelta(days=1))
    judgement, deviations = held(BROKEN, late)
    assert result(judgement, IDS).status is Status.FAIL
    (problem,) = deviations.problems
    assert (problem.problem, problem.entry) == ("expired", 1)
    assert problem.message == "expired on 2026-11-24: Ada must renew or remove the entry"


def test_an_entry_whose_failure_is_gone_is_stale() -> None:
    judgement, deviations = held(reads(queue(item(1))), known())
    assert judgement.verdict is Verdict.CONFORMANT
    assert problems(deviations) == [("stale", IDS)]


def test_nothing_is_stale_that_could_not_show() -> None:
    idle, running = reads(queue()), reads(queue(running=(item(1),)))
    good = reads(queue(item(1)))
    intermittent = known(intermittent=True)
    for exchanges, entry, partial, state in [
        (idle, known(), False, State.NOT_EXERCISED),
        (running, known(), False, State.NOT_EXERCISED),
        (good, known(), True, State.NOT_EXERCISED),
        (good, intermittent, False, State.NOT_SEEN),
    ]:
        _, deviations = held(exchanges, entry, partial=partial)
        assert deviations.problems == ()
        assert [each.state for each in deviations.known] == [state]
    assert held(good, known(), only={"item.array"})[1] == Deviations(file="known.toml", known=(), problems=())
    assert problems(held(running, known(place="/*/*/1"))[1]) == [("stale", IDS)]
    assert problems(held(running, known(place="/**"))[1]) == [("stale", IDS)]
    listed = known(clause="envelope.queue-pending.array", place="/queue_pending", kind="empty")
    assert problems(held(idle, listed)[1]) == [("stale", "envelope.queue-pending.array")]


def test_a_clause_that_there_is_not_is_told_with_the_one_that_was_meant() -> None:
    _, deviations = held(BROKEN, known(), known(clause="item.prompt-id.uid", target="http://elsewhere"))
    (problem,) = deviations.problems
    assert (problem.problem, problem.clause, problem.entry) == ("unknown-clause", "item.prompt-id.uid", 2)
    assert problem.message == f"no clause has this name: did you mean {IDS}?"


def test_what_could_not_be_reached_or_seen_is_never_waived() -> None:
    lost = [Exchange("x1", Request("GET", TARGET), problem=Problem(NoResponse.UNREACHABLE, "Connection refused"))]
    everything = [known(clause=name, place=place) for name in BY_ID for place in ("outside", "", "/**")]
    for exchanges in (lost, reads(queue()), [read(b"", status=503)]):
        judgement, deviations = held(exchanges, *everything)
        assert judgement.verdict is Verdict.INCONCLUSIVE
        assert judgement.reason == judge(exchanges).reason
        assert [p for p in deviations.problems if result(judgement, p.clause).status is Status.NOT_EXERCISED] == []


# --- the file -------------------------------------------------------------------------------------

WHOLE = """\
[[deviation]]
clause = "item.prompt-id.uuid"
place = "/queue_pending/*/1"
reason = "Ids are short."
issue = "Q-7"
owner = "Ada"
since = 2026-11-25
expires = 2099-12-25
dialect = "cloud"
target = "*"
"""


def test_a_register_is_read_as_it_is_written(folder: Path) -> None:
    (folder / "known.toml").write_text(WHOLE)
    expected = known(expires=date(2099, 12, 25), since=date(2026, 11, 25))
    assert read_register("known.toml") == Register("known.toml", (expected,))
    (folder / "empty.toml").write_text("# nothing is known\n")
    assert read_register("empty.toml").entries == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('owner = "Ada"\n', "", "known.toml, line 1, deviation 1: `owner` is missing"),
        ("expires = 2", "expire = 2", "deviation 1: unknown key `expire`: did you mean expires?"),
        ("[[deviation]]", "[[deviations]]", ": unknown key `deviations`: did you mean deviation?"),
        (
            "[[deviation]]",
            "[deviation]",
            "known.toml: `deviation` must be a list of tables: write [[deviation]]",
        ),
        ("2099-12-25", '"2099-12-25"', "deviation 1: `expires` must be a date such as 2027-02-27"),
        (
            "2099-12-25",
            "2099-12-25T00:00:00Z",
            "deviation 1: `expires` must be a date such as 2027-02-27",
        ),
        ("2099-12-25", "2026-11-24", "deviation 1: `expires` is before `since`"),
        ('dialect = "cloud"', 'dialect = "klingon"', 'deviation 1: `dialect` must be "cloud", "oss" or "any"'),
        ('"Ids are short."', '"TODO: why"', "deviation 1: fill in `reason`"),
        ('"Ada"', '"  "', "deviation 1: fill in `owner`"),
        ('"Q-7"\nowner = "Ada"', '"TODO"\nowner = "TODO"', "deviation 1: fill in `issue` and `owner`"),
        ("since = 2026-11-25", 'intermittent = "no"\nsince = 2026-11-25', "`intermittent` must be true or false"),
        ('"Ada"', "7", "deviation 1: `owner` must be text in quotes"),
        ('"/queue_pending/*/1"', '"queue_pending"', "deviation 1: `place` is a JSON Pointer such as /queue"),
        ('"*"', '"*', "known.toml is not valid TOML: "),
        ("[[deviation]]", f"{WHOLE}\n[[deviation]]\nkind = 7", "line 12, deviation 2: `kind` must be text in quotes"),
    ],
)
def test_what_is_wrong_with_a_register_is_one_line_with_its_place(
    folder: Path, before: str, after: str, told: str
) -> None:
    assert before in WHOLE
    (folder / "known.toml").write_text(WHOLE.replace(before, after, 1))
    for arguments in (["check", "--target", "embedded"], ["judge", "known.toml"]):
        is_refused(call(*arguments, "--deviations", "known.toml"), told)
    is_refused(call("deviations", "check", "known.toml"), told)
    done = suite(folder, "--target", "embedded", "--deviations", "known.toml") if "owner" in before else None
    assert done is None or (done.returncode, told in done.stderr) == (4, True)


@pytest.mark.parametrize("data", [b"\xff", b"[" * 10_000, b"deviation = [1]", b'x = "\\ud800"', b"\x1b[31m"])
def test_what_is_no_register_is_one_line(folder: Path, data: bytes) -> None:
    (folder / "known.toml").write_bytes(data)
    with pytest.raises(UsageProblem) as told:
        read_register("known.toml")
    assert str(told.value).isprintable()


def test_a_register_that_is_not_there_is_one_line() -> None:
    is_refused(call("check", "--deviations", "none.toml"), "the register none.toml cannot be read (No such file")
    is_refused(call("deviations", "check", "none.toml"), "the register none.toml cannot be read (No such file")


# --- a run ----------------------------------------------------------------------------------------


def entry(**changes: str) -> str:
    """Return a register of one entry, with members replaced."""
    text = WHOLE
    for name, value in changes.items():
        text = re.sub(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.MULTILINE)
    return text


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


# --- beginning one --------------------------------------------------------------------------------


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


# --- looking at one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clause": '"item.prompt-id.uid"'}, "no clause has this name: did you mean item.prompt-id.uuid?"),
        ({"place": '"/*/*/1"\nkind = "no-hyphen"'}, "the clause has no kind no-hyphen: did you mean no-hyphens?"),
        ({"place": '"/*/*/1"\nkind = "x"'}, "the clause has no kind x: it has no-hyphens, surrounded"),
        ({"clause": '"item.array"\nkind = "no"'}, "the clause has no kind no: it has object, bare-id"),
        ({"since": "2020-01-01", "expires": "2020-02-01"}, "expired on 2020-02-01"),
        ({"clause": '"auth.status"', "dialect": '"oss"'}, "the clause is not applicable under oss: "),
    ],
)
def test_a_register_is_looked_at_without_a_run(folder: Path, changes: dict[str, str], told: str) -> None:
    (folder / "known.toml").write_text(entry(**changes))
    done = call("deviations", "check", "known.toml")
    assert done.exit_code == 1
    assert told in done.stdout
    assert done.stdout.endswith("1 known deviation: 1 needs attention\n")


def test_what_holds_is_listed(folder: Path) -> None:
    (folder / "known.toml").write_text(entry())
    done = call("deviations", "check", "known.toml")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1. item.prompt-id.uuid /queue_pending/*/1, cloud, *: until 2099-12-25",
        "1 known deviation: all valid",
    ]


# --- the register of ComfyUI ----------------------------------------------------------------------

NEWEST = HERE / "recordings" / "comfyui-0.33.0"
RECORDINGS = [
    *sorted((HERE / "recordings").glob("*.http")),
    *sorted(path for name in ("q", "h", "m", "pq") for path in NEWEST.glob(f"{name}_*.http")),
]


def recorded(dialect: Dialect) -> Iterable[tuple[Judgement, Deviations]]:
    entries = read_register(COMFYUI).entries
    return [held(read_file(path), *entries, dialect=dialect) for path in RECORDINGS]


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
def test_all_that_comfyui_was_recorded_to_do_otherwise_is_waived(dialect: Dialect) -> None:
    broken = [
        f"{path.stem}: {found.id}"
        for path, (judgement, _) in zip(RECORDINGS, recorded(dialect), strict=True)
        for found in judgement.results
        if found.status in {Status.FAIL, Status.WARN, Status.ERROR}
    ]
    assert broken == []
    assert sum(judgement.counts.waived for judgement, _ in recorded(dialect)) > 20


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
def test_every_entry_for_comfyui_is_shown_and_none_is_stale(dialect: Dialect) -> None:
    """By a recording, or by a run against the stand-in."""
    states: dict[int, set[State]] = {}
    entries = read_register(COMFYUI).entries
    live = [held(exchanges, *entries, dialect=dialect) for exchanges in live_runs(dialect)]
    for _, deviations in [*recorded(dialect), *live]:
        assert deviations.problems == ()
        for each in deviations.known:
            states.setdefault(each.entry, set()).add(each.state)
    mine = {n for n, each in enumerate(read_register(COMFYUI).entries, 1) if each.dialect in {dialect, "any"}}
    assert {number for number, found in states.items() if State.HOLDS in found} == mine


def test_the_register_of_comfyui_is_printed() -> None:
    shown = call("deviations", "example")
    assert shown.exit_code == 0
    assert shown.stdout == COMFYUI.read_text(encoding="utf-8")
