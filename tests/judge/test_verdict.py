"""The verdict of a run and its reason, by the statuses of the clauses and the responses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import Summary
from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange, NoResponse, Problem, Request, Response
from conformance.judge.report import ClauseResult, Status, Verdict
from conformance.judge.verdict import count, decide, in_words
from helpers.answers import item, queue

ARRAY = BY_ID["item.array"]
ACCEPT = (("Accept", "application/json"),)
JOB, EMPTY = queue(item(1)), queue()


def result(
    name: str, status: Status = Status.PASS, *, level: str = "must", core: bool = False, **more: object
) -> ClauseResult:
    return ClauseResult(
        id=name,
        title="",
        level=level,  # type: ignore[arg-type] # any text
        status=status,
        reason="",
        core=core,
        since=1,
        judged=1,
        breached=0,
        source=ARRAY.source,
        **more,  # type: ignore[arg-type] # any member
    )


def get(
    content: bytes = JOB, status: int = 200, headers: Headers = (), *, request: Headers = ACCEPT, method: str = "GET"
) -> Answer:
    asked, response = Request(method, "http://t/api/queue", request), Response(status, headers, content)
    return Answer(Exchange("x", asked, response), response, Reading(content))


class _Unread(Reading):
    """A body of which no clause judged a part."""

    part = "the jobs from /queue_pending/5"

    @property
    def summary(self) -> Summary:
        return super().summary._replace(unread=self.part)


def unread(part: str = _Unread.part) -> Answer:
    answer, reading = get(), _Unread(JOB)
    reading.part = part
    return Answer(answer.exchange, answer.response, reading)


def lost(
    fault: NoResponse = NoResponse.BROKEN,
    detail: str = "gone",
    *,
    begun: bool = False,
    superseded: bool = False,
    method: str = "GET",
) -> Exchange:
    asked = Request(method, "http://t/api/queue", ACCEPT)
    return Exchange("x", asked, problem=Problem(fault, detail, begun), superseded=superseded)


PASSED = (result("item.array"),)


def decided(
    results: Iterable[ClauseResult] = PASSED,
    answers: Sequence[Answer] = (),
    unanswered: Sequence[Exchange] = (),
    *,
    recorded: bool = False,
) -> tuple[Verdict, str]:
    exchanges = [*(answer.exchange for answer in answers), *unanswered]
    return decide([*results], exchanges, answers, recorded=recorded)


# --- by the statuses of clauses ---------------------------------------------------------------------------------------


class Case(NamedTuple):
    """The results of some clauses, and the verdict and the reason that follow from them."""

    results: tuple[ClauseResult, ...]
    verdict: Verdict
    reason: str


WARNED = result("b", Status.WARN, level="should")
CASES = [
    Case(PASSED, Verdict.CONFORMANT, "no must clause broken, 1 clause checked"),
    Case((*PASSED, WARNED), Verdict.CONFORMANT, "no must clause broken, 2 clauses checked, 1 should clause broken"),
    Case((WARNED, WARNED), Verdict.CONFORMANT, "no must clause broken, 2 clauses checked, 2 should clauses broken"),
    Case(
        (*PASSED, result("b", Status.WAIVED)),
        Verdict.CONFORMANT,
        "no must clause broken apart from known deviations, 2 clauses checked",
    ),
    *(
        Case(
            (*PASSED, result("b", Status.WAIVED, level=level)),
            Verdict.CONFORMANT,
            "no must clause broken, 2 clauses checked",
        )
        for level in ("should", "info")
    ),
    Case((result("b", Status.FAIL),), Verdict.NON_CONFORMANT, "1 must clause broken: b"),
    Case(tuple(result(name, Status.FAIL) for name in "abc"), Verdict.NON_CONFORMANT, "3 must clauses broken: a, b, c"),
    Case(
        tuple(result(name, Status.FAIL) for name in ("z", "b", "a", "y")),
        Verdict.NON_CONFORMANT,
        "4 must clauses broken: z, b, a, …",
    ),
    Case(
        tuple(result(name, Status.FAIL) for name in ("z", "b", "lifecycle.survives-malformed", "y")),
        Verdict.NON_CONFORMANT,
        "a malformed request crashed the server; 4 must clauses broken: lifecycle.survives-malformed, z, b, …",
    ),
    Case(
        (result("a", Status.FAIL), result("b", Status.ERROR), result("c", Status.NOT_EXERCISED, core=True)),
        Verdict.NON_CONFORMANT,
        "1 must clause broken: a",
    ),
    Case((*PASSED, result("b", Status.ERROR)), Verdict.INCONCLUSIVE, "the suite itself failed in b"),
    Case(
        (*PASSED, result("b", Status.NOT_EXERCISED, core=True)),
        Verdict.INCONCLUSIVE,
        "1 core clause not checked: b",
    ),
    Case((*PASSED, result("b", Status.NOT_EXERCISED)), Verdict.CONFORMANT, "no must clause broken, 1 clause checked"),
    Case((), Verdict.INCONCLUSIVE, "no clause was checked"),
    Case((result("b", Status.NOT_EXERCISED),), Verdict.INCONCLUSIVE, "no clause was checked"),
    Case((result("b", Status.NOT_APPLICABLE),), Verdict.INCONCLUSIVE, "no clause was checked"),
    Case((result("b", Status.WAIVED, level="should"),), Verdict.CONFORMANT, "no must clause broken, 1 clause checked"),
]


@pytest.mark.parametrize("case", CASES)
def test_the_statuses_decide_the_verdict(case: Case) -> None:
    assert decided(case.results, [get()]) == (case.verdict, case.reason)


def test_clauses_are_counted_by_status() -> None:
    statuses = [status for number, status in enumerate(Status, 1) for _ in range(number)]
    counts = count(result("a", status) for status in statuses)
    found = (counts.passed, counts.fail, counts.warn, counts.not_exercised, counts.not_applicable, counts.waived)
    assert (*found, counts.error) == (1, 2, 3, 4, 5, 6, 7)
    assert (counts.exercised, counts.total) == (1 + 2 + 3 + 6, 28)


def test_a_list_of_clauses_names_three() -> None:
    assert in_words(["a"], "core", "broken") == "1 core clause broken: a"
    assert in_words(["a", "b", "c"], "core", "broken") == "3 core clauses broken: a, b, c"
    assert in_words(["a", "b", "c", "d"], "must", "broken") == "4 must clauses broken: a, b, c, …"


# --- by the responses -------------------------------------------------------------------------------------------------

UNSEEN = (*PASSED, result("item.b", Status.NOT_EXERCISED, core=True))
ALSO_UNSEEN = (*UNSEEN, result("status.c", Status.NOT_EXERCISED, core=True))
ALWAYS_EMPTY = "the queue was always empty, so no job could be checked"


@pytest.mark.parametrize(
    ("results", "answers", "recorded", "reason"),
    [
        (UNSEEN, [get(EMPTY), get(EMPTY)], False, f"{ALWAYS_EMPTY} (see --wait-for-items and --populate)"),
        (UNSEEN, [get(EMPTY)], True, ALWAYS_EMPTY),
        (UNSEEN, [get(EMPTY), get(JOB)], False, "1 core clause not checked: item.b"),
        (ALSO_UNSEEN, [get(EMPTY)], False, "2 core clauses not checked: item.b, status.c"),
    ],
)
def test_an_empty_queue_is_the_reason_only_if_nothing_else_is_missing(
    results: tuple[ClauseResult, ...], answers: list[Answer], reason: str, *, recorded: bool
) -> None:
    assert decided(results, answers, recorded=recorded) == (Verdict.INCONCLUSIVE, reason)


NOT_RECORDED = NoResponse.NOT_RECORDED
INCOMPLETE = "GETs of the queue"


@pytest.mark.parametrize(
    ("answers", "unanswered", "reason"),
    [
        ([get()], [lost()], f"1 of 2 {INCOMPLETE} got no complete response (gone)"),
        ([get(), get()], [lost(), lost(detail="later")], f"2 of 4 {INCOMPLETE} got no complete response (gone)"),
        ([get()], [lost(NOT_RECORDED, "cut")], f"1 of 2 {INCOMPLETE} was not recorded completely (cut)"),
        ([get()], [lost(NOT_RECORDED, "cut"), lost()], f"2 of 3 {INCOMPLETE} were not recorded completely (cut)"),
        ([get()], [lost(), lost(NOT_RECORDED)], f"2 of 3 {INCOMPLETE} got no complete response (gone)"),
        ([get(b"", 404)], [lost()], f"1 of 2 {INCOMPLETE} got no complete response (gone)"),
        ([get()], [lost(detail="a\nb")], f"1 of 2 {INCOMPLETE} got no complete response (a\\u000ab)"),
        ([get(b"[" * 3_000)], [], "1 of 1 responses are nested 3,000 levels deep and were not parsed"),
        (
            [get(b"[" * 3_000), get(), get(b"[" * 4_000)],
            [],
            "2 of 3 responses are nested 3,000 levels deep and were not parsed",
        ),
        (
            [get(), unread(), unread("the rest")],
            [],
            "2 of 3 responses were not checked completely: no clause checked the jobs from /queue_pending/5",
        ),
    ],
)
def test_a_response_that_was_not_read_completely_leaves_the_run_inconclusive(
    answers: list[Answer], unanswered: list[Exchange], reason: str
) -> None:
    assert decided(PASSED, answers, unanswered) == (Verdict.INCONCLUSIVE, reason)


@pytest.mark.parametrize(
    ("answers", "unanswered"),
    [
        ([get()], [lost(superseded=True)]),
        ([get()], [lost(method="HEAD")]),
        ([get(), get(b"{")], []),
    ],
)
def test_other_requests_do_not_leave_the_run_inconclusive(answers: list[Answer], unanswered: list[Exchange]) -> None:
    assert decided(PASSED, answers, unanswered)[0] is Verdict.CONFORMANT


def test_a_response_that_cannot_be_decoded_leaves_the_run_inconclusive() -> None:
    answer = get()
    response = Response(200, (), JOB, coding_error="not gzip")
    coded = Answer(Exchange("x", answer.request, response), response, Reading(JOB))
    reason = "1 of 2 responses could not be decoded as their Content-Encoding says"
    assert decided(PASSED, [answer, coded]) == (Verdict.INCONCLUSIVE, reason)


def test_the_first_of_several_reasons_is_given() -> None:
    error = result("b", Status.ERROR)
    assert decided([*UNSEEN, error], [get()], [lost()])[1] == "the suite itself failed in b"
    assert decided(UNSEEN, [get(), unread()], [lost()])[1].startswith("1 of 3 GETs of the queue got no complete")
    assert decided(UNSEEN, [get(), unread()])[1].startswith("1 of 2 responses were not checked")


# --- no queue at all --------------------------------------------------------------------------------------------------

TRY_LATER = "the service is not available: try again later"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([get(b"", 503)], f"every GET of the queue gets a 503; {TRY_LATER}"),
        (
            [get(b"", 503, (("WWW-Authenticate", "Basic"),)), get(b"", 404), get(b"", 503)],
            f"every GET of the queue gets a 503; {TRY_LATER}",
        ),
        (
            [get(b"", 404, (("CF-Mitigated", "challenge"),)), get(b"", 503), get(b"", 503)],
            f"every GET of the queue gets a 503; {TRY_LATER}",
        ),
        (
            [get(b"", 404), get(b"", 401, (("WWW-Authenticate", "Digest"),)), get(b"", 401)],
            (
                "every GET of the queue gets a 401; the server needs a login that the suite does not know"
                " (see WWW-Authenticate): put its value into an environment variable and send it"
                " with --header Authorization=VARIABLE"
            ),
        ),
        (
            [get(b"", 401, (("WWW-Authenticate", "Bearer"),), request=(*ACCEPT, ("AUTHORIZATION", "x")))],
            "every GET of the queue gets a 401; the server refused the given value of Authorization: check it",
        ),
        (
            [get(b"", 503, method="HEAD"), get(b"", 502)],
            "every GET of the queue gets a 502; a gateway gets no response",
        ),
        ([get(b"", 404), get(b"", 404), get(b"", 503)], "1 core clause not checked: item.b"),
        ([get(b"", 503), get()], "1 core clause not checked: item.b"),
    ],
)
def test_a_refusal_or_try_later_is_the_reason_if_most_gets_receive_it(answers: list[Answer], reason: str) -> None:
    assert decided(UNSEEN, answers)[1].startswith(reason)


def advised(problem: Exchange, *others: Exchange, recorded: bool = False) -> str:
    verdict, reason = decided(PASSED, (), [problem, *others], recorded=recorded)
    assert verdict is Verdict.INCONCLUSIVE
    return reason


BROKEN = NoResponse.BROKEN
RUNNING = "check that the server is running, and that address and port are right"
CUT = "; check whether a proxy or a time limit cuts the response off"
HEADER = "; one of its header lines is not valid"
NO_HTTP = "; check that the server speaks HTTP on this port, and not only HTTPS"


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            lost(NoResponse.UNREACHABLE, "refused"),
            f"the target cannot be reached: refused; {RUNNING}",
        ),
        (
            lost(NoResponse.UNREACHABLE, "the name cannot be resolved: no such host"),
            (
                "the target cannot be reached: the name cannot be resolved: no such host;"
                " is the host name spelled right, and does this machine know it?"
            ),
        ),
        (
            lost(NoResponse.TIMEOUT, "5 s"),
            "the target did not respond in time: 5 s; try again, or give the server more time with --exchange-timeout",
        ),
        (
            lost(NoResponse.TIMEOUT, "the name cannot be resolved"),
            (
                "the target did not respond in time: the name cannot be resolved;"
                " try again, or give the server more time with --exchange-timeout"
            ),
        ),
        (lost(NoResponse.TOO_LARGE, "9 MB"), "the response is too large: 9 MB; allow more with --max-body"),
        (lost(BROKEN, "gone"), f"the target broke off its response: gone{NO_HTTP}"),
        (lost(BROKEN, "gone", begun=True), f"the target broke off its response: gone{CUT}"),
        (lost(BROKEN, "bad header line", begun=True), f"the target broke off its response: bad header line{HEADER}"),
        (lost(BROKEN, "bad header name", begun=True), f"the target broke off its response: bad header name{HEADER}"),
        (lost(BROKEN, "no status line", begun=True), f"the target broke off its response: no status line{NO_HTTP}"),
        (
            lost(NoResponse.TIMEOUT, "cut", begun=True),
            "the target did not respond in time: cut; try again, or give the server more time with --exchange-timeout",
        ),
        (lost(BROKEN, "TLS: bad certificate"), "the target broke off its response: TLS: bad certificate"),
        (lost(BROKEN, "no response in HTTP/1.1: SSH"), "no response in HTTP/1.1: SSH"),
        (lost(BROKEN, "a\nb"), f"the target broke off its response: a\\u000ab{NO_HTTP}"),
    ],
)
def test_a_lost_response_comes_with_advice(problem: Exchange, reason: str) -> None:
    assert advised(problem) == reason


def test_the_first_lost_response_is_explained_unless_another_one_shows_another_protocol() -> None:
    first, other = lost(NoResponse.TOO_LARGE, "9 MB"), lost(BROKEN, "no response in HTTP/1.1: SSH")
    assert advised(first, lost()).startswith("the response is too large: 9 MB")
    assert advised(first, other) == "no response in HTTP/1.1: SSH"
    assert advised(lost(superseded=True), first).startswith("the response is too large: 9 MB")


def test_a_long_detail_is_cut() -> None:
    assert advised(lost(detail="x" * 1_000)).endswith(f" response: {'x' * 300}… (1,000 characters){NO_HTTP}")


def test_advice_about_a_recording_is_about_the_recording() -> None:
    again = "docs/recordings.md says how to record whole responses"
    assert advised(lost(), recorded=True) == f"the recording has no complete response: gone; {again}"
    assert advised(lost(NOT_RECORDED, "cut"), recorded=True) == f"cut; {again}"
    assert advised(lost(NOT_RECORDED, "cut")) == f"the recording is incomplete: cut; {again}"


# --- a server that stops sending the queue ----------------------------------------------------------------------------

ERROR, LIMITED = get(b"", 500), get(b"", 429)
LATER = get(b"", 500, (("Retry-After", "1"),))
NOW_AND_LATER = get(headers=(("Retry-After", "1"),))
UNUSUAL = get(b"", 500, request=())
SLOWER = "got a 429 (send requests more slowly with --rate-limit)"


def only(good: int, of: int) -> str:
    return f"only {good} of {of} normal GETs of the queue got a 200"


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([get()], None),
        ([get(), get(), ERROR, ERROR], f"{only(2, 4)}, and none at the end"),
        ([get(), get(), ERROR, get(), ERROR], None),
        ([get(), ERROR], None),
        ([ERROR, ERROR, get()], only(1, 3)),
        ([ERROR, get()], None),
        ([ERROR, ERROR, get(), get()], None),
        ([ERROR, ERROR, ERROR, ERROR, get(), get(), get()], only(3, 7)),
        ([ERROR, ERROR, get(), ERROR, ERROR], f"{only(1, 5)}, and none at the end"),
        ([ERROR] * 4, None),
        ([get(b"", 199), get(b"", 199), get()], only(1, 3)),
        ([*[get(b"", 199, (("Retry-After", "1"),))] * 3, get()], None),
        ([get(), get(b"", 199), get(b"", 199)], f"{only(1, 3)}, and none at the end"),
        ([NOW_AND_LATER, NOW_AND_LATER, ERROR, ERROR], f"{only(2, 4)}, and none at the end"),
        ([NOW_AND_LATER, NOW_AND_LATER, ERROR], None),
        ([get(), LIMITED, LIMITED], f"{only(1, 3)}, and none at the end; 2 {SLOWER}"),
        ([LIMITED, LIMITED, LIMITED, get()], None),
        ([LATER, LATER, LATER, get()], None),
        ([get(), LATER, LATER], f"{only(1, 3)}, and none at the end"),
        ([get(), ERROR, ERROR, LIMITED], f"{only(1, 4)}, and none at the end; 1 {SLOWER}"),
        ([UNUSUAL, UNUSUAL, UNUSUAL, get()], None),
        ([get(), UNUSUAL, UNUSUAL], None),
    ],
)
def test_too_few_responses_with_the_queue_leave_the_run_inconclusive(answers: list[Answer], reason: str | None) -> None:
    verdict, found = decided(PASSED, answers)
    if reason is None:
        assert verdict is Verdict.CONFORMANT
    else:
        assert (verdict, found) == (Verdict.INCONCLUSIVE, reason)
