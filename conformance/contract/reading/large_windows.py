"""Inspect and parse the jobs of a large body, one window at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from conformance.contract.reading.body import LISTS
from conformance.contract.reading.fast import recheck_members
from conformance.contract.reading.fast_job import InspectedJob, Inspection, must_prover, prover, without_refused
from conformance.contract.reading.fast_split import AS_SPLIT, AS_TEXTS, REFUSED, write
from conformance.contract.reading.known_jobs import Shared
from conformance.contract.reading.large_listed import LargeList, Window
from conformance.contract.reading.large_part import LargePart
from conformance.contract.reading.large_recalled import recalled
from conformance.contract.terms import Demand
from conformance.text.json_bytes import is_utf_8, seems_huge
from conformance.text.json_runs import end_of, runs, skip_space

GROUP: Final = 1000
"""Number of jobs that are parsed together."""
_SMALL: Final = 32_768


class Windows:
    """Reads windows (consecutive jobs of a list): ``inspect`` on the fast path, ``parts`` the jobs it cannot verify."""

    def __init__(self, content: bytes, demand: Demand, *, must_only: bool, shared: Shared) -> None:
        self._content, self._demand, self._must_only = content, demand, must_only
        self._pulse, self._known = shared.pulse, shared.known

    def inspect(
        self, name: str, listed: LargeList, window: Window, *, only_counted: bool = False
    ) -> list[InspectedJob] | None:
        """Inspect the jobs of a window. None if its text is not strict JSON.

        If the jobs are very small, those whose text occurred before are left out, and are only counted.
        ``only_counted`` says that the jobs that cannot be verified will not be parsed.
        """
        self._pulse()
        text = self._content[window.start : window.end]
        if not is_utf_8(text):
            return None
        split = self._must_only and not window.dense
        try:
            elements: Any = (AS_SPLIT if split else AS_TEXTS).elements.decode(b"[%b]" % text)
        except REFUSED:
            return None
        numbered: Iterable[tuple[int, Any]] = enumerate(elements, window.first)
        if window.dense:
            numbered = listed.new(numbered, again=bool(window.count))
            window.count = len(elements)
            if self._must_only:
                numbered = [(at, AS_SPLIT.elements.decode(b"[%b]" % bytes(each))[0]) for at, each in numbered]
        pending, read_as = name in LISTS[1:], self._demand.read_as
        if self._demand.open:
            return [InspectedJob(pending, at, Inspection(each, write(each))) for at, each in numbered]
        if self._must_only:
            inspect: Callable[[Any], Inspection] = must_prover(read_as).inspect
            return [InspectedJob(pending, at, inspect(each)) for at, each in numbered]
        by, refused = prover(read_as, huge=seems_huge(text)), list[InspectedJob]()
        if only_counted:
            numbered, refused = without_refused(by, numbered, pending=pending)
        if self._known is None:
            return refused + recheck_members([InspectedJob(pending, at, by.inspect(each)) for at, each in numbered])
        return refused + recalled(self._known, by.inspect, [(pending, at, each) for at, each in numbered])

    def parts(self, name: str, listed: LargeList, window: Window) -> Iterator[LargePart]:
        """Yield, in groups, those jobs of a window that were not verified."""
        if window.giant:
            yield LargePart(name, [window.first], [window.giant.text], self._demand, more=window.giant.more)
        elif window.flawed:
            yield from self._flawed_parts(name, window)
        else:
            jobs = self.inspect(name, listed, window) or ()
            remaining = [(job.place, job.inspection.remaining) for job in jobs if job.inspection.remaining is not None]
            sent = {job.place: job.inspection.texts for job in jobs}
            for begin in range(0, len(remaining), GROUP):
                group = remaining[begin : begin + GROUP]
                part = LargePart(name, [at for at, _ in group], [text for _, text in group], self._demand)
                part.sent = sent
                yield part

    def _flawed_parts(self, name: str, window: Window) -> Iterator[LargePart]:
        """Yield the jobs of a window that is not strict JSON, in small groups: their parsed values take much memory."""
        content = b"[%b]" % self._content[window.start : window.end]
        first, children = window.first, runs(content, 0, size=_SMALL)
        for run in children:
            end = end_of(content, skip_space(content, run.start)) if run.giant else run.end
            if run.giant:
                children.send(end)
            text = content[run.start : end]
            part = LargePart(name, first, [text], self._demand)
            yield part
            first += len(part.indexes)
