"""Wire layer: raw bytes to a value under RFC 8259, every departure from it noted, none a crash.

Reads on where a reader can: a body with a byte order mark, a NaN and trailing text has three faults
and a value, so that one fault does not hide the others.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation, getcontext
from itertools import accumulate, takewhile
from typing import Any, Final, NamedTuple

from conformance.text.json_bytes import depth_of
from conformance.text.pointer import escape

NESTING_READ: Final = 500
"""Levels that are read. Python's own parser gives up near 1,000 frames, ours included."""
POINTERS: Final = 4 << 20
"""Characters of JSON Pointers that are kept of one kind of flaw: names of megabytes could multiply without end."""

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_DEPTH_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SHAPE = bytes.maketrans(b"0123456789eE+,]} \t\n\r", b"0000000000ee+,,,,,,,")
_EXPONENT = re.compile(rb"0e\+?000+(?:,|$)")
_HUGE_EXPONENTS = (b"0e000000", b"0e+000000", b"0e-000000")
_WHITESPACE = " \t\n\r"


class NonFinite:
    """``NaN``, ``Infinity`` or ``-Infinity`` as it stood on the wire. No JSON number; equal to itself."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NonFinite) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return self.text


class Huge(Decimal):
    """A number that Python's arithmetic cannot take for the size of its exponent: infinite, or 0."""


class Whole(Decimal):
    """A number without fraction and exponent that has more digits than Python reads into an int."""


class Ambiguous(dict[str, Any]):
    """An object in which a name stands more than once (the last one counts, as in most readers)."""

    repeated: tuple[str, ...] = ()


class Flaw(NamedTuple):
    """A departure at one place: JSON Pointer, and what was there."""

    pointer: str
    got: str


class Document(NamedTuple):
    """A body read as JSON.

    ``read`` says whether there is a ``value``. Objects are dicts, arrays lists, numbers without
    fraction and exponent ints, all other numbers Decimals (so the way a number was written stays
    known; an integer of thousands of digits is one too, a ``Whole``), NaN and the infinities ``NonFinite``.
    """

    read: bool
    value: Any = None
    empty: bool = False
    malformed: str | None = None
    not_utf8: str | None = None
    bom: bool = False
    control_character: str | None = None
    trailing: str | None = None
    depth: int = 0
    non_finite: tuple[Flaw, ...] = ()
    repeated_names: tuple[Flaw, ...] = ()
    lone_surrogates: tuple[Flaw, ...] = ()
    out_of_range: tuple[Flaw, ...] = ()

    @property
    def too_deep(self) -> bool:
        """Whether it nests deeper than is read: nothing is known of the rest then."""
        return not self.read and self.malformed is None


def parse(body: bytes) -> Document:
    """Read a body. Never raises; time and memory are linear in the body."""
    text, bom, not_utf8 = _decode(body)
    if not text.strip(_WHITESPACE):
        return Document(read=False, empty=True, malformed="the body is empty", bom=bom, not_utf8=not_utf8)
    encoded = text.encode()
    shape = encoded.translate(_SHAPE)
    try:
        value, end, control, noted = _scan(text, exact=not any(sign in shape for sign in _HUGE_EXPONENTS))
    except (json.JSONDecodeError, RecursionError) as error:  # the stack may be short for our caller stands deep in it
        depth = nesting(encoded)
        deep = isinstance(error, RecursionError) or (depth > NESTING_READ and text.lstrip(_WHITESPACE)[0] in "[{")
        where = None if deep else _told(error)
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8, malformed=where)
    depth = nesting(encoded) if "" in noted else depth_of(value)  # what a later member of its name replaced is gone
    if depth > NESTING_READ:
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8)
    rest = text[end:].lstrip(_WHITESPACE)
    flaws: defaultdict[str, _Flaws] = defaultdict(_Flaws)
    if noted or _SURROGATE_ESCAPE.search(text) or _may_be_large(shape):
        for kind, place, got in _flaws(value):
            flaws[kind].note(place, got)
    if any(noted) and not flaws["non_finite"]:  # it stood in a member that a later one of its name replaced
        flaws["non_finite"].note(Place(), max(noted))
    return Document(
        read=True,
        value=value,
        bom=bom,
        not_utf8=not_utf8,
        control_character=control,
        trailing=rest or None,
        depth=depth,
        non_finite=tuple(flaws["non_finite"]),
        repeated_names=tuple(flaws["repeated_names"]),
        lone_surrogates=tuple(flaws["lone_surrogates"]),
        out_of_range=tuple(flaws["out_of_range"]),
    )


class Place:
    """Where a value stands. Its text is the JSON Pointer, made when it is asked for: few places are ever shown."""

    __slots__ = ("_above", "_name")

    def __init__(self, above: Place | None = None, name: str | int = "") -> None:
        self._above, self._name = above, name

    @property
    def member(self) -> str | None:
        """The name of the member whose value stands here; None for an element of an array and for the whole."""
        return self._name if isinstance(self._name, str) and self._above is not None else None

    def __str__(self) -> str:
        names: list[str] = []
        place = self
        while place._above is not None:
            names.append(escape(str(place._name)))
            place = place._above
        return "".join(f"/{name}" for name in reversed(names))


class _Flaws(list[Flaw]):
    """Flaws of one kind, as far as their pointers fit the bound."""

    _room = POINTERS

    def note(self, place: Place, got: str) -> None:
        if self._room > 0:
            self.append(Flaw(str(place), got))
            self._room -= len(self[-1].pointer)


