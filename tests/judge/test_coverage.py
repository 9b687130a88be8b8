"""How many clauses of each profile a run checked, and what the others need."""

from __future__ import annotations

from msgspec import structs

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.terms import Profile, profile_of
from conformance.judge.coverage import A_JOB, A_KEY, A_LIVE_RUN, A_RECORDING, A_RESPONSE, coverage
from conformance.judge.report import ClauseResult, Status
from helpers import report_samples as sample

RUN = sample.passing().run


def unasked(clause_id: str, reason: str) -> ClauseResult:
    """Return the result of a clause that was not checked, for a reason."""
    return structs.replace(sample.clause("http.date", Status.NOT_EXERCISED, reason=reason), id=clause_id)


def test_every_profile_has_clauses_and_every_subject_is_in_the_intended_profile() -> None:
    subjects = {(profile_of(clause.id).value, clause.subject) for clause in CATALOGUE}
    assert {subject for profile, subject in subjects if profile == "http"} == {
        "http",
        "framing",
        "method",
        "caching",
        "cors",
    }
    assert {subject for profile, subject in subjects if profile == "auth"} == {"auth"}
    assert {subject for profile, subject in subjects if profile == "lifecycle"} == {"lifecycle"}
    assert {profile for profile, _ in subjects} == {profile.value for profile in Profile}


def test_what_was_not_checked_is_counted_by_what_it_needs() -> None:
    results = (
        sample.clause("http.date"),
        unasked("http.charset", "needs a response with a charset"),
        unasked("lifecycle.listed", "needs a job that the run submitted (--populate)"),
        unasked(
            "lifecycle.clear.empties", "needs clear: true while only jobs of the run are pending (--populate --clear)"
        ),
        unasked("lifecycle.delete.unknown", "needs a delete of an id that nobody has (--allow-writes)"),
        unasked("auth.challenge", "needs a 401 response"),
    )
    http, auth, lifecycle = coverage(results, RUN)
    assert http == (Profile.HTTP, 1, 2, {A_RESPONSE: 1})
    assert auth == (Profile.AUTH, 0, 0, {A_KEY: 1})
    assert lifecycle == (Profile.LIFECYCLE, 0, 0, {"--populate": 2, "--allow-writes": 1})


def test_with_the_option_or_the_key_the_same_clauses_need_a_response() -> None:
    run = structs.replace(RUN, options=RUN.options | {"key": "COMFY_API_KEY", "populate": True})
    results = (
        unasked("lifecycle.listed", "needs a job that the run submitted (--populate)"),
        unasked("auth.challenge", "needs a 401 response"),
    )
    auth, lifecycle = coverage(results, run)
    assert auth == (Profile.AUTH, 0, 1, {A_RESPONSE: 1})
    assert lifecycle == (Profile.LIFECYCLE, 0, 1, {A_RESPONSE: 1})


def test_a_recording_needs_no_option_of_a_live_run() -> None:
    recorded = structs.replace(RUN, recorded=True)
    results = (
        unasked("lifecycle.listed", "needs a job that the run submitted (--populate)"),
        unasked("auth.challenge", "needs a 401 response"),
    )
    auth, lifecycle = coverage(results, recorded)
    assert (auth.needs, lifecycle.needs) == ({A_RECORDING: 1}, {A_LIVE_RUN: 1})


def test_clauses_that_an_idle_queue_leaves_out_have_one_reason() -> None:
    (queue,) = [counts for counts in coverage(sample.idle().clauses, RUN) if counts.profile is Profile.QUEUE]
    assert queue.checked < queue.total
    assert queue.needs[A_JOB] == 10


def test_clauses_that_do_not_apply_are_not_counted() -> None:
    assert coverage([sample.clause("queue.one-order", Status.NOT_APPLICABLE)], RUN) == ()
