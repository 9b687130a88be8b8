"""Check the syntax of a large JSON text piece by piece. Finds the same flaws as ``strict_json``, with less memory."""

from __future__ import annotations

import codecs
import json
import re
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from conformance.text.json_bytes import depth_of, is_utf_8, may_hold_huge, members_at_most, members_of
from conformance.text.json_runs import RUN, JsonRun, Unfinished, end_of_scalar, runs, skip_space
from conformance.text.pointer import escape
from conformance.text.strict_json import NESTING_READ, Document, Flaw, parse

FLAWS: Final = 1000
"""Maximum number of flaws of one kind that are kept."""
NAMES: Final = 500_000
"""Maximum number of member names that are kept to find repeated ones, in an object that is larger than a piece."""
SHOWN: Final = 1000
"""Maximum number of bytes that are kept of a very long string or number."""
_KEPT: Final = 1 << 16
"""A value outside the two lists of jobs is shortened if it has more bytes than this."""
SHALLOW: Final = 100
"""A piece of the text with more levels of nesting than this is parsed by ``strict_json``."""
_ANYTHING: Final = msgspec.json.Decoder[Any]()
_REFUSED: Final = (msgspec.DecodeError, ValueError, RecursionError)
_NO_NAME: Final = "Expecting property name enclosed in double quotes"
_KINDS: Final = ("non_finite", "repeated_names", "lone_surrogates", "out_of_range")
_PLACE: Final = re.compile(r"at line (\d+) column (\d+)(?: \(character (\d+)\))?")
_OFFSET: Final = re.compile(r"at offset ([\d,]+)")
_ADDED: Final = 2
"""Number of characters that are put before a piece that is parsed: a space and a bracket."""
_TEXT: Final = re.compile(rb'(?:[^"\\]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+')
_NUMBER: Final = re.compile(rb"(?:-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?)?")
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")
_ESCAPES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", re.DOTALL
)
"""Matches escapes in a string. Its group matches a surrogate that is not part of a pair."""

Moved = Callable[[str], str]
"""A function from the JSON Pointer of a value in a piece to its JSON Pointer in the whole text."""


@dataclass
class _Parent:
    """An array or object whose children are being checked: ``index`` counts them, and ``names`` has hashes of names."""

    pointer: str
    level: int
    is_object: bool
    index: int = 0
    names: set[int] = field(default_factory=set)


class NotRead(Exception):
    """The text cannot be parsed to its end. ``malformed`` says why. It is None if the text is nested too deeply."""

    def __init__(self, malformed: str | None) -> None:
        super().__init__(malformed)
        self.malformed = malformed


