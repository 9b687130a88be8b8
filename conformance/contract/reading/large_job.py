"""Shorten the text of a job that is too large to parse, so that every clause has the same result for the short text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from conformance.contract.reading.body import ARITY
from conformance.contract.reading.fast_split import REFUSED
from conformance.contract.reading.large_workflow import dense_workflow, without_long_strings
from conformance.text import credentials
from conformance.text.json_runs import end_of, end_of_member, runs, skip_space
from conformance.text.large_json import Checker, shorten
from conformance.text.strict_json import walk

_QUOTE: Final = ord('"')
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
        if run.empty:
            continue
        if run.giant:
            child = skip_space(content, run.start)
            stop = end_of(content, child)
            children.send(stop)
            if len(texts) == 2 and content.startswith(b"{", child):
                workflow = child, stop
                texts.append(b"{}")
            elif len(texts) < ARITY:
                text, whole = _element(content, child, stop, len(texts))
                texts.append(text)
                partly |= not whole
            else:
                more += 1
        else:
            found = _ELEMENTS.decode(b"[%b]" % content[run.start : run.end])
            room = max(0, ARITY - len(texts))
            texts += [bytes(each) for each in found[:room]]
            more += len(found[room:])
    if workflow is not None:
        texts[2], whole = _workflow(content, *workflow, texts[3:])
        partly |= not whole
    return Reduced(b"[%b]" % b",".join(texts), more, partly), end


def _element(content: bytes, at: int, end: int, index: int) -> tuple[bytes, bool]:
    """Return a short text for an element of a job, and whether every clause has the same result for it."""
    if content.startswith(b"[", at) and index > 2:
        return _outputs(content, at)
    if content.startswith(b"{", at):
        return _metadata(content, at), not _holds_credentials(content, at)
    return shorten(content, at, end), True


def _workflow(content: bytes, at: int, end: int, others: Sequence[bytes]) -> tuple[bytes, bool]:
    """Return a short text for a workflow, and whether every clause has the same result for it.

    ``others`` are the texts of the elements after the workflow, one of which may be the output node ids.
    """
    text = without_long_strings(content, at, end)
    if text is not None:
        return text, True
    wanted = {name for text in others for name in _strings(text)}
    return dense_workflow(content, at, wanted)


def _strings(text: bytes) -> list[str]:
    """Return the elements of an array if all of them are strings, else an empty list."""
    try:
        return _STRINGS.decode(text)
    except REFUSED:
        return []


def _outputs(content: bytes, at: int) -> tuple[bytes, bool]:
    """Return a short text for output node ids: the first of them, and the first elements that are not valid ids.

    The second value is False: clauses may have other results for the short text.
    """
    ids: list[bytes] = []
    others: list[bytes] = []
    for found, text in _runs(content, at, b"[%b]", _ELEMENTS):
        try:
            named = all(_STRINGS.decode(text))
        except REFUSED:
            named = False
        if not named:
            others += [
                bytes(each)[:CHILDREN] for each in found if memoryview(each)[0] != _QUOTE or bytes(each) == b'""'
            ]
            others = [each for each in others if each[:1] not in {b"[", b"{"} or len(each) < CHILDREN][:CHILDREN]
        ids += [bytes(each) for each in found[: max(0, CHILDREN - len(ids))]]
    return b"[%b]" % b",".join((*ids, *others)), False


def _metadata(content: bytes, at: int) -> bytes:
    """Return a short text for metadata: create_time, and the first of the other members."""
    kept: dict[str, Raw] = {}
    for found, _ in _runs(content, at, b"{%b}", _MEMBERS):
        named = found.keys() & {"create_time"}
        kept |= {name: found[name] for name in named}
        kept |= dict(list(found.items())[: max(0, CHILDREN - len(kept))])
    return msgspec.json.encode(kept)


def _holds_credentials(content: bytes, at: int) -> bool:
    """Whether a member at any depth of an object has the name of a credential, or a value in the format of one."""
    found = False

    def see(text: bytes, value: Any) -> None:
        nonlocal found
        if not found and (b"\\u" in text or credentials.may_hold_some(text)):
            found = any(_is_credential(pointer.member, inner) for pointer, inner in walk(value))

    Checker(content, see=see).value(at, "")
    return found


def _is_credential(name: str | None, value: object) -> bool:
    named = name is not None and (name in credentials.OWN or credentials.is_shown_by(name, value))
    return named or credentials.is_one(value)


def _runs(content: bytes, at: int, brackets: bytes, by: msgspec.json.Decoder[Any]) -> Iterator[tuple[Any, bytes]]:
    children = runs(content, at)
    for run in children:
        if run.giant:
            start = run.start
            children.send(
                end_of_member(content, start) if brackets == b"{%b}" else end_of(content, skip_space(content, start))
            )
        elif not run.empty:
            text = brackets % content[run.start : run.end]
            yield by.decode(text), text
