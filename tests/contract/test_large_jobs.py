"""The jobs of a large body: where its lists are cut, which jobs are parsed, and what is kept of them."""

from __future__ import annotations

from typing import Final

import pytest

from conformance.contract.reading import large_jobs
from conformance.contract.reading.body import Reading
from conformance.contract.reading.known_jobs import KnownJobs, Shared
from conformance.contract.reading.large import LargeReading
from conformance.contract.reading.large_jobs import LargeJobs
from conformance.contract.terms import Demand, Dialect, FastPath
from conformance.text.large_json import Checker, NotRead
from helpers.queue_bodies import body, job, oss
from helpers.windows import make_windows_small

RUNNING, PENDING = "queue_running", "queue_pending"
CLOUD, OSS = Demand.of(Dialect.CLOUD), Demand.of(Dialect.OSS)
START: Final = 1763913600000
PAD: Final = b'{"9":{"class_type":"S","inputs":{"a":"%b"}}}' % (b"x" * 2400)
"""With this workflow, a small window has three jobs."""
LINKED: Final = PAD.replace(b'"a":', b'"b":["9",0],"a":')
GIANT: Final = b'{"9":{"class_type":"S","inputs":{"a":"%b"}}}' % (b"x" * 20_000)


@pytest.fixture
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    make_windows_small(monkeypatch)


def nth(at: int, graph: bytes = PAD, more: bytes = b"", **changes: bytes) -> bytes:
    """Return a job that follows the ones with lower numbers."""
    usual = {"number": b"%d" % at, "name": named(at), "data": b'{"create_time":%d%b}' % (START + at, more)}
    return job(graph=graph.replace(b'"S"', b'"S%d"' % at), **{**usual, **changes})


def named(at: int) -> bytes:
    return b'"%08d-8a4d-4c55-9a6e-0d1f2b3c4d5e"' % at


def wrong(at: int, **changes: bytes) -> bytes:
    """Return a job that the clauses must check."""
    return nth(at, outputs=b"[]", **changes)


class Lists:
    """The jobs of lists that are read, and the number of times that a piece of a list was inspected."""

    def __init__(self, demand: Demand = CLOUD, *, must_only: bool = False, **lists: bytes) -> None:
        self.pulses = 0
        content = b" " * 5000 + b"".join(lists.values())
        self.checker = Checker(content)
        self.jobs = LargeJobs(content, demand, must_only=must_only, shared=Shared(None, self._pulse))
        at = 5000
        for name, text in lists.items():
            assert self.jobs.read(name, at, self.checker) == at + len(text)
            at += len(text)

    def _pulse(self) -> None:
        self.pulses += 1

    @property
    def places(self) -> list[str]:
        return [item.pointer for item in self.jobs.items()]


def listed(*texts: bytes, between: bytes = b",") -> bytes:
    return b"[%b]" % between.join(texts)


def pending(*texts: bytes, between: bytes = b",", demand: Demand = CLOUD) -> Lists:
    return Lists(demand, queue_pending=listed(*texts, between=between))


# --- where a list is cut ----------------------------------------------------------------------------------------------

THOUSAND: Final = PAD.replace(b"x" * 1600, b"")


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("between", [b",", b", "])
@pytest.mark.parametrize("demand", [CLOUD, OSS], ids=["cloud", "oss"])
def test_a_list_is_cut_after_the_last_job_that_fits(demand: Demand, between: bytes) -> None:
    order = job if demand is CLOUD else oss
    jobs = [order(b"%d" % at, named(at), THOUSAND) for at in range(1, 65)]
    found = pending(*jobs, between=between, demand=demand)
    assert (found.jobs.size, found.pulses) == (64, 9)
    assert not found.jobs.remaining