class Checker:
    """Finds the flaws of one text, part by part.

    ``pulse`` is called before each part, and may raise to end the check. ``see`` gets the text of each part and its
    value.
    """

    def __init__(
        self,
        content: bytes,
        pulse: Callable[[], None] = lambda: None,
        see: Callable[[bytes, Any], None] = lambda _text, _value: None,
    ) -> None:
        self.content, self._pulse, self._see = content, pulse, see
        self.flaws: dict[str, list[Flaw]] = {kind: [] for kind in _KINDS}
        self.more = Counter[str]()
        self.not_utf8: str | None = None
        self.control_character: str | None = None
        self.depth = 0
        self.uncompared = 0
        """Number of names that were not compared with all other names of their object."""
        self._held = 0

    def malformed(self, at: int, what: str = "Expecting value") -> NotRead:
        """Return the exception to raise if the text is not JSON at an offset. ``what`` says what is wrong."""
        line, column, character = self._place(at)
        return NotRead(f"{what} at line {line} column {column} (character {character})")

    def unfinished(self, error: Unfinished) -> NotRead:
        """Return the exception to raise if the text ends within a value, or lacks one."""
        if error.rest is not None and len(self.content) - error.rest <= 2 * RUN:
            found = parse_piece(error.opening + self.content[error.rest :])
            return NotRead(found.malformed and self._moved(found.malformed, error.rest))
        unclosed = self.content.startswith(b'"', error.at)
        return self.malformed(error.at, "Unterminated string starting" if unclosed else "Expecting value")

    def note(self, kind: str, flaw: Flaw) -> None:
        """Record a flaw. All are counted, and the first ones and the last one of a kind are kept."""
        if len(self.flaws[kind]) < FLAWS:
            self.flaws[kind].append(flaw)
        else:
            self.flaws[kind][-1] = flaw
            self.more[kind] += 1

    def value(self, at: int, pointer: str, level: int = 0) -> int:
        """Check the value at an offset and return the offset of its end.

        ``level`` is the number of arrays and objects around it.
        """
        opening = self.content[at : at + 1]
        if opening not in {b"[", b"{"}:
            return self._scalar(at, pointer)
        if level >= NESTING_READ:
            raise NotRead(None)
        self.depth = max(self.depth, level + 1)
        parent, end = _Parent(pointer, level, is_object=opening == b"{"), at
        children = runs(self.content, at, size=RUN >> min(level, 4))
        for run in children:
            end = run.end
            if run.giant:  # called here, because each level of nesting should take only one frame of the stack
                children.send(self.value(*self._giant(run, parent)))
            elif not run.empty:
                self._run(run, parent, sole=run.last and run.start == at + 1)
        self._held -= len(parent.names)
        if not self.content.startswith(b"}" if parent.is_object else b"]", end):
            raise self.malformed(end, "Expecting ',' delimiter")
        return end + 1

    def _giant(self, run: JsonRun, parent: _Parent) -> tuple[int, str, int]:
        """Return the offset, the pointer and the level of a child that is too large for a run."""
        if parent.level + run.depth >= NESTING_READ:  # refused here, because each level takes time
            raise NotRead(None)
        if parent.is_object:
            name, at = self.name(run.start, parent.pointer)
            self.distinct((name,), parent.names, parent.pointer)
        else:
            name, at = str(parent.index), skip_space(self.content, run.start)
        parent.index += 1
        return at, f"{parent.pointer}/{escape(name)}", parent.level + 1

    def _run(self, run: JsonRun, parent: _Parent, *, sole: bool) -> None:
        """Check the children of a run. Only if it is the ``sole`` one may it be empty."""
        text = self.content[run.start : run.end]
        if not sole and not text.strip():
            at = skip_space(self.content, run.start)
            raise self.malformed(at, _NO_NAME if parent.is_object else "Expecting value")
        if parent.is_object:
            found = self.part(b"{%b}" % text, run.start, lambda inner: parent.pointer + inner, parent.level)
            self.distinct(found, parent.names, parent.pointer)
        else:
            found = self.part(b"[%b]" % text, run.start, shift_by(parent.pointer, parent.index), parent.level)
            parent.index += len(found)

    def part(self, wrapped: bytes, start: int, moved: Moved, level: int = 0) -> Any:
        """Check a piece of the text to which brackets were added, and return its parsed value.

        ``start`` is the offset of the piece.
        """
        self._pulse()
        value = self._checked(wrapped, start, moved, level)
        self._see(wrapped, value)
        return value

    def _checked(self, wrapped: bytes, start: int, moved: Moved, level: int) -> Any:
        try:
            value = _ANYTHING.decode(wrapped)
            depth = depth_of(value, SHALLOW)
            if (
                depth <= min(SHALLOW, NESTING_READ - level)
                and members_of(value) == members_at_most(wrapped)
                and not may_hold_huge(wrapped)
            ):
                self.depth = max(self.depth, level + depth)
                return value
        except _REFUSED:
            pass
        return self.take(parse_piece(wrapped), start, moved, level).value

    def take(self, document: Document, start: int, moved: Moved, level: int = 0) -> Document:
        """Record the flaws of a parsed piece, with their places in the whole text. Raises NotRead if it is not JSON."""
        if document.malformed is not None:
            raise NotRead(self._moved(document.malformed, start))
        if not document.read or level + document.depth > NESTING_READ:
            raise NotRead(None)
        if document.trailing is not None:
            raise self.malformed(start, "Expecting ',' delimiter")
        self.depth = max(self.depth, level + document.depth)
        for kind in _KINDS:
            for flaw in getattr(document, kind):
                self.note(kind, flaw._replace(pointer=moved(flaw.pointer)))
            self.more[kind] += document.more.get(kind, 0)
        if document.not_utf8 is not None and self.not_utf8 is None:
            self.not_utf8 = _OFFSET.sub(
                lambda found: f"at offset {int(found[1].replace(',', '')) - _ADDED + start:,}", document.not_utf8
            )
        if document.control_character is not None and self.control_character is None:
            self.control_character = self._moved(document.control_character, start)
        return document

    def document(self, value: Any, *, bom: bool, trailing: str | None) -> Document:
        """Return the result for a text that was checked to its end: its value and all flaws."""
        return Document(
            read=True,
            value=value,
            bom=bom,
            not_utf8=self.not_utf8,
            control_character=self.control_character,
            trailing=trailing,
            depth=self.depth,
            more=+self.more,
            **{kind: tuple(found) for kind, found in self.flaws.items()},  # type: ignore[arg-type]
        )

    def name(self, at: int, pointer: str = "") -> tuple[str, int]:
        """Return the name of the member at an offset, and the offset of its value.

        ``pointer`` is that of the object, which is the place of the flaws of its names.
        """
        at = skip_space(self.content, at)
        if not self.content.startswith(b'"', at):
            raise self.malformed(at, _NO_NAME)
        end = self._scalar(at, pointer)
        colon = skip_space(self.content, end)
        if not self.content.startswith(b":", colon):
            raise self.malformed(colon, "Expecting ':' delimiter")
        text = self.content[at : min(end, at + SHOWN)]
        name = parse_piece(text if end <= at + SHOWN else _closed(text)).value
        return name, skip_space(self.content, colon + 1)

    def _scalar(self, at: int, pointer: str) -> int:
        try:
            end = end_of_scalar(self.content, at)
        except Unfinished as error:
            raise self.unfinished(error) from None
        if end - at <= RUN:
            self.part(b"[%b]" % self.content[at:end], at, lambda _: pointer, -1)
        elif self.content.startswith(b'"', at):
            self._string(at, end, pointer)
        else:
            self._number(at, end, pointer)
        return end

    def _string(self, at: int, end: int, pointer: str) -> None:
        """Check a string that is too large for a piece."""
        valid = next(_TEXT.finditer(self.content, at + 1)).end()
        if valid != end - 1:
            raise self.malformed(valid, "Invalid \\escape")
        control = _CONTROL.search(self.content, at, end)
        if control is not None and self.control_character is None:
            line, column, _ = self._place(control.start())
            self.control_character = f"U+{control[0][0]:04X} at line {line} column {column}"
        if self.not_utf8 is None and not is_utf_8(memoryview(self.content)[at:end]):
            self.not_utf8 = f"a string at offset {at:,}"
        for escape_ in _ESCAPES.finditer(self.content, at, end):
            if escape_[1]:
                self.note("lone_surrogates", Flaw(pointer, f'"{escape_[1].decode()}"'))
                break

    def _number(self, at: int, end: int, pointer: str) -> None:
        """Check a number that is too large for a piece, without converting it."""
        valid = next(_NUMBER.finditer(self.content, at)).end()
        if valid != end:
            raise self.malformed(valid, "Expecting value" if valid == at else "Expecting ',' delimiter")
        self.part(b"[%b]" % self.content[at : min(end, at + SHOWN)].rstrip(b".eE+-"), at, lambda _: pointer, -1)

    def distinct(self, names: Collection[str], seen: set[int], pointer: str) -> None:
        """Record names that occurred in an earlier piece of the same object.

        ``part`` finds those repeated within a piece.
        """
        for name in names:
            if hash(name) in seen:
                self.note("repeated_names", Flaw(f"{pointer}/{escape(name)}", name))
        before = len(seen)
        if self._held < NAMES:
            seen.update(map(hash, names))
            self._held += len(seen) - before
        else:
            self.uncompared += len(names)

    def _moved(self, message: str, start: int) -> str:
        """Return a message of the parser about a piece, with the place in the whole text.

        The piece begins at the offset ``start``. The places in the message also count the characters before it.
        """
        line, column, character = self._place(start)

        def moved(found: re.Match[str]) -> str:
            same_line = found[1] == "1"
            text = f"at line {int(found[1]) + line - 1} column {int(found[2]) + (column - 1 - _ADDED) * same_line}"
            return text if found[3] is None else f"{text} (character {int(found[3]) + character - _ADDED})"

        return _PLACE.sub(moved, message)

    def _place(self, at: int) -> tuple[int, int, int]:
        """Return the line, the column and the number of the character at an offset, without a byte order mark."""
        first = len(codecs.BOM_UTF8) * self.content.startswith(codecs.BOM_UTF8)
        line = self.content.count(b"\n", 0, at) + 1
        begin = max(first, self.content.rfind(b"\n", 0, at) + 1)
        return line, _characters(self.content, begin, at) + 1, _characters(self.content, first, at)


