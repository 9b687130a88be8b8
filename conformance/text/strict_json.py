"""Parse JSON strictly by RFC 8259. Violations are recorded in the result, and none raises an exception.

Parsing continues if possible, so that one violation does not hide the others. For example, a body with a byte order
mark, a NaN and trailing text has three flaws and a value.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation, getcontext
from functools import partial
from itertools import accumulate, takewhile
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from conformance.text.json_bytes import depth_of, steps
from conformance.text.pointer import escape
from conformance.text.safe import printable

NESTING_READ: Final = 500
"""Maximum levels of nesting that are parsed. Python's own parser stops near 1,000 stack frames."""
POINTERS: Final = 4 << 20
"""Maximum total length of the JSON Pointers of one kind of flaw."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SHAPE = bytes.maketrans(b"0123456789eE+,]} \t\n\r", b"0000000000ee+,,,,,,,")
_EXPONENT = re.compile(rb"0e\+?000+(?:,|$)")
_HUGE_EXPONENTS = (b"0e000000", b"0e+000000", b"0e-000000")
_WHITESPACE = " \t\n\r"


class NonFinite:
    """``NaN``, ``Infinity`` or ``-Infinity`` in a body, which is not valid JSON. It equals itself, unlike a float."""

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
    """A number whose exponent is too large for Python's decimals. Its value is infinite, or 0."""


class Whole(Decimal):
    """An integer with more digits than Python converts to an int."""


class Ambiguous(dict[str, Any]):
    """An object in which a name occurs more than once (``repeated``). The last value counts, as in most parsers."""

    repeated: tuple[str, ...] = ()


class Flaw(NamedTuple):
    """A violation of RFC 8259 in a text: the JSON Pointer of its place, and the text there."""

    pointer: str
    got: str


