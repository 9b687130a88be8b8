"""Shorten the text of a job that is too large to parse, so that every clause has the same result for the short text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from conformance.contract.reading.body import ARITY
from conformance.contract.reading.fast_split import REFUSED
from conformance.contract.reading.large_workflow import dense_workflow, without_long_strings
from conformance.text import credentials
from conformance.text.json_runs import end_of, end_of_member, end_of_scalar, runs, skip_space, split
from conformance.text.large_json import Checker, parse_piece, shorten
from conformance.text.strict_json import walk

CHILDREN: Final = 1000
"""Maximum number of output node ids, and of members of metadata, that are kept."""
_STRINGS: Final = msgspec.json.Decoder(list[str])
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])


class Reduced(NamedTuple):
    """The short text of a job, the number of elements left out at its end (``more``), and whether more is left out."""

    text: bytes
    more: int = 0
    partly: bool = False


def reduced(content: bytes, at: int, checker: Checker, pointer: str) -> tuple[Reduced, int]:
    """Return a short text for the job at an offset, and the offset of its end. The JSON syntax of the job is checked."""
    end = checker.value(at, pointer, 2)
    if not content.startswith(b"[", at):
        return Reduced(shorten(content, at, end)), end
    texts: list[bytes] = []
    more, partly = 0, False
    workflow: tuple[int, int] | None = None
    children = runs(content, at)
    for run in children:
        room = ARITY - len(texts)
        if run.giant:
            child = skip_space(content, run.start)
            stop = end_of(content, child)
            children.send(stop)
            if len(texts) == 2 and content.startswith(b"{", child):
                workflow = child, stop
                texts.append(b"{}")
            elif room:
                text, whole = _element(content, child, stop, len(texts))
                texts.append(text)
                partly |= not whole
            else:
                more += 1
        else:
            found = _elements(content[run.start : run.end])
            texts += map(bytes, found[:room])
            more += len(found[room:])
    if workflow is not None:
        texts[2], whole = _workflow(content, *workflow, texts)
        partly |= not whole
    return Reduced(b"[%b]" % b",".join(texts), more, partly), end


def _element(content: bytes, at: int, end: int, index: int) -> tuple[bytes, bool]:
    """Return a short text for an element of a job, and whether every clause has the same result for it."""
    if content.startswith(b"[", at) and index > 2:
        return _outputs(content, at)
    if content.startswith(b"{", at):
        return _metadata(content, at), not _holds_credentials(content, at)
    return shorten(content, at, end), True


def _workflow(content: bytes, at: int, end: int, elements: Sequence[bytes]) -> tuple[bytes, bool]:
    """Return a short text for a workflow, and whether every clause has the same result for it.

    ``elements`` are the texts of the elements of the job, one of which may be the output node ids.
    """
    text = without_long_strings(content, at, end)
    if text is not None:
        return text, True
    wanted = {name for text in elements for name in _strings(text)}
    return dense_workflow(content, at, wanted)


def _strings(text: bytes) -> list[str]:
    """Return the elements of an array if all of them are strings, else an empty list."""
    try:
        return _STRINGS.decode(text)
    except REFUSED:
        return []


def _outputs(content: bytes, at: int) -> tuple[bytes, bool]:
    """Return a short text for output node ids: the first elements, and of the others the first that are not valid ids.

    The second value is False: clauses may have other results for the short text.
    """
    first: list[bytes] = []
    others: list[bytes] = []
    for text in _runs(content, at, end_of):
        if len(first) == CHILDREN and _is_named(b"[%b]" % text):
            continue
        for each in map(bytes, _elements(text)):
            if len(first) < CHILDREN:
                first.append(each)
            elif len(others) < CHILDREN and len(each) < CHILDREN and (each == b'""' or not each.startswith(b'"')):
                others.append(each)
    return b"[%b]" % b",".join((*first, *others)), False


def _is_named(text: bytes) -> bool:
    """Whether all elements of an array are strings, and none is empty."""
    try:
        return all(_STRINGS.decode(text))
    except REFUSED:
        return False


def _metadata(content: bytes, at: int) -> bytes:
    """Return a short text for metadata: create_time, and the first of the other members."""
    kept: dict[str, bytes | Raw] = {}
    for text in _runs(content, at, end_of_member):
        for name, value in _members(text).items():
            if len(kept) < CHILDREN or name == "create_time":
                kept[name] = value
    return b"{%b}" % b",".join(b"%b:%b" % (json.dumps(name).encode(), value) for name, value in kept.items())


def _holds_credentials(content: bytes, at: int) -> bool:
    """Whether a member at any depth of an object has the name of a credential, or a value in the format of one."""
    found = False

    def see(text: bytes, value: Any) -> None:
        nonlocal found
        if b"\\u" in text or credentials.may_hold_some(text):
            found = found or any(_is_credential(pointer.member, inner) for pointer, inner in walk(value))

    Checker(content, see=see).value(at, "")
    return found


def _is_credential(name: str | None, value: object) -> bool:
    named = name is not None and (name in credentials.OWN or credentials.is_shown_by(name, value))
    return named or credentials.is_one(value)


def _runs(content: bytes, at: int, end_of_child: Callable[[bytes, int], int]) -> Iterator[bytes]:
    """Yield the text of the array or object at an offset in pieces. Very large children are left out."""
    children = runs(content, at)
    for run in children:
        if run.giant:
            children.send(end_of_child(content, skip_space(content, run.start)))
        else:
            yield content[run.start : run.end]


def _elements(text: bytes) -> Sequence[bytes | Raw]:
    """Return the texts of consecutive elements of an array."""
    try:
        return _ELEMENTS.decode(b"[%b]" % text)
    except REFUSED:  # not strict JSON, such as NaN, which other clauses report
        return split(text)


def _members(text: bytes) -> Mapping[str, bytes | Raw]:
    """Return consecutive members of an object: the texts of their values by name."""
    try:
        return _MEMBERS.decode(b"{%b}" % text)
    except REFUSED:
        return dict(map(_member, split(text)))


def _member(text: bytes) -> tuple[str, bytes]:
    """Return the name of a member and the text of its value."""
    end = end_of_scalar(text, 0)
    return parse_piece(text[:end]).value, text[skip_space(text, skip_space(text, end) + 1) :]