@pytest.mark.usefixtures("_small")
def test_after_wrong_guesses_a_list_is_cut_where_its_jobs_end(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = b'{"9":{"class_type":"S","inputs":{"a":[%b]}}}' % b",".join([b'[{"aaaaaaaaaa":1}]'] * 150)
    jobs = [nth(at, graph) for at in range(1, 61)]
    found = pending(*jobs)
    monkeypatch.setattr(large_jobs, "GUESSES", 0)
    scanned = pending(*jobs)
    assert (found.jobs.size, found.places) == (60, scanned.places)
    assert found.pulses == scanned.pulses + 8


@pytest.mark.parametrize(("count", "before", "kept"), [(601, 0, 601), (602, 1091, 1), (602, 1092, 602)])
def test_jobs_with_more_than_600_commas_in_4_kib_are_counted_by_their_text(count: int, before: int, kept: int) -> None:
    found = pending(b" " * before + b"[[]]", *[b"[[]]"] * (count - 1))
    assert (found.jobs.size, len(found.places)) == (count, kept)


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("graph", [PAD, GIANT], ids=["windows", "giant"])
@pytest.mark.parametrize(("end", "at"), [(b",]", 1), (b",,7]", 1), (b" 7]", 1), (b"}", 0)])
def test_a_list_that_is_not_json_is_refused(graph: bytes, end: bytes, at: int) -> None:
    text = listed(*[nth(at, graph) for at in range(1, 6)])[:-1]
    with pytest.raises(NotRead) as refused:
        Lists(queue_pending=text + end)
    assert f"(character {5000 + len(text) + at})" in (refused.value.malformed or "")


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("text", [b"[,1]", b"[%b,1]" % (b" " * 20_000)], ids=["short", "long"])
def test_a_list_that_begins_with_a_comma_is_refused(text: bytes) -> None:
    with pytest.raises(NotRead):
        Lists(queue_pending=text)


@pytest.mark.parametrize(
    ("text", "depth"),
    [(b"[]", 2), (b"[ ]", 2), (b"[[]]", 3), (b"[[[]]]", 4), (b"[NaN]", 2), (b"[[NaN]]", 3), (b"[[[NaN]]]", 4)],
)
def test_the_nesting_of_a_list_counts_from_the_body(text: bytes, depth: int) -> None:
    assert Lists(queue_pending=text).checker.depth == depth


# --- which jobs are parsed --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_small")
def test_only_windows_with_a_job_that_is_not_verified_are_inspected_again() -> None:
    found = pending(*[nth(at) for at in range(1, 9)], wrong(9), *[nth(at) for at in range(10, 16)])
    before = found.pulses
    (part,) = found.jobs.parts()
    assert [item.pointer for item in part.items] == ["/queue_pending/8"]
    sound = pending(*[nth(at) for at in range(1, 16)])
    assert (sound.pulses, before, found.pulses) == (6, 7, 8)
    assert (list(sound.jobs.parts()), sound.pulses) == ([], 6)
    assert (sound.jobs.remaining, found.jobs.remaining) == (False, True)


@pytest.mark.usefixtures("_small")
def test_jobs_after_a_bound_are_only_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert large_jobs.ASKED == 50_000
    monkeypatch.setattr(large_jobs, "ASKED", 2)
    found = pending(
        nth(1, GIANT),  # alone in a window
        *(nth(at) for at in (2, 3)),
        wrong(4),
        *(nth(at) for at in (5, 6)),
        wrong(7),
        *(nth(at) for at in (8, 9)),
        wrong(10),
        nth(11),
        *(wrong(at) for at in (12, 13)),
    )
    parsed = [item.pointer for part in found.jobs.parts() for item in part.items]
    assert parsed == [f"/queue_pending/{at}" for at in (0, 3, 6)]
    assert found.jobs.unread == "3 of 13 jobs, which come after 2 other unusual jobs"
    both = Lists(
        queue_running=listed(*[wrong(at) for at in range(1, 7)]), queue_pending=listed(*[wrong(at) for at in (7, 8)])
    )
    assert both.jobs.unread == "5 of 8 jobs, which come after 2 other unusual jobs"


@pytest.mark.usefixtures("_small")
def test_a_small_element_that_is_repeated_is_parsed_twice_and_stands_for_all() -> None:
    found = pending(*[b"[0]"] * 700, *[b"[1]"] * 2, b"[2]", *[b"[3]"] * 5)
    *parsed, again = found.jobs.parts()
    assert [item.pointer for part in parsed for item in part.items] == [
        f"/queue_pending/{at}" for at in (0, 700, 702, 703)
    ]
    assert [(item.pointer, again.weight(item.pointer)) for item in again.items] == [
        ("/queue_pending/699", 699),
        ("/queue_pending/701", 1),
        ("/queue_pending/707", 4),
    ]


def test_repeated_elements_are_parsed_in_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_jobs, "GROUP", 3)
    found = pending(*[b"[%d]" % at for at in range(7)] * 100)
    groups = [[item.pointer for item in part.items] for part in found.jobs.parts()][1:]
    assert groups == [[f"/queue_pending/{693 + at}" for at in group] for group in ((0, 1, 2), (3, 4, 5), (6,))]