class Document(NamedTuple):
    """A body parsed as JSON, with every flaw in its syntax. ``read`` says whether it could be parsed into ``value``.

    ``malformed`` says why the body is not JSON, and ``trailing`` shows text after the value. In ``value``, objects are
    dicts and arrays are lists. Numbers without fraction and exponent are ints (or ``Whole`` with thousands of digits),
    and all other numbers are Decimals, which keep the notation of the number. NaN and infinities are
    ``NonFinite``.
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
    more: Mapping[str, int] = MappingProxyType({})
    """By kind of flaw, the number of those that are not listed. The last one is listed."""

    @property
    def too_deep(self) -> bool:
        """Whether the body is nested too deeply to be parsed."""
        return not self.read and self.malformed is None


def parse(body: bytes, *, listed: float = math.inf) -> Document:
    """Parse a body as JSON. Never raises. Time and memory are linear in the size of the body.

    At most ``listed`` flaws of each kind are listed; the others are counted.
    """
    text, bom, not_utf8 = _decode(body)
    if not text.strip(_WHITESPACE):
        return Document(read=False, empty=True, malformed="the body is empty", bom=bom, not_utf8=not_utf8)
    encoded = text.encode()
    shape = encoded.translate(_SHAPE)
    try:
        value, end, control, noted = _scan(text, exact=not any(sign in shape for sign in _HUGE_EXPONENTS))
    except (json.JSONDecodeError, RecursionError) as error:  # the caller may already be deep in the stack
        depth = nesting(encoded)
        deep = isinstance(error, RecursionError) or (depth > NESTING_READ and text.lstrip(_WHITESPACE)[0] in "[{")
        where = None if deep else _described_error(error)
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8, malformed=where)
    depth = nesting(encoded) if "" in noted else depth_of(value)  # members that a later duplicate replaced are gone
    if depth > NESTING_READ:
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8)
    rest = text[end:].lstrip(_WHITESPACE)
    flaws: defaultdict[str, _Flaws] = defaultdict(partial(_Flaws, listed))
    if noted or _SURROGATE_ESCAPE.search(text) or _may_be_large(shape):
        for kind, place, got in _flaws(value):
            flaws[kind].note(place, got)
    if any(noted) and "non_finite" not in flaws:  # it was in a member that a later duplicate replaced
        flaws["non_finite"].note(JsonPlace(), max(noted))
    return Document(
        read=True,
        value=value,
        bom=bom,
        not_utf8=not_utf8,
        control_character=control,
        trailing=printable(rest) if rest else None,
        depth=depth,
        more={kind: found.more for kind, found in flaws.items() if found.more},
        **{kind: found.listed() for kind, found in flaws.items()},  # type: ignore[arg-type]
    )


class JsonPlace:
    """The place of a value in a JSON text. ``str`` returns its JSON Pointer, which is computed only when needed."""

    __slots__ = ("_above", "_name")

    def __init__(self, above: JsonPlace | None = None, name: str | int = "") -> None:
        self._above, self._name = above, name

    @property
    def member(self) -> str | None:
        """The name of the member that has this value. None for an element of an array, and for the whole text."""
        return self._name if isinstance(self._name, str) and self._above is not None else None

    def __str__(self) -> str:
        names: list[str] = []
        place = self
        while place._above is not None:
            names.append(escape(str(place._name)))
            place = place._above
        return "".join(f"/{name}" for name in reversed(names))


class _Flaws:
    """The first flaws of one kind and the last one, limited by number and by the length of all pointers.

    ``more`` counts those that are not listed.
    """

    def __init__(self, limit: float) -> None:
        self._limit, self._room = limit, POINTERS
        self._first: list[Flaw] = []
        self._last: tuple[JsonPlace, str] | None = None
        self.more = 0

    def note(self, place: JsonPlace, got: str) -> None:
        if self._room > 0 and len(self._first) < self._limit:
            self._first.append(Flaw(str(place), got))
            self._room -= len(self._first[-1].pointer)
        else:
            self._last = place, got
            self.more += 1

    def listed(self) -> tuple[Flaw, ...]:
        """The first flaws, and the last one."""
        last = () if self._last is None else (Flaw(str(self._last[0]), self._last[1]),)
        return (*self._first[:-1], *last) if last else tuple(self._first)


def _described_error(error: Exception) -> str:
    assert isinstance(error, json.JSONDecodeError)
    what = error.msg.removesuffix(" at")  # as in "Unterminated string starting at"
    return f"{what} at line {error.lineno} column {error.colno} (character {error.pos})"


def _may_be_large(shape: bytes) -> bool:
    """Whether a text may have a number beyond 1e308: three digits of exponent, or 210 digits in a row.

    ``shape`` is the text with all digits replaced by 0, which is ten times as fast to search.
    """
    return b"0" * 210 in shape or _EXPONENT.search(shape) is not None


def _flaws(value: Any) -> Iterator[tuple[str, JsonPlace, str]]:
    """Yield the kind, place and text of each flaw in a parsed value, such as a NaN or a repeated name."""
    for place, member in walk(value):
        if isinstance(member, NonFinite):
            yield "non_finite", place, member.text
        elif isinstance(member, str) and _LONE_SURROGATE.search(member):
            yield "lone_surrogates", place, json.dumps(member)
        elif isinstance(member, Decimal | int) and _is_large(member):
            yield "out_of_range", place, _number_text(member)
        elif isinstance(member, dict):
            for name in member.repeated if isinstance(member, Ambiguous) else ():
                yield "repeated_names", JsonPlace(place, name), name
            for name in member:
                if _LONE_SURROGATE.search(name):
                    yield "lone_surrogates", place, json.dumps(name)


def walk(value: Any) -> Iterator[tuple[JsonPlace, Any]]:
    """Yield every value inside a JSON value with its place, in the order of the text, at any depth."""
    stack = [(JsonPlace(), value)]
    while stack:
        place, member = stack.pop()
        yield place, member
        if isinstance(member, dict):
            stack += [(JsonPlace(place, name), child) for name, child in reversed(member.items())]
        elif isinstance(member, list):
            stack += [(JsonPlace(place, index), member[index]) for index in range(len(member) - 1, -1, -1)]


def _decode(body: bytes) -> tuple[str, bool, str | None]:
    """Return a body as text, whether it had a byte order mark, and what is wrong with its encoding, or None."""
    encoding = json.detect_encoding(body)
    if encoding.startswith(("utf-16", "utf-32")):
        return body.decode(encoding, "replace").lstrip("\ufeff"), False, f"the bytes are {encoding.upper()}"
    bom = body.startswith(b"\xef\xbb\xbf")
    body = body[3:] if bom else body
    try:
        return body.decode(), bom, None
    except UnicodeDecodeError as error:
        got = f"byte 0x{body[error.start]:02x} at offset {error.start + 3 * bom:,} ({error.reason})"
        return body.decode(errors="replace"), bom, got


def nesting(body: bytes) -> int:
    """Return the levels of nested arrays and objects in a JSON text."""
    levels = accumulate(steps(_STRING.sub(b"", body)))
    return max(takewhile((0).__lt__, levels), default=0)  # text after the value does not count


def _scan(text: str, *, exact: bool) -> tuple[Any, int, str | None, list[str]]:
    """Parse the first JSON value in a text, and tolerate what strict parsers reject.

    ``exact`` says that no exponent is too large for Python's decimals. Returns the value, the offset of its end, the
    first unescaped control character (or None), and a list of what was tolerated: the text of each NaN or infinity, and
    "" for each object with a repeated name.
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
