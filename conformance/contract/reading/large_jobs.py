"""The jobs of a large body.

Its lists are inspected in pieces (windows), each with some consecutive jobs. Only jobs that cannot be verified are
parsed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from operator import itemgetter
from typing import Any, Final

from conformance.contract.reading.body import LISTS, Item, plausible_create_times
from conformance.contract.reading.fast_job import InspectedJob
from conformance.contract.reading.fast_proof import ItemWithoutWorkflow
from conformance.contract.reading.fast_split import AS_TEXTS
from conformance.contract.reading.known_jobs import ALONE, Roll, Shared
from conformance.contract.reading.large_compared import Compared, ComparedJob
from conformance.contract.reading.large_job import reduced
from conformance.contract.reading.large_listed import (
    LargeList,
    ReadBytes,
    Window,
    exercised_by,
    hashes_of,
    index_of,
    piece_of,
    place_of,
    text_again,
)
from conformance.contract.reading.large_part import LargePart
from conformance.contract.reading.large_recalled import facts_of, without_texts
from conformance.contract.reading.large_windows import GROUP, Windows
from conformance.contract.terms import Demand, Dialect, FastPath
from conformance.text.json_runs import RUN, JsonRun, runs, skip_space
from conformance.text.large_json import Checker, shift_by

ASKED: Final = 50_000
"""Maximum number of jobs for the clauses to check because the fast path could not verify them. Others are only counted.
"""
NEIGHBOURS: Final = 10_000
"""For a finding about the order, so many jobs before the first job out of order are parsed, and as many after it."""
DENSE: Final = 600
"""If the first 4 KiB of a group of jobs have more commas than this, the jobs are too small to be valid."""
GUESSES: Final = 8
"""The number of wrong guesses at the boundary between two jobs after which guessing stops."""
_JOB: Final = re.compile(r"/([^/]+)/([0-9]+)((?:/.*)?)", re.DOTALL)
"""Matches the pointer of a job or of a value in it: the name of the list, the index of the job, and the rest."""
_LIKELY: Final = (b"}],[", b"}], [", b"]],[", b"]], [")
"""The bytes between two jobs if the first ends with metadata, and if it ends with output node ids."""


class LargeJobs:
    """The jobs of the two lists of a large body.

    The function ``pulse`` of the argument ``shared`` is called for each group of jobs. If it raises, the reading ends.
    """

    def __init__(
        self,
        content: bytes,
        demand: Demand,
        *,
        must_only: bool,
        source: ReadBytes | None = None,
        shared: Shared = ALONE,
    ) -> None:
        self._content, self.demand, self._shared = content, demand, shared
        self._windows = Windows(content, demand, must_only=must_only, shared=shared)
        self.roll = None if shared.known is None else Roll(shared.known)
        self._source = source or partial(piece_of, content)
        self._lists: dict[str, LargeList] = {}
        self._unproven = 0
        self._sign = _LIKELY[0]
        self.compared = Compared()

    # --- the pass over the lists --------------------------------------------------------------

    def drop(self, name: str) -> None:
        """Forget a list, because another member with the same name follows."""
        self._lists.pop(name, None)
        self.compared.drop(name)
        if self.roll is not None:
            self.roll.drop(name)

    def read(self, name: str, at: int, checker: Checker) -> int:
        """Inspect the list that begins at an offset, and return the offset of its end."""
        self.drop(name)
        listed = self._lists[name] = LargeList()
        checker.depth = max(checker.depth, 2)
        start, guesses = at + 1, GUESSES
        while True:
            cut = self._likely(start) if guesses else None
            if cut is not None:
                window = Window(listed.size, 0, start, cut)
                found = self._inspect(name, listed, window)
                if found is None:
                    guesses -= 1
                else:
                    self._take(name, listed, window, found, checker)
                    start = cut + 1
                    continue
            run = next(runs(self._content, start - 1, opening=b"["))
            if run.giant:
                start = self._giant(name, listed, run, checker)
            else:
                self._run(name, listed, run, checker)
                start = run.end
            if self._content.startswith(b"]", start):
                return start + 1
            if not self._content.startswith(b",", start):
                raise checker.malformed(start, "Expecting ',' delimiter")
            start += 1

    def _likely(self, start: int) -> int | None:
        """Return an offset that is probably a boundary between two jobs, or None.

        Decoding the text up to it shows if it is one.
        """
        if self._is_dense(start):
            return None
        # The last sign found goes first: a search that fails reads all bytes.
        for sign in (self._sign, *_LIKELY):
            cut = self._content.rfind(sign, start, start + RUN)
            if cut > start:
                self._sign = sign
                return cut + 2
        return None

    def _is_dense(self, start: int) -> bool:
        return self._content.count(b",", start, start + 4096) > DENSE

    def _run(self, name: str, listed: LargeList, run: JsonRun, checker: Checker) -> None:
        text = self._content[run.start : run.end]
        if not text.strip():
            if run.last and not listed.size:
                return
            raise checker.malformed(skip_space(self._content, run.start))
        window = Window(listed.size, 0, run.start, run.end, dense=self._is_dense(run.start))
        found = self._inspect(name, listed, window)
        if found is not None:
            self._take(name, listed, window, found, checker)
            return
        value = checker.part(b"[%b]" % text, run.start, shift_by(f"/{name}", listed.size), 1)
        window.count, window.flawed = len(value), True
        self._add_whole(name, listed, window, len(value))

    def _giant(self, name: str, listed: LargeList, run: JsonRun, checker: Checker) -> int:
        at = skip_space(self._content, run.start)
        found, end = reduced(self._content, at, checker, f"/{name}/{listed.size}")
        listed.partly += found.partly
        self._add_whole(name, listed, Window(listed.size, 1, at, end, giant=found), 1)
        return skip_space(self._content, end)

    def _take(
        self, name: str, listed: LargeList, window: Window, jobs: Sequence[InspectedJob], checker: Checker
    ) -> None:
        """Add the inspected jobs of a window (consecutive jobs of a list) to the facts about the list."""
        window.count = max(window.count, len(jobs))
        listed.linked = listed.linked or any(job.inspection.linked for job in jobs)
        proven = [job for job in jobs if job.inspection.remaining is None]
        if proven and listed.order is None:
            listed.order, listed.order_at = (self.demand.read_as, proven[0].pointer), proven[0].place
        listed.shapes.update([(bool(found.outputs), found.graph) for _, _, found in proven])
        listed.latest = _latest(listed.latest, *[found.create_time for _, _, found in proven])
        entries: list[ComparedJob] = [(at, found.prompt_id, found.number, found.create_time) for _, at, found in proven]
        unproven = len(jobs) - len(proven)
        entries += self._add(name, listed, window, unproven, checker)
        if self.roll is not None and self.roll.complete:
            self._list(self.roll, name, window, jobs)
        self.compared.add(name, sorted(entries, key=itemgetter(0)))

    def _add_whole(self, name: str, listed: LargeList, window: Window, unproven: int) -> None:
        """Add a window (consecutive jobs of a list) to the facts about the list. None of its jobs was verified."""
        self.compared.add(name, self._add(name, listed, window, unproven))

    def _add(
        self, name: str, listed: LargeList, window: Window, unproven: int, checker: Checker | None = None
    ) -> list[ComparedJob]:
        """Add a window (consecutive jobs) to a list.

        Return the values to compare of those jobs that were not verified.
        """
        entries: list[ComparedJob] = []
        listed.windows.append(window)
        listed.size += window.count
        self._unproven += unproven
        window.ask = unproven > 0 and self._unproven - unproven <= ASKED
        if not window.ask:
            listed.unasked += unproven
            return entries
        for part in self._windows.parts(name, listed, window):
            if checker is not None:
                checker.take(part.document, window.start, part.moved)
            entries += self._note(listed, window, part)
        return entries

    def _note(self, listed: LargeList, window: Window, part: LargePart) -> list[ComparedJob]:
        """Update the facts about a list by some of its jobs, and return the values of these jobs that are compared."""
        entries: list[ComparedJob] = []
        for item in part.items:
            at = index_of(item.pointer)
            if self.roll is not None and item.prompt_id is not None:
                texts = part.sent.get(at)
                seen = item.observation(texts)
                if texts is not None:
                    seen = without_texts(
                        seen, texts, partial(text_again, self._source, self._shared, window), at - window.first
                    )
                self.roll.note(item.prompt_id, seen)
            if item.order is not None and at < listed.order_at:
                listed.order, listed.order_at = (item.order, item.pointer), at
            time = None if item.create_time is None else item.create_time.value
            number = item.elements[0] if item.elements else None
            entries.append((at, item.prompt_id, number, time))
        listed.latest = _latest(listed.latest, *[found.value for found in plausible_create_times(part)])
        return entries

    def _inspect(self, name: str, listed: LargeList, window: Window) -> list[InspectedJob] | None:
        """Inspect the jobs of a window. None if its text is not strict JSON."""
        return self._windows.inspect(name, listed, window, only_counted=self._unproven > ASKED)

    # --- results --------------------------------------------------------------------------------

    @property
    def remaining(self) -> bool:
        """Whether there is a job that was not verified."""
        return bool(self._unproven)

    def _in_order(self) -> list[tuple[str, LargeList]]:
        return [(name, self._lists[name]) for name in LISTS if name in self._lists]

    def parts(self) -> Iterator[LargePart]:
        """Yield the jobs that the clauses must check, and at the end one example of each small job that is repeated."""
        for name, listed in self._in_order():
            for window in listed.windows:
                if window.ask:
                    yield from self._windows.parts(name, listed, window)
        for name, listed in self._in_order():
            again = [(repeat, text) for text, repeat in listed.repeats.items() if repeat.count > 1]
            for begin in range(0, len(again), GROUP):
                group = again[begin : begin + GROUP]
                part = LargePart(name, [repeat.last for repeat, _ in group], [text for _, text in group], self.demand)
                part.times = {repeat.last: repeat.count - 1 for repeat, _ in group}
                yield part

    @property
    def exercised(self) -> frozenset[FastPath]:
        """The members of ``FastPath`` whose clauses apply to at least one verified job."""
        return exercised_by(list(self._lists.values()))

    @property
    def size(self) -> int:
        """The number of elements in the two lists."""
        return sum(listed.size for listed in self._lists.values())

    @property
    def filled(self) -> frozenset[str]:
        """The names of the lists that are not empty."""
        return frozenset(name for name, listed in self._lists.items() if listed.size)

    @property
    def order(self) -> tuple[Dialect, str] | None:
        """The order of the first job whose elements 3 and 4 show an order, and the pointer of that job, or None."""
        return next((listed.order for _, listed in self._in_order() if listed.order is not None), None)

    @property
    def latest(self) -> Any:
        """The latest ``create_time`` of all jobs that is plausible in milliseconds, or None."""
        return _latest(*[listed.latest for listed in self._lists.values()])

    @property
    def unread(self) -> str | None:
        """In words, which jobs no clause checked because there are too many or they are too large.

        None if all were checked.
        """
        if self.compared.uncompared:
            return f"whether {self.compared.uncompared:,} of {self.size:,} jobs have distinct ids"
        unasked = sum(listed.unasked for listed in self._lists.values())
        if unasked:
            return f"{unasked:,} of {self.size:,} jobs, which come after {ASKED:,} other unusual jobs"
        partly = sum(listed.partly for listed in self._lists.values())
        return f"parts of {partly:,} of {self.size:,} jobs, which are larger than {RUN >> 20} MiB" if partly else None

    def disagreeing(self, fast: FastPath) -> list[Item]:
        """Return the jobs that violate, or may violate, a clause that compares jobs.

        For a clause about an order, these are the first job out of order and the jobs around it.
        """
        if fast is FastPath.DISTINCT_IDS:
            twice = self.compared.twice
            return [i for i in self._items() if i.prompt_id is not None and hash(i.prompt_id.lower()) in twice]
        if fast is FastPath.DISTINCT_NUMBERS:
            twice = self.compared.numbers_twice
            return [i for i in self._items(LISTS[1:]) if i.elements and not twice.isdisjoint(hashes_of(i.elements[0]))]
        at = self.compared.falls_at(fast)
        assert at is not None
        return list(self._items(LISTS[1:], at - NEIGHBOURS, at + NEIGHBOURS))

    def items(self) -> Iterator[Item]:
        """Yield all jobs. Those that were verified have no workflow."""
        return self._items()

    def _items(self, names: Sequence[str] = LISTS, first: int = 0, last: float = math.inf) -> Iterator[Item]:
        """Yield the jobs of some lists in those windows that have jobs from one index to another.

        Jobs that were verified have no workflow.
        """
        for name, listed in self._in_order():
            for window in listed.windows if name in names else ():
                if window.first + window.count <= first or window.first > last:
                    continue
                jobs = () if window.giant else self._inspect(name, listed, window) or ()
                found: list[Item] = [
                    ItemWithoutWorkflow(job, self.demand) for job in jobs if job.inspection.remaining is None
                ]
                for part in self._windows.parts(name, listed, window) if window.ask else ():
                    found += part.items
                yield from sorted(found, key=place_of)

    # --- comparison with other responses -------------------------------------------------------

    def _list(self, roll: Roll, name: str, window: Window, jobs: Iterable[InspectedJob]) -> None:
        """Add the verified jobs among some consecutive jobs to the jobs that are compared with other responses."""
        read = partial(text_again, self._source, self._shared, window)
        for job in jobs:
            seen = job.inspection
            if seen.remaining is None:
                facts = partial(facts_of, seen, read, job.place - window.first, self.demand.read_as)
                roll.add(name, job.place, roll.known.number(seen.key, seen.prompt_id, facts))

    def text_at(self, pointer: str) -> tuple[bytes, str] | None:
        """Return the text of a body with only the job that ``pointer`` is in, and the pointer in that text, or None."""
        found = _JOB.fullmatch(pointer)
        if found is None or found[1] not in self._lists:
            return None
        name, index, inner = found[1], int(found[2]), found[3]
        windows = self._lists[name].windows
        window = next((each for each in windows if index in range(each.first, each.first + each.count)), None)
        if window is None or window.giant or window.flawed:
            return None
        texts = AS_TEXTS.elements.decode(b"[%b]" % self._content[window.start : window.end])
        return b'{"%b":[%b]}' % (name.encode(), bytes(texts[index - window.first])), f"/{name}/0{inner}"


def _latest(*times: Any) -> Any:
    """Return the latest of some times. Those that are None do not count; None if all are None."""
    return max((time for time in times if time is not None), default=None)
