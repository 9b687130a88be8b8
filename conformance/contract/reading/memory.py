"""The facts about a body that are kept when its parsed value is dropped, to compare it with other responses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from conformance.contract.terms import Dialect
from conformance.text.strict_json import parse

if TYPE_CHECKING:
    from msgspec import Raw


class Located(NamedTuple):
    """A value and its JSON Pointer in the body."""

    pointer: str
    value: Any


Known = Callable[[bytes, Callable[[], bytes]], bytes]
"""A cache of digests. It takes the hash of a value's JSON text, and a function that computes the digest of the
value.
"""


class Remembered:
    """A JSON value that is kept for comparison, as a digest or as its text in the body.

    Two of them are equal if the values are equal, whatever the order of members and the notation of numbers. If the
    texts are the same, they are not parsed.
    """

    __slots__ = ("_digest", "_text")

    def __init__(self, digest: bytes | None = None, text: Raw | None = None) -> None:
        self._digest, self._text = digest, text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Remembered):
            return NotImplemented
        mine, theirs = self._text, other._text
        same_bytes = mine is not None and theirs is not None and bytes(mine) == bytes(theirs)
        return same_bytes or self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def digest(self) -> bytes:
        """The digest of the value."""
        if self._digest is None:
            assert self._text is not None
            self._digest = digest_of(parse(bytes(self._text)).value)
        return self._digest

    def settle(self, known: Known) -> None:
        """Drop the reference to the text in the body, and keep only the digest."""
        if self._text is not None:
            self._digest = known(_hash(bytes(self._text)), lambda: self.digest)
            self._text = None


class Recalled(Remembered):
    """A JSON value of which only a hash of its text is kept. The text is read again if the digest is needed."""

    __slots__ = ("_hash", "_read")

    def __init__(self, text: bytes, read: Callable[[], bytes]) -> None:
        super().__init__()
        self._hash, self._read = _hash(text), read

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Recalled) and self._hash == other._hash:
            return True
        return super().__eq__(other)

    __hash__ = Remembered.__hash__

    @property
    def digest(self) -> bytes:
        """The digest of the value."""
        if self._digest is None:
            self._digest = digest_of(parse(self._read()).value)
        return self._digest


class Facts(NamedTuple):
    """The data of a job that must be the same in every response. JSON Pointers are relative to the job.

    The values of ``workflow`` and ``output_node_ids`` are of the class ``Remembered``. A missing element is None.
    """

    workflow: Located | None
    output_node_ids: Located | None
    create_time: Located | None

    def settle(self, known: Known) -> None:
        """Replace texts that are part of the body by digests, so that the body can be freed."""
        for found in (self.workflow, self.output_node_ids):
            if found is not None:
                found.value.settle(known)


class Observation(NamedTuple):
    """A job in one response: its place, whether it is pending, and the data that must be the same in every response."""

    pointer: str
    pending: bool
    facts: Facts

    @property
    def workflow(self) -> Located | None:
        """The workflow with its place in the body. The value is of the class ``Remembered``. None if it is missing."""
        return self._in_place(self.facts.workflow)

    @property
    def output_node_ids(self) -> Located | None:
        """The output node ids with their place in the body. The value is of the class ``Remembered``. None if missing."""
        return self._in_place(self.facts.output_node_ids)

    @property
    def create_time(self) -> Located | None:
        """The ``create_time`` with its place in the body, or None if it is missing."""
        return self._in_place(self.facts.create_time)

    def _in_place(self, found: Located | None) -> Located | None:
        return None if found is None else Located(self.pointer + found.pointer, found.value)


class Summary(NamedTuple):
    """The facts about a body that are kept when its parsed value is dropped.

    ``read`` says whether the body could be parsed, and ``jobs`` is the number of jobs. ``lists`` names the lists that
    are not empty, ``absent`` those that an object lacks. ``observations`` has the jobs by prompt id, without ids that are
    listed twice. ``order`` is the order of elements in the first job that shows one, and the pointer of that job.
    """

    read: bool
    malformed: bool
    is_object: bool
    depth: int
    jobs: int
    lists: frozenset[str]
    absent: frozenset[str]
    order: tuple[Dialect, str] | None
    ids: frozenset[str]
    observations: dict[str, Observation]
    compared: bool = True
    """Whether ``ids`` is complete. It is empty if the body has too many jobs."""
    unread: str | None = None
    """In words, which jobs no clause checked because the body is too large. None if all were checked."""

    def settle(self, known: Known) -> None:
        """Replace texts that are part of the body by digests, so that the body can be freed."""
        for observation in self.observations.values():
            observation.facts.settle(known)


REMEMBERED: Final = 10_000
"""Maximum number of jobs of a response that are kept to compare it with others. Each takes half a kilobyte."""


def digest_of(value: Any) -> bytes:
    """Return a digest of a JSON value. Equal values have equal digests, whatever the order of their members."""
    text = json.dumps(value, sort_keys=True, default=_one_way)
    return _hash(text.encode("utf-8", "surrogatepass"))


def _hash(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).digest()


def _one_way(value: object) -> object:
    """Return a number as JSON parsers see it, as a double, so that 1.0, 1e0 and 1 are equal. Other values as text."""
    if not isinstance(value, Decimal):
        return repr(value)
    number = float(value)
    return int(number) if number.is_integer() else number
