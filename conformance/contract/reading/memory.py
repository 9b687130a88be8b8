"""The values of jobs that are kept when a parsed body is dropped, to compare them with other responses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from conformance.text.strict_json import parse

if TYPE_CHECKING:
    from msgspec import Raw


class Located(NamedTuple):
    """A value and its JSON Pointer in the body."""

    pointer: str
    value: Any


DigestCache = Callable[[bytes, Callable[[], bytes]], bytes]
"""A cache of digests. It takes the hash of a value's JSON text, and a function that computes the digest of the
value.
"""


class Remembered:
    """A JSON value that is kept for comparison, as a digest or as its text in the body.

    Two objects of this class are equal if the JSON values are equal, whatever the order of members and the notation of
    numbers. Equal texts are recognised without parsing them.
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

    @property
    def key(self) -> bytes:
        """A digest of the text, or of the value if the text is unknown.

        Two objects with equal keys have equal values.
        """
        return self.digest if self._text is None else hash_of(bytes(self._text))

    def settle(self, known: DigestCache) -> None:
        """Drop the reference to the text in the body, and keep only the digest."""
        if self._text is not None:
            self._digest = known(hash_of(bytes(self._text)), lambda: self.digest)
            self._text = None


class Recalled(Remembered):
    """A JSON value of which only a hash of its text is kept.

    The text is read again if the digest of the value is needed. ``read`` returns the text of an element of a job, by
    the index of the job and the index of the element.
    """

    __slots__ = ("_element", "_hash", "_index", "_read")

    def __init__(self, text: bytes, read: Callable[[int, int], bytes], index: int, element: int) -> None:
        super().__init__()
        self._hash, self._read, self._index, self._element = hash_of(text), read, index, element

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Recalled) and self._hash == other._hash:
            return True
        return super().__eq__(other)

    __hash__ = Remembered.__hash__

    @property
    def digest(self) -> bytes:
        """The digest of the value."""
        if self._digest is None:
            self._digest = digest_of(parse(self._read(self._index, self._element)).value)
        return self._digest

    @property
    def key(self) -> bytes:
        """A digest of the text."""
        return self._hash

    def settle(self, known: DigestCache) -> None:
        """Keep only the hash of the text and the digest of the value. The text cannot be read again after that."""
        self._digest = known(self._hash, lambda: self.digest)
        self._read = _not_kept


def _not_kept(_index: int, _element: int) -> bytes:
    raise AssertionError("the text is not kept")


class Facts(NamedTuple):
    """The data of a job that must be the same in every response. JSON Pointers are relative to the job.

    The values of ``workflow`` and ``output_node_ids`` are of the class ``Remembered``. A missing element is None.
    """

    workflow: Located | None
    output_node_ids: Located | None
    create_time: Located | None

    def key_of(self, name: str) -> bytes:
        """Return a digest of a job with the prompt id ``name`` and this data. Equal digests mean equal jobs."""
        both = (self.workflow, self.output_node_ids)
        keys = [None if found is None else (found.pointer, found.value.key) for found in both]
        return hash_of(repr((name, keys, self.create_time)).encode("utf-8", "surrogatepass"))

    def settle(self, known: DigestCache) -> None:
        """Replace texts that are part of the body by digests, so that the body can be freed."""
        for found in (self.workflow, self.output_node_ids):
            if found is not None:
                found.value.settle(known)


class Observation(NamedTuple):
    """A job in one response: its JSON Pointer, whether it is pending, and the data that no response may change."""

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


def digest_of(value: Any) -> bytes:
    """Return a digest of a JSON value. Equal values have equal digests, whatever the order of their members."""
    text = json.dumps(value, sort_keys=True, default=_one_way)
    return hash_of(text.encode("utf-8", "surrogatepass"))


def hash_of(text: bytes) -> bytes:
    """Return a digest of a text."""
    return hashlib.blake2b(text, digest_size=16).digest()


def _one_way(value: object) -> object:
    """Return a number as the double that JSON parsers make of it, so that 1.0, 1e0 and 1 are equal.

    Return others as text.
    """
    if not isinstance(value, Decimal):
        return repr(value)
    number = float(value)
    return int(number) if number.is_integer() else number