def parse_piece(piece: bytes) -> Document:
    """Parse a piece of a text in UTF-8, to which brackets may be added.

    The space before it keeps a NUL near its start from being taken for a sign of UTF-16.
    """
    return parse(b" " + piece, listed=FLAWS)


def _characters(content: bytes, start: int, end: int) -> int:
    pieces = (content[at : min(at + RUN, end)] for at in range(start, end, RUN))
    return sum(map(len, codecs.iterdecode(pieces, "utf-8", "replace")))


def _closed(text: bytes) -> bytes:
    """Return the start of a long JSON string, closed with a quotation mark."""
    return json.dumps(text[1:].decode("utf-8", "replace").split("\\")[0] + "…").encode()


def shorten(content: bytes, at: int, end: int) -> bytes:
    """Return the text of a checked value. If it is large, return the text of a short value of the same type instead."""
    start = content[at : at + 1]
    if end - at <= _KEPT:
        return content[at:end]
    if start == b'"':
        return _closed(content[at : at + SHOWN])
    if start in {b"[", b"{"}:
        return b'["\xe2\x80\xa6"]' if start == b"[" else b'{"\xe2\x80\xa6":"\xe2\x80\xa6"}'
    return re.split(rb"[.eE]", content[at : at + SHOWN])[0]


def shift_by(pointer: str, first: int) -> Moved:
    """Return a function from the JSON Pointer of a value in a piece of an array to its JSON Pointer in the whole text.

    ``first`` is the number of elements before the piece.
    """

    def moved(inner: str) -> str:
        if not inner:  # a flaw in a value that a repeated name replaced
            return pointer
        _, index, *rest = inner.split("/")
        return "/".join((pointer, str(first + int(index)), *rest))

    return moved
