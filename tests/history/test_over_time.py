"""What changed from one run to another: each kind, whether that is worse, and what is called better."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import msgspec
import pytest
from markdown_it import MarkdownIt
from msgspec import structs

from conformance.history import over_time, snapshot
from conformance.history.comparison import Comparison, diff_of
from conformance.judge.report import Change, Diff, Fingerprint, Report, Status, Verdict
from conformance.render.changes import headline
from conformance.render.comparison import comparison_lines, comparison_markdown
from helpers import history_samples
from helpers import report_samples as sample
from helpers.history_samples import with_clauses, with_status

MUST = "item.array"  # core
PLAIN_MUST = "method.head"  # of level should, not core
SHOULD = "envelope.both-lists"
UNSEEN = Status.NOT_EXERCISED


def diff(old: Report, new: Report, **more: bool) -> Diff:
    """Compare two reports."""
    return diff_of(compared(old, new, **more))


def compared(old: Report, new: Report, **more: bool) -> Comparison:
    """Compare two reports."""
    return over_time(snapshot(old), snapshot(new), **more)


def change(clause: str, before: Status | None, now: Status | None, *, fail_on_should: bool = False) -> Change | None:
    """Return what became of one clause, all others as they were; None: nothing. A status None: the run lacks it."""

    def made(status: Status | None) -> Report:
        report = sample.passing()
        if status is None:
            return structs.replace(report, clauses=tuple(one for one in report.clauses if one.id != clause))
        return with_status(report, clause, status)

    found = diff(made(before), made(now), fail_on_should=fail_on_should).changes
    assert len(found) <= 1
    return found[0] if found else None


@pytest.mark.parametrize(
    ("clause", "before", "now", "kind", "worse"),
    [
        (MUST, Status.PASS, Status.FAIL, "failed", True),
        (MUST, UNSEEN, Status.FAIL, "failed", True),
        (MUST, Status.WAIVED, Status.FAIL, "failed", True),
        (MUST, Status.ERROR, Status.FAIL, "failed", True),
        (MUST, Status.NOT_APPLICABLE, Status.FAIL, "failed", True),
        (MUST, None, Status.FAIL, "failed", True),
        (MUST, Status.FAIL, Status.FAIL, None, False),
        (MUST, Status.PASS, Status.ERROR, "error", True),
        (SHOULD, UNSEEN, Status.ERROR, "error", True),
        (MUST, Status.ERROR, Status.ERROR, None, False),
        (SHOULD, Status.PASS, Status.WARN, "warned", False),
        (SHOULD, Status.WAIVED, Status.WARN, "warned", False),
        (SHOULD, Status.WARN, Status.WARN, None, False),
        (MUST, Status.PASS, UNSEEN, "vanished", True),
        (MUST, Status.FAIL, UNSEEN, "vanished", True),
        (MUST, Status.WAIVED, UNSEEN, "vanished", True),
        (SHOULD, Status.PASS, UNSEEN, "vanished", False),
        (MUST, Status.PASS, Status.NOT_APPLICABLE, "vanished", False),
        (MUST, UNSEEN, Status.NOT_APPLICABLE, None, False),
        (MUST, Status.ERROR, UNSEEN, None, False),
        (MUST, Status.FAIL, Status.WAIVED, "waived", False),
        (MUST, Status.PASS, Status.WAIVED, "waived", False),
        (MUST, Status.FAIL, Status.PASS, "fixed", False),
        (SHOULD, Status.WARN, Status.PASS, "fixed", False),
        (MUST, Status.WAIVED, Status.PASS, "fixed", False),
        (MUST, UNSEEN, Status.PASS, "exercised", False),
        (MUST, Status.ERROR, Status.PASS, "exercised", False),
        (MUST, None, Status.PASS, "added", False),
        (MUST, None, UNSEEN, "added", False),
        (MUST, Status.PASS, None, "removed", False),
        (MUST, Status.FAIL, None, "removed", False),
        (MUST, Status.PASS, Status.PASS, None, False),
    ],
)
def test_what_became_of_a_clause(
    clause: str, before: Status | None, now: Status | None, kind: str | None, *, worse: bool
) -> None:
    found = change(clause, before, now)
    assert (found and found.kind) == kind
    assert (found is not None and found.worse) is worse
    if found is not None:
        assert (found.before, found.now) == (before, now)


def test_a_should_is_worse_only_where_it_is_to_fail() -> None:
    found = change(SHOULD, Status.PASS, Status.WARN, fail_on_should=True)
    assert found is not None
    assert found.worse


# --- the same clause, broken in another way -------------------------------------------------------

CLAUSE = "item.create-time.milliseconds"


def broken(*kinds: str, status: Status = Status.FAIL, clause: str = CLAUSE) -> Report:
    """Return a run in which a clause is broken in some ways."""
    evidence = [
        structs.replace(sample.failing().clause(CLAUSE).evidence[0], kind=kind, got=str(number), more=number)
        for number, kind in enumerate(kinds)
    ]
    return with_clauses(sample.failing(), sample.clause(clause, status, *evidence))


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [
        (broken("seconds"), broken("nanoseconds"), True),
        (broken("seconds"), broken("seconds", "nanoseconds"), True),
        (broken("seconds", "nanoseconds"), broken("seconds"), False),
        (broken("seconds", status=Status.WAIVED), broken("nanoseconds", status=Status.WAIVED), False),
    ],
)
def test_another_fingerprint_is_a_change_and_a_new_one_is_worse(old: Report, new: Report, *, worse: bool) -> None:
    (found,) = diff(old, new).changes
    assert (found.kind, found.clause, found.worse) == ("changed", CLAUSE, worse)


def test_another_fingerprint_of_a_should_is_worse_only_where_it_is_to_fail() -> None:
    was, now = (broken(kind, status=Status.WARN, clause=SHOULD) for kind in ("one", "another"))
    assert [one.worse for one in diff(was, now).changes] == [False]
    assert [one.worse for one in diff(was, now, fail_on_should=True).changes] == [True]


def test_the_fingerprints_that_came_and_went_are_told() -> None:
    (found,) = diff(broken("seconds", "text"), broken("text", "nanoseconds")).changes
    place = "/queue_pending/*/4/create_time"
    assert found.appeared == (Fingerprint(place=place, kind="nanoseconds"),)
    assert found.gone == (Fingerprint(place=place, kind="seconds"),)


def test_the_values_and_the_numbers_of_another_night_are_no_change() -> None:
    assert diff(broken("seconds"), broken("seconds", "seconds", "seconds")).outcome == "same"


# --- all in all ----------------------------------------------------------------------------------


def outcome(old: Callable[[], Report], new: Callable[[], Report]) -> str:
    """Return what a diff comes to."""
    return diff(old(), new()).outcome


def test_better_worse_and_the_same() -> None:
    assert outcome(sample.passing, sample.failing) == "worse"
    assert outcome(sample.failing, sample.passing) == "better"
    assert outcome(sample.failing, sample.failing) == "same"
    assert headline(diff(sample.failing(), sample.failing())) == "Neither better nor worse: no clause changed"


def test_a_run_that_is_inconclusive_is_never_better() -> None:
    """What was broken and is not seen any more is not fixed; and where a core clause was seen before, it is worse."""
    found = diff(sample.failing(), with_status(sample.idle(), "status.served", UNSEEN))
    assert found.outcome == "worse"
    assert {one.kind for one in found.changes if one.worse} == {"vanished"}
    assert "core clauses no longer checked" in headline(found)
    idle = structs.replace(sample.failing(), verdict=Verdict.INCONCLUSIVE, verdict_reason="reads were lost")
    mended = with_status(idle, "http.content-type", Status.PASS)
    assert diff(idle, mended).outcome == "unclear"
    assert headline(diff(idle, mended)) == "Unclear: the newer run is inconclusive (reads were lost); 1 fixed"


@pytest.mark.parametrize("other", [sample.passing, sample.failing, sample.unreachable])
def test_a_run_that_did_not_reach_its_target_changes_no_clause(other: Callable[[], Report]) -> None:
    reason = "the target cannot be reached: Connection refused"
    lost = diff(other(), sample.unreachable())
    assert (lost.outcome, lost.changes, lost.worse) == ("unclear", (), ())
    assert headline(lost) == f"Not reached: {reason}; no clauses were compared"
    back = diff(sample.unreachable(), other())
    assert (back.outcome, back.changes, back.worse) == ("unclear", (), ())


def test_a_verdict_that_is_no_longer_conformant_is_worse_even_where_no_clause_says_so() -> None:
    lost = structs.replace(sample.passing(), verdict=Verdict.INCONCLUSIVE, verdict_reason="a read was lost")
    found = diff(sample.passing(), lost)
    assert found.changes == ()
    assert found.worse == ("the verdict went from conformant to inconclusive",)


def test_a_verdict_that_became_conformant_is_better() -> None:
    assert diff(structs.replace(sample.passing(), verdict=Verdict.INCONCLUSIVE), sample.passing()).outcome == "better"


# --- what else differs ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("target", "http://b", "the URLs differ: http://queue.example:8188, then http://b"),
        ("dialect", "oss", "the dialects differ: cloud, then oss"),
        ("document_sha256", "f" * 64, "the documents differ: SHA-256 95185edf23bb, then SHA-256 ffffffffffff"),
        ("suite_version", "2.0.0", "the versions of the suite differ: 1.0.0, then 2.0.0"),
        ("options", {"queue_path": "/queue"}, "the paths differ: not told, then /queue"),
        ("partial", True, "the newer run is partial, cut short"),
    ],
)
def test_what_else_differs_is_said_first(member: str, value: object, told: str) -> None:
    old = sample.passing()
    new = structs.replace(old, run=structs.replace(old.run, **{member: value}))
    found = diff(old, new)
    assert found.notes == (told,)
    assert comparison_lines(compared(old, new))[0].text == f"NOTE {told}"
    assert diff(new, new).notes == (() if member != "partial" else ("the older run is partial, cut short", told))


def test_a_newer_run_that_is_older_is_noted() -> None:
    old = sample.passing()
    new = structs.replace(old, run=structs.replace(old.run, start="2025-12-31T03:00:00Z"))
    assert diff(old, new).notes == (
        "the run given as the newer one is older, from 2025-12-31T03:00:00Z: swap the two runs to see what changed",
    )


def selected(*clauses: str) -> Report:
    """Return a run of some clauses."""
    report = sample.failing()
    run = structs.replace(report.run, partial=True, selected="-k some")
    return structs.replace(report, run=run, clauses=tuple(one for one in report.clauses if one.id in clauses))


def test_clauses_that_were_not_selected_are_neither_gone_nor_new() -> None:
    found = diff(sample.failing(), selected(CLAUSE))
    assert found.changes == ()
    assert found.notes == ("the newer run is partial (-k some): 26 clauses not compared",)
    found = diff(selected("item.array"), sample.passing())
    assert found.changes == ()


def test_a_failure_is_not_hidden_by_what_was_selected_before() -> None:
    found = diff(selected("item.array"), sample.failing())
    assert CLAUSE in {one.clause for one in found.changes if one.kind == "failed"}
    assert found.outcome == "worse"


# --- renderings ----------------------------------------------------------------------------------


def worse() -> Comparison:
    """Return a comparison with much in it."""
    return compared(with_status(sample.passing(), "item.array", Status.FAIL), sample.failing())


def test_text_tells_all_that_changed_and_ends_with_what_that_means() -> None:
    text = "\n".join(line.text for line in comparison_lines(worse()))
    for wanted in (
        "Newly failed (2)",
        "    http.content-type (must: An answer of 200 is application/json): before: passed",
        "      now /queue_pending/*/4/create_time: seconds",
        "Now with a warning (2)",
        "The suite itself failed (1)",
        "Newly waived (1)",
        "Fixed (1)\n    item.array (must, core: Each item is an array): before: failed",
    ):
        assert wanted in text, wanted
    assert text.splitlines()[-1].startswith("Worse: 2 clauses newly failed, 1 clause on which the suite itself failed")


def test_markdown_is_read_as_it_is_meant() -> None:
    html = MarkdownIt("commonmark").enable("table").render(comparison_markdown(worse(), linked=False))
    assert "<h2>Worse: 2 clauses newly failed" in html
    assert "<th>Old</th>" in html
    assert "now /queue_pending/*/4/create_time: seconds" in html
    assert re.search(
        r"<code>item.array</code>.*must: Each item is an array</td>\n<td>failed</td>\n<td>passed</td>", html
    )


def test_what_a_server_sent_is_inert_in_every_rendering() -> None:
    now = history_samples.hostile()
    before = with_status(now, "item.prompt-id.uuid", Status.PASS)
    found = compared(before, now)
    assert all(line.text.isprintable() for line in comparison_lines(found))
    for text in ("\n".join(line.text for line in comparison_lines(found)), comparison_markdown(found)):
        assert "::error" not in text
        assert "##vso[" not in text
        assert "\x1b" not in text
    html = MarkdownIt("commonmark").render(comparison_markdown(found))
    assert "<script" not in html
    assert "<img" not in html
    assert "<a " not in html


def test_json_holds_what_the_text_says() -> None:
    found = diff_of(worse())
    document = json.loads(msgspec.json.encode(found))
    assert document["outcome"] == "worse"
    first = document["changes"][0]
    assert (first["kind"], first["before"], first["now"], first["worse"]) == ("failed", "pass", "fail", True)
    assert {"place", "kind"} == set(first["appeared"][0])
    assert msgspec.convert(document, Diff) == found