@pytest.mark.usefixtures("_small")
def test_the_clauses_read_how_many_jobs_are_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_jobs, "RUN", 3 << 20)  # only for the text
    monkeypatch.setattr(large_jobs, "GUESSES", 0)
    secret = b',"more":{"a":"%b","api_key":"abc123def456"}' % (b"x" * 20_000)
    found = Lists(
        queue_running=listed(nth(1, more=secret)),
        queue_pending=listed(nth(2, GIANT), *[nth(at, more=secret) for at in (3, 4)]),
    )
    assert found.jobs.unread == "parts of 3 of 4 jobs, which are larger than 3 MiB"
    assert pending(nth(1, GIANT)).jobs.unread is None


def test_ids_that_are_not_compared_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.large_compared.COMPARED", 2)
    assert pending(*map(nth, range(1, 4))).jobs.unread == "whether 1 of 3 jobs have distinct ids"


# --- what is kept of a list -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_small")
def test_the_order_is_that_of_the_first_job_that_shows_one() -> None:
    shown = [
        pending(b"7", b"[1]", *jobs).jobs.order
        for jobs in (
            [nth(1), wrong(2), nth(3), nth(4)],
            [wrong(1), nth(2), wrong(3)],
            [b"[0]", wrong(1), wrong(2), nth(3)],
            [b"[0]", wrong(1), *map(nth, range(2, 9)), wrong(9)],
        )
    ]
    assert shown == [(Dialect.CLOUD, f"/queue_pending/{at}") for at in (2, 2, 3, 3)]
    assert pending(b"7", b"[1]").jobs.order is None
    both = Lists(queue_pending=listed(nth(1)), queue_running=listed(b"7", nth(2)))
    assert both.jobs.order == (Dialect.CLOUD, "/queue_running/1")


@pytest.mark.usefixtures("_small")
def test_the_latest_time_is_that_of_any_job() -> None:
    early, late = [nth(at) for at in range(1, 9)], nth(9)
    for jobs in (
        [late, *early],
        [*early, late],
        [*early, wrong(9)],
        [wrong(9), *early],
        [wrong(1), wrong(9), wrong(2)],
    ):
        assert pending(*jobs).jobs.latest == START + 9
    assert Lists(queue_running=listed(late), queue_pending=listed(*early, b"7")).jobs.latest == START + 9
    assert Lists(queue_running=b"[]", queue_pending=listed(*early)).jobs.latest == START + 8
    assert (pending().jobs.latest, pending(b"7").jobs.latest) == (None, None)


@pytest.mark.usefixtures("_small")
def test_clauses_about_links_apply_if_any_job_has_links() -> None:
    sound = [nth(at) for at in range(2, 9)]
    for jobs in ([nth(1, LINKED), *sound], [*sound, nth(9, LINKED)]):
        assert FastPath.LINKS in pending(*jobs).jobs.exercised
    assert pending(*sound).jobs.exercised == {
        FastPath.EACH_JOB,
        FastPath.OUTPUT_NODE_IDS,
        FastPath.GRAPHS,
        FastPath.GRAPHS_WITH_OUTPUTS,
    }
    assert pending(wrong(1)).jobs.exercised == frozenset()


@pytest.mark.parametrize(("asked", "applies"), [(0, True), (-1, False)])
def test_clauses_about_links_apply_to_jobs_that_are_parsed(
    asked: int, *, applies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_jobs, "ASKED", asked)
    assert (FastPath.LINKS in pending(wrong(1, graph=LINKED)).jobs.exercised) is applies


