"""Compute facts about a JSON text from its bytes without parsing it, and the same facts about a parsed value."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

LARGE: Final = 1 << 20
"""A text with more bytes than this is large: it is parsed in pieces."""
_PIECE: Final = 65_536
_WHITESPACE: Final = b" \t\n\r"
_STRIDE: Final = 30
_DIGITS: Final = bytes(ord("0") if chr(code).isdecimal() else code for code in range(128)) + bytes(128)
STEP: Final = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
"""By bracket: by how much it changes the level of nesting."""
_NO_BRACKETS: Final = bytes(code for code in range(256) if code not in STEP)
_HUGE: Final = re.compile(rb"[0-9]{309}")
"""Matches 309 digits. An integer with fewer digits is in the range of a double."""


def is_utf_8(content: bytes | memoryview) -> bool:
    """Whether bytes are valid UTF-8. They are decoded in pieces to save memory."""
    if isinstance(content, bytes) and content.isascii():
        return True
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(content), _PIECE):
            decoder.decode(content[at : at + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def members_at_most(text: bytes) -> int:
    """Count the members of all objects in a JSON text. The result may be too high, but is never too low.

    It counts quotation marks that a colon follows, because these characters end the name of each member. Strings that
    contain both characters, or that begin with a colon, make the result too high.
    """
    return text.translate(None, _WHITESPACE).count(b'":')


def steps(text: bytes) -> Iterator[int]:
    """Return the steps between levels of nesting, one for each bracket in a JSON text whose strings were removed."""
    return map(STEP.__getitem__, text.translate(None, _NO_BRACKETS))


def without_escaped_quotes(text: bytes) -> bytes:
    """Return JSON text without escaped quotation marks, for which ``members_at_most`` is more exact."""
    return text.replace(b"\\\\", b"").replace(b'\\"', b"")


def seems_huge(text: bytes) -> bool:
    """Whether a text may contain an integer beyond the range of a double.

    A quick check: every thirtieth byte is read, so of 309 digits in a row at least ten.
    """
    return b"0" * 10 in text[::_STRIDE].translate(_DIGITS)


def may_hold_huge(text: bytes) -> bool:
    """Whether a text has enough consecutive digits for an integer beyond the range of a double."""
    return seems_huge(text) and _HUGE.search(text) is not None


# --- values -----------------------------------------------------------------------------------


def depth_of(value: Any, levels: float = math.inf) -> int:
    """Return the levels of nested arrays and objects in a value. Counting stops above ``levels``."""
    depth, level = 0, [value] if isinstance(value, dict | list) else []
    while level and depth <= levels:
        depth += 1
        insides = [part.values() if isinstance(part, dict) else part for part in level]
        level = [part for inside in insides for part in inside if type(part) is dict or type(part) is list]
    return depth


def members_of(value: Any) -> int:
    """Return the number of members of all objects in a parsed value."""
    members, level = 0, [value]
    while level:
        objects = [part for part in level if type(part) is dict]
        arrays = [part for part in level if type(part) is list]
        members += sum(map(len, objects))
        level = list(chain.from_iterable(chain(map(dict.values, objects), arrays)))
    return members
