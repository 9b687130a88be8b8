"""The fast path: split a body into the texts of its jobs in one pass over its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from conformance.contract.reading.body import LISTS

REFUSED: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""The exceptions that a decoder raises for a text that it rejects."""
write: Final = msgspec.json.Encoder().encode

NotAnArray = dict[str, Raw] | str | int | bool | None
Split = list[Raw] | NotAnArray
"""An element of ``queue_running`` or ``queue_pending``. An array is given as the JSON texts of its elements."""
Element = TypeVar("Element")
SplitList = Sequence[Element] | NotAnArray
"""The value of ``queue_running`` or ``queue_pending``, which may also be of a wrong type."""


class _Info(Struct, Generic[Element], gc=False, forbid_unknown_fields=True):
    queue_running: list[Element] | dict[str, Raw] | str | int | bool | UnsetType | None = UNSET
    queue_pending: list[Element] | dict[str, Raw] | str | int | bool | UnsetType | None = UNSET


class _Decoders(Generic[Element]):
    """Decoders for a body, for the value of one of its lists, and for an array, with elements of the given type."""

    def __init__(self, element: Any) -> None:
        self.info = msgspec.json.Decoder(_Info[element])
        self.listed: msgspec.json.Decoder[SplitList[Element]] = msgspec.json.Decoder(list[element] | NotAnArray)
        self.elements: msgspec.json.Decoder[list[Element]] = msgspec.json.Decoder(list[element])


AS_TEXTS: Final = _Decoders[Raw](Raw)
"""Leaves each element of a list as one JSON text. ``AS_SPLIT`` splits an element that is an array into its elements."""
AS_SPLIT: Final = _Decoders[Split](Split)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])


def split_body(content: bytes, by: _Decoders[Element]) -> tuple[dict[str, SplitList[Element]], dict[str, Raw]] | None:
    """Return the two lists of a body, and the texts of its other members. None if the body is not a JSON object.

    The texts are valid JSON by RFC 8259, but their encoding is not checked, and they may have repeated names and
    numbers beyond the range of a double.
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
    """Return the texts of the elements of an array. The text must already have been accepted as JSON."""
    return AS_TEXTS.elements.decode(text)