def _told(error: Exception) -> str:
    assert isinstance(error, json.JSONDecodeError)
    what = error.msg.removesuffix(" at")  # as in "Unterminated string starting at"
    return f"{what} at line {error.lineno} column {error.colno} (character {error.pos})"


def _may_be_large(shape: bytes) -> bool:
    """Whether a number could be beyond 1e308: three digits of exponent, or 200 digits and any exponent.

    Asked of the shape of the text, where all digits look alike, because searching for a literal costs
    a tenth of matching classes of characters.
    """
    if b"0" * 200 in shape:
        return True
    return (b"0e000" in shape or b"0e+000" in shape) and _EXPONENT.search(shape) is not None


def _flaws(value: Any) -> Iterator[tuple[str, Place, str]]:
    """Yield kind, place and text of whatever can be read and ought not to stand there."""
    for place, member in walk(value):
        if isinstance(member, NonFinite):
            yield "non_finite", place, member.text
        elif isinstance(member, str) and _LONE_SURROGATE.search(member):
            yield "lone_surrogates", place, json.dumps(member)
        elif isinstance(member, Decimal | int) and _is_large(member):
            yield "out_of_range", place, _number_text(member)
        elif isinstance(member, dict):
            for name in member.repeated if isinstance(member, Ambiguous) else ():
                yield "repeated_names", Place(place, name), name
            for name in member:
                if _LONE_SURROGATE.search(name):
                    yield "lone_surrogates", place, json.dumps(name)


def walk(value: Any) -> Iterator[tuple[Place, Any]]:
    """Yield every value with its place, in the order of the text. Iterative: depth costs no stack."""
    stack = [(Place(), value)]
    while stack:
        place, member = stack.pop()
        yield place, member
        if isinstance(member, dict):
            stack += [(Place(place, name), child) for name, child in reversed(member.items())]
        elif isinstance(member, list):
            stack += [(Place(place, index), member[index]) for index in range(len(member) - 1, -1, -1)]


def _decode(body: bytes) -> tuple[str, bool, str | None]:
    """Return text, whether a byte order mark stood before it, and what is wrong with the encoding."""
    encoding = json.detect_encoding(body)
    if encoding.startswith(("utf-16", "utf-32")):
        return body.decode(encoding, "replace").lstrip("\ufeff"), False, f"the bytes are {encoding.upper()}"
    bom = body.startswith(b"\xef\xbb\xbf")
    body = body[3:] if bom else body
    try:
        return body.decode(), bom, None
    except UnicodeDecodeError as error:
        got = f"byte 0x{body[error.start]:02x} at offset {error.start:,} ({error.reason})"
        return body.decode(errors="replace"), bom, got


def nesting(body: bytes) -> int:
    """Return how deep a text nests, exactly where that could pass anybody's limit, else an upper bound below it."""
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= _DEPTH_SURELY_FINE:
        return brackets
    steps = (_DEPTH_STEP.get(body[found.start()], 0) for found in _STRING_OR_BRACKET.finditer(body))
    levels = accumulate(steps)
    return max(takewhile(lambda level: level > 0, levels), default=0)  # what follows the value is nobody's nesting


_DEPTH_SURELY_FINE: Final = 64
"""Fewer brackets than this cannot nest deeper than anybody's limit: no need to look for strings."""


def _scan(text: str, *, exact: bool) -> tuple[Any, int, str | None, list[str]]:
    """Parse the first JSON text; fall back to laxer scanners that say what was lax.

    ``exact`` says that no exponent is beyond what Python's arithmetic can take.

    The last part of what is returned holds the text of each NaN or infinity, and "" for each
    object with a name that stands twice.
    """
    start = len(text) - len(text.lstrip(_WHITESPACE))
    noted: list[str] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) == len(members):
            return found
        noted.append("")
        seen: set[str] = set()
        repeated = [name for name, _ in members if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
        ambiguous = Ambiguous(found)
        ambiguous.repeated = tuple(dict.fromkeys(repeated))
        return ambiguous

    def constant(name: str) -> NonFinite:
        noted.append(name)
        return NonFinite(name)

    def scan(*, strict: bool, whole: bool) -> tuple[Any, int]:
        decoder = json.JSONDecoder(
            object_pairs_hook=pairs,
            parse_constant=constant,
            strict=strict,
            parse_float=Decimal if whole else _decimal,
            parse_int=None if whole else _integer,
        )
        return decoder.raw_decode(text, start)

    def read(*, strict: bool) -> tuple[Any, int]:
        try:
            return scan(strict=strict, whole=exact)
        except json.JSONDecodeError:
            raise
        except ValueError:  # a number of thousands of digits
            return scan(strict=strict, whole=False)

    try:
        value, end = read(strict=True)
    except json.JSONDecodeError as error:
        if "control character" not in error.msg:
            raise
        value, end = read(strict=False)
        got = f"U+{ord(text[error.pos]):04X} at line {error.lineno} column {error.colno}"
        return value, end, got, noted
    return value, end, None, noted


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        return Whole(_decimal(text))


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Huge(repr(float(text)))
    return number if abs(number.adjusted()) < getcontext().Emax // 2 else Huge(repr(float(text)))


def _is_large(number: Decimal | int) -> bool:
    try:
        return math.isinf(float(number))
    except OverflowError:
        return True


def _number_text(number: Decimal | int) -> str:
    if isinstance(number, Decimal) and not number.is_finite():
        return "a number beyond any range"
    return f"a number of about 1e{Decimal(number).adjusted()}"
