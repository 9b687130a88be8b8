"""Known deviations: what a register waives, and what of it does not hold."""

from __future__ import annotations

from datetime import timedelta

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Dialect
from conformance.exchange.model import Exchange, NoResponse, Problem, Request
from conformance.judge.judge import judge
from conformance.judge.report import FINGERPRINTS, Deviations, Fingerprint, State, Status, Verdict
from conformance.judge.tally import KINDS
from helpers.answers import NOW, item, queue, read, reads, result
from helpers.registers import IDS, TARGET, TODAY, held, known

BROKEN = reads(queue(item(1, e1="job-1"), item(2)))


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
