"""The fast path: split a body into its lists in one pass over its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from conformance.contract.reading.body import LISTS

REFUSED: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""The exceptions that a decoder raises for a text that it rejects."""
write: Final = msgspec.json.Encoder().encode

Split = list[Raw] | dict[str, Raw] | str | int | bool | None
"""An element of a list, an array as the texts of its elements."""
Element = TypeVar("Element")
Listed = Sequence[Element] | dict[str, Raw] | str | int | bool | None
"""The value of a list member."""


class _Info(Struct, Generic[Element], gc=False, forbid_unknown_fields=True):
    queue_running: list[Element] | dict[str, Raw] | str | int | bool | UnsetType | None = UNSET
    queue_pending: list[Element] | dict[str, Raw] | str | int | bool | UnsetType | None = UNSET


class _Decoders(Generic[Element]):
    """Decode the elements of the lists as the given type."""

    def __init__(self, element: Any) -> None:
        self.info = msgspec.json.Decoder(_Info[element])
        self.listed = msgspec.json.Decoder[Listed[Element]](list[element] | dict[str, Raw] | str | int | bool | None)


AS_TEXTS: Final = _Decoders[Raw](Raw)
"""Each element of a list as one text."""
AS_SPLIT: Final = _Decoders[Split](Split)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])


def split_body(content: bytes, by: _Decoders[Element]) -> tuple[dict[str, Listed[Element]], dict[str, Raw]] | None:
    """Return the lists of a QueueInfo and its other members. None if the body is not JSON or not such an object.

    Accepted texts are JSON by RFC 8259, except for the encoding, which is not checked. They have no lone surrogate, but
    may have repeated names and numbers out of range.
    """
    try:
        info = by.info.decode(content)
    except msgspec.ValidationError:  # there are other members, or it is something else
        info = None
    except REFUSED:
        return None
    try:
        if info is None:
            members = _MEMBERS.decode(content)
            return {name: by.listed.decode(members.pop(name)) for name in LISTS if name in members}, members
    except REFUSED:
        return None
    return {name: listed for name in LISTS if (listed := getattr(info, name)) is not UNSET}, {}


def split_array(text: Raw) -> list[Raw]:
    """Return the elements of an array whose text was accepted before."""
    return _ELEMENTS.decode(text)
