"""Wire layer: raw bytes to a value under RFC 8259, every departure from it noted, none a crash.

Reads on where a reader can: a body with a byte order mark, a NaN and trailing text has three faults
and a value, so that one fault does not hide the others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import accumulate
from typing import Any, Final

NESTING_READ: Final = 500
"""Levels that are read. Python's own parser gives up near 1,000 frames, ours included."""
DOUBLE_DIGITS: Final = 308
"""Decimal exponent from which on a number is infinite as an IEEE 754 double."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"[]{}")
_DEPTH_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89abAB]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_LARGE_NUMBER = re.compile(r"[eE]\+?0*\d{3}|\d{309}")
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
    """A number whose text Python refuses to turn into an int or a Decimal (thousands of digits)."""


class Ambiguous(dict[str, Any]):
    """An object in which a name stands more than once (the last one counts, as in most readers)."""

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Flaw:
    """A departure at one place: JSON Pointer, and what was there."""

    pointer: str
    got: str


@dataclass(frozen=True)
class Document:
    """A body read as JSON.

    ``read`` says whether there is a ``value``. Objects are dicts, arrays lists, numbers without
    fraction and exponent ints, all other numbers Decimals (so the way a number was written stays
    known), NaN and the infinities ``NonFinite``.
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
    out_of_range: tuple[Flaw, ...] = field(default=())


def parse(body: bytes) -> Document:
    """Read a body. Never raises; time and memory are linear in the body."""
    text, bom, not_utf8 = _decode(body)
    if not text.strip(_WHITESPACE):
        return Document(read=False, empty=True, malformed="the body is empty", bom=bom, not_utf8=not_utf8)
    depth = _depth(text.encode("utf-8", "surrogatepass"))
    if depth > NESTING_READ:
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8)
    try:
        value, end, control, noted = _scan(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno} column {error.colno} (character {error.pos})"
        return Document(read=False, depth=depth, bom=bom, not_utf8=not_utf8, malformed=where)
    rest = text[end:].lstrip(_WHITESPACE)
    non_finite: list[Flaw] = []
    repeated: list[Flaw] = []
    surrogates: list[Flaw] = []
    large: list[Flaw] = []
    if noted or _SURROGATE_ESCAPE.search(text) or _LARGE_NUMBER.search(text):
        for pointer, member in walk(value):
            if isinstance(member, NonFinite):
                non_finite.append(Flaw(pointer, member.text))
            elif isinstance(member, str) and _LONE_SURROGATE.search(member):
                surrogates.append(Flaw(pointer, ascii(member)))
            elif isinstance(member, Decimal | int) and not isinstance(member, bool) and _is_large(member):
                large.append(Flaw(pointer, _number_text(member)))
            elif isinstance(member, dict):
                if isinstance(member, Ambiguous):
                    repeated += [Flaw(f"{pointer}/{escape(name)}", name) for name in member.repeated]
                surrogates += [Flaw(pointer, ascii(name)) for name in member if _LONE_SURROGATE.search(name)]
    return Document(
        read=True, value=value, bom=bom, not_utf8=not_utf8, control_character=control, trailing=rest or None,
        depth=depth, non_finite=tuple(non_finite), repeated_names=tuple(repeated),
        lone_surrogates=tuple(surrogates), out_of_range=tuple(large),
    )  # fmt: skip


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every value with its JSON Pointer, in the order of the text. Iterative: depth costs no stack."""
    stack = [("", value)]
    while stack:
        pointer, member = stack.pop()
        yield pointer, member
        if isinstance(member, dict):
            stack += [(f"{pointer}/{escape(name)}", child) for name, child in reversed(member.items())]
        elif isinstance(member, list):
            stack += [(f"{pointer}/{index}", member[index]) for index in range(len(member) - 1, -1, -1)]


def escape(name: str) -> str:
    """Return a member name as a reference token of a JSON Pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


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


def _depth(body: bytes) -> int:
    """Return the deepest nesting, exactly where it could pass the bound, else an upper bound that is below it."""
    brackets = body.count(b"[") + body.count(b"{")
    if brackets <= _DEPTH_SURELY_FINE:
        return brackets
    bare = _STRING.sub(b"", body).translate(None, _NOT_BRACKETS)
    return max(accumulate(_DEPTH_STEP[step] for step in bare), default=0)


_DEPTH_SURELY_FINE: Final = 64
"""Fewer brackets than this cannot nest deeper than anybody's limit: no need to look for strings."""


def _scan(text: str) -> tuple[Any, int, str | None, bool]:
    """Parse the first JSON text; fall back to laxer scanners that say what was lax."""
    start = len(text) - len(text.lstrip(_WHITESPACE))
    noted: list[bool] = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(members)
        if len(found) == len(members):
            return found
        noted.append(True)
        seen: set[str] = set()
        repeated = [name for name, _ in members if name in seen or seen.add(name)]  # type: ignore[func-returns-value]
        ambiguous = Ambiguous(found)
        ambiguous.repeated = tuple(dict.fromkeys(repeated))
        return ambiguous

    def constant(name: str) -> NonFinite:
        noted.append(True)
        return NonFinite(name)

    def scan(*, strict: bool, whole: bool) -> tuple[Any, int]:
        decoder = json.JSONDecoder(
            object_pairs_hook=pairs, parse_constant=constant, strict=strict,
            parse_float=Decimal if whole else _decimal, parse_int=None if whole else _integer,
        )  # fmt: skip
        return decoder.raw_decode(text, start)

    def read(*, strict: bool) -> tuple[Any, int]:
        try:
            return scan(strict=strict, whole=True)
        except json.JSONDecodeError:
            raise
        except (ValueError, InvalidOperation):  # a number of thousands of digits
            return scan(strict=strict, whole=False)

    try:
        value, end = read(strict=True)
    except json.JSONDecodeError as error:
        if "control character" not in error.msg:
            raise
        value, end = read(strict=False)
        got = f"U+{ord(text[error.pos]):04X} at line {error.lineno} column {error.colno}"
        return value, end, got, bool(noted)
    return value, end, None, bool(noted)


def _integer(text: str) -> int | Decimal:
    try:
        return int(text)
    except ValueError:
        return _decimal(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Huge("-Infinity" if text.startswith("-") else "Infinity")


def _is_large(number: Decimal | int) -> bool:
    if isinstance(number, int):
        return number.bit_length() > 1024
    return isinstance(number, Huge) or (bool(number) and number.adjusted() > DOUBLE_DIGITS)


def _number_text(number: Decimal | int) -> str:
    if isinstance(number, Huge):
        return "a number beyond any range"
    return f"a number of about 1e{Decimal(number).adjusted()}"
