"""The values of jobs that are kept when the value of a body is dropped, to compare them with other reads."""

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


Known = Callable[[bytes, Callable[[], bytes]], bytes]
"""Returns the digest of a value by the hash of its text, and makes it for a new text."""


class Remembered:
    """A remembered JSON value: its digest, or its text, which is part of a body that is kept anyway.

    Two are equal if their values are, whatever the order of members and the notation of numbers. If the bytes are the
    same, they are not parsed.
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
        """A digest of the value."""
        if self._digest is None:
            assert self._text is not None
            self._digest = digest_of(parse(bytes(self._text)).value)
        return self._digest

    @property
    def key(self) -> bytes:
        """A digest of the text, or of the value if the text is unknown. Equal keys mean equal values."""
        return self.digest if self._text is None else hash_of(bytes(self._text))

    def settle(self, known: Known) -> None:
        """Drop the text, and keep only the digest."""
        if self._text is not None:
            self._digest = known(hash_of(bytes(self._text)), lambda: self.digest)
            self._text = None


class Recalled(Remembered):
    """A remembered value with only a hash of its text; the text is read again if the digest is needed.

    ``read`` returns the text of an element of a job, by the index of the job and that of the element.
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
        """A digest of the value."""
        if self._digest is None:
            self._digest = digest_of(parse(self._read(self._index, self._element)).value)
        return self._digest

    @property
    def key(self) -> bytes:
        """A digest of the text."""
        return self._hash

    def settle(self, known: Known) -> None:
        """Keep only the hash of the text and the digest."""
        self._digest = known(self._hash, lambda: self.digest)
        self._read = _not_kept


def _not_kept(_index: int, _element: int) -> bytes:
    raise AssertionError("the text is not kept")


class Facts(NamedTuple):
    """The facts of a job that must stay the same between reads; pointers are relative to the job.

    The values of ``workflow`` and ``output_node_ids`` are ``Remembered``, None if the element is missing.
    """

    workflow: Located | None
    output_node_ids: Located | None
    create_time: Located | None

    def key_of(self, name: str) -> bytes:
        """Return a digest that is equal for jobs with this id and equal facts."""
        both = (self.workflow, self.output_node_ids)
        keys = [None if found is None else (found.pointer, found.value.key) for found in both]
        return hash_of(repr((name, keys, self.create_time)).encode("utf-8", "surrogatepass"))

    def settle(self, known: Known) -> None:
        """Drop the references to the body in texts of the job."""
        for found in (self.workflow, self.output_node_ids):
            if found is not None:
                found.value.settle(known)


class Observation(NamedTuple):
    """The facts about a job in a read: enough to see whether the next read lists the same job."""

    pointer: str
    pending: bool
    facts: Facts

    @property
    def workflow(self) -> Located | None:
        """The workflow, ``Remembered``."""
        return self._in_place(self.facts.workflow)

    @property
    def output_node_ids(self) -> Located | None:
        """The output node ids, ``Remembered``."""
        return self._in_place(self.facts.output_node_ids)

    @property
    def create_time(self) -> Located | None:
        """The ``create_time``."""
        return self._in_place(self.facts.create_time)

    def _in_place(self, found: Located | None) -> Located | None:
        return None if found is None else Located(self.pointer + found.pointer, found.value)


def digest_of(value: Any) -> bytes:
    """Return the digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, default=_one_way)
    return hash_of(text.encode("utf-8", "surrogatepass"))


def hash_of(text: bytes) -> bytes:
    """Return the digest of a text."""
    return hashlib.blake2b(text, digest_size=16).digest()


def _one_way(value: object) -> object:
    """Return a number as the double that JSON parsers make of it: 1.0 and 1e0 are 1."""
    if not isinstance(value, Decimal):
        return repr(value)
    number = float(value)
    return int(number) if number.is_integer() else number
