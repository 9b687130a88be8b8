"""A group of jobs of a large body that are parsed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

from msgspec import Raw

from conformance.contract.reading.body import LISTS, Item, Reading
from conformance.contract.reading.memory import Located
from conformance.contract.terms import Demand
from conformance.text.large_json import FLAWS
from conformance.text.strict_json import Document, parse


class LargePart(Reading):
    """Some jobs of one list. ``at`` is the index of each job in the list, or the first index if the jobs are consecutive.

    ``times`` says, by index, how many equal jobs a job represents. ``sent`` has the texts of the elements of the jobs
    as they were sent, or None if they are whole in ``texts``.
    """

    def __init__(
        self, name: str, at: Sequence[int] | int, texts: Iterable[bytes], demand: Demand, *, more: int = 0
    ) -> None:
        super().__init__(b'{"%b":[%b]}' % (name.encode(), b",".join(texts)), demand)
        self._name, self._at, self._more = name, at, more
        self.times: Mapping[int, int] = {}
        self.sent: Mapping[int, Sequence[Raw] | None] = {}

    @cached_property
    def document(self) -> Document:
        """The jobs, parsed as JSON in an object with their list."""
        return parse(self.content, listed=FLAWS)

    @cached_property
    def indexes(self) -> Sequence[int]:
        """The index of each job in the list."""
        if isinstance(self._at, int):
            return range(self._at, self._at + len(self.document.value[self._name]))
        return self._at

    @cached_property
    def elements(self) -> Sequence[tuple[bool, Located]]:
        """The jobs, each with its place in the whole body."""
        pending = self._name == LISTS[1]
        listed = zip(self.indexes, self.document.value[self._name], strict=True)
        return [(pending, Located(f"/{self._name}/{at}", value)) for at, value in listed]

    @cached_property
    def items(self) -> Sequence[Item]:
        """The jobs of this group that are arrays. Elements of other types are left out."""
        found = [
            Item(element.pointer, pending, element.value, self.demand)
            for pending, element in self.elements
            if isinstance(element.value, list)
        ]
        return [replace(item, more=self._more) for item in found] if self._more else found

    def moved(self, pointer: str) -> str:
        """Return the JSON Pointer in the whole body for a JSON Pointer in this group of jobs."""
        _, name, *rest = pointer.split("/")
        return "/".join(("", name, *(str(self.indexes[int(index)]) for index in rest[:1]), *rest[1:]))

    def weight(self, pointer: str | None) -> int:
        """Return how many identical jobs the finding at ``pointer`` is about."""
        if not self.times or pointer is None:
            return 1
        return self.times.get(int(pointer.split("/")[2]), 1)