def test_the_lists_that_are_not_empty_are_named() -> None:
    found = Lists(queue_running=b"[]", queue_pending=b"[7]").jobs
    assert (found.filled, found.size) == (frozenset({PENDING}), 1)
    found.drop(PENDING)
    assert (found.filled, found.size, found.order) == (frozenset(), 0, None)


# --- comparing jobs ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("_small")
def test_jobs_with_the_same_id_are_found_in_both_lists() -> None:
    found = Lists(
        queue_running=listed(nth(1), nth(2)),
        queue_pending=listed(*map(nth, range(3, 9)), wrong(9, name=named(1)), b'["x",7]', nth(10)),
    ).jobs
    places = [item.pointer for item in found.disagreeing(FastPath.DISTINCT_IDS)]
    assert places == ["/queue_running/0", "/queue_pending/6"]
    assert found.compared.broken == {FastPath.DISTINCT_IDS}


@pytest.mark.usefixtures("_small")
def test_pending_jobs_with_the_same_number_are_found() -> None:
    found = Lists(
        queue_running=listed(nth(4)), queue_pending=listed(*map(nth, range(3, 9)), wrong(9, number=b"4"), b"[]")
    ).jobs
    places = [item.pointer for item in found.disagreeing(FastPath.DISTINCT_NUMBERS)]
    assert places == ["/queue_pending/1", "/queue_pending/6"]


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize(
    ("neighbours", "first", "last"),
    [(0, 6, 8), (2, 6, 11), (3, 3, 11), (4, 3, 13), (5, 3, 13), (6, 0, 14), (9, 0, 14)],
)
def test_the_jobs_around_the_first_one_out_of_order_are_compared(
    neighbours: int, first: int, last: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert large_jobs.NEIGHBOURS == 10_000
    monkeypatch.setattr(large_jobs, "NEIGHBOURS", neighbours)
    numbers = [*range(1, 9), 1, *range(10, 16)]  # The windows begin at the indexes 0, 3, 6, 9, 12 and 14.
    found = Lists(
        queue_running=listed(nth(1)),
        queue_pending=listed(*[nth(at, number=b"%d" % number) for at, number in enumerate(numbers, 2)]),
    ).jobs
    places = [item.pointer for item in found.disagreeing(FastPath.RISING_NUMBERS)]
    assert places == [f"/queue_pending/{at}" for at in range(first, last + 1)]


@pytest.mark.usefixtures("_small")
def test_jobs_that_are_parsed_come_in_the_order_of_the_list() -> None:
    found = pending(nth(2, GIANT), wrong(1), nth(3), wrong(4), nth(5), nth(6))
    assert found.places == [f"/queue_pending/{at}" for at in range(6)]
    assert found.jobs.compared.falls_at(FastPath.RISING_NUMBERS) == 1
    rising = pending(wrong(1), nth(2), wrong(3), nth(4))
    assert rising.jobs.compared.broken == frozenset()


@pytest.mark.usefixtures("_small")
def test_the_jobs_of_several_windows_are_compared_with_other_responses() -> None:
    jobs = [
        *map(nth, range(1, 6)),
        wrong(6),
        wrong(7),
        nth(8),
        b"[1]",
        wrong(9, graph=LINKED),
        nth(10, LINKED),
        wrong(11),
    ]
    content = body(*jobs[2:], running=tuple(jobs[:2]))
    one, other = (kind(content, CLOUD, shared=Shared(KnownJobs())).summary for kind in (LargeReading, Reading))
    assert len(list(other.observations)) == 11
    assert one.observations == other.observations


@pytest.mark.usefixtures("_small")
def test_the_text_of_a_job_is_found_in_any_window() -> None:
    jobs = [nth(at) for at in range(1, 10)]
    found = [pending(*jobs).jobs.text_at(f"/queue_pending/{at}/3/0") for at in range(9)]
    assert found == [(b'{"queue_pending":[%b]}' % each, "/queue_pending/0/3/0") for each in jobs]
