"""A body taken apart, in one pass over its bytes."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from conformance.contract.reading import LISTS

REFUSED: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What a decoder raises for whatever it does not take."""
write: Final = msgspec.json.Encoder().encode

Element = list[Raw] | dict[str, Raw] | str | int | bool | None
Listed = list[Element] | dict[str, Raw] | str | int | bool | None
"""What stands under the name of a list."""


class _Info(Struct, gc=False, forbid_unknown_fields=True):
    queue_running: Listed | UnsetType = UNSET
    queue_pending: Listed | UnsetType = UNSET


_INFO: Final = msgspec.json.Decoder(_Info)
_LISTED: Final = msgspec.json.Decoder[Any](Listed)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])


def taken_apart(content: bytes) -> tuple[dict[str, Listed], dict[str, Raw]] | None:
    """Return the lists of a QueueInfo and its other members. None where the body is no JSON, or no such object.

    What is taken is JSON as RFC 8259 has it, but for its encoding, and no lone surrogate stands in it; names may
    stand twice, and numbers be out of range.
    """
    try:
        info = _INFO.decode(content)
    except msgspec.ValidationError:  # there are other members, or it is something else
        info = None
    except REFUSED:
        return None
    try:
        if info is None:
            members = _MEMBERS.decode(content)
            return {name: _LISTED.decode(members.pop(name)) for name in LISTS if name in members}, members
    except REFUSED:
        return None
    return {name: listed for name in LISTS if (listed := getattr(info, name)) is not UNSET}, {}
