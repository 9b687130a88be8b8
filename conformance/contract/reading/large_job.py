"""Shorten the text of a job that is too large to parse, so that every clause has the same result for the short text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw

from conformance.contract.reading.body import ARITY
from conformance.contract.reading.fast_split import REFUSED
from conformance.text.json_runs import RUN, end_of, runs, skip_space
from conformance.text.large_json import Checker, shorten

_QUOTE: Final = ord('"')
CHILDREN: Final = 1000
"""Maximum number of output node ids, and of members of metadata, that are kept."""
LONG: Final = 1000
"""In a workflow that is too large, strings of more bytes than this are replaced. Most of them are images."""
QUOTES: Final = 1 << 17
"""A workflow with more quotation marks than this has too many strings to shorten, and is dropped."""
_STRINGS: Final = msgspec.json.Decoder(list[str])
_ELEMENTS: Final = msgspec.json.Decoder(list[Raw])
_MEMBERS: Final = msgspec.json.Decoder(dict[str, Raw])


class Reduced(NamedTuple):
    """The short text of a job, the number of omitted elements at its end, and whether other parts are omitted."""

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
    children = runs(content, at)
    for run in children:
        if run is None or run.empty:
            continue
        if run.giant:
            child = skip_space(content, run.start)
            stop = end_of(content, child)
            children.send(stop)
            if len(texts) < ARITY:
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
    return Reduced(b"[%b]" % b",".join(texts), more, partly), end


def _element(content: bytes, at: int, end: int, index: int) -> tuple[bytes, bool]:
    """Return a short text for an element of a job, and whether nothing that clauses look at was left out."""
    if content.startswith(b"[", at) and index > 2:
        return _outputs(content, at)
    if content.startswith(b"{", at):
        return _workflow(content, at, end) if index == 2 else _metadata(content, at)
    return shorten(content, at, end), True


def _workflow(content: bytes, at: int, end: int) -> tuple[bytes, bool]:
    if content.count(b'"', at, end) > QUOTES:
        return b'{"":0}', False
    parts = content[at:end].replace(b"\\\\", b"__").replace(b'\\"', b"__").split(b'"')
    parts[1::2] = [part if len(part) <= LONG else b"(long)" for part in parts[1::2]]
    text = b'"'.join(parts)
    return (text, True) if len(text) <= RUN else (b'{"":0}', False)


def _outputs(content: bytes, at: int) -> tuple[bytes, bool]:
    """Return output node ids shortened to the first ones, and the first elements that are not valid ids."""
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


def _metadata(content: bytes, at: int) -> tuple[bytes, bool]:
    """Return metadata shortened to create_time and the first of the other members."""
    kept: dict[str, Raw] = {}
    for found, _ in _runs(content, at, b"{%b}", _MEMBERS):
        named = found.keys() & {"create_time"}
        kept |= {name: found[name] for name in named}
        kept |= dict(list(found.items())[: max(0, CHILDREN - len(kept))])
    return msgspec.json.encode(kept), False


def _runs(content: bytes, at: int, brackets: bytes, by: msgspec.json.Decoder[Any]) -> Iterator[tuple[Any, bytes]]:
    children = runs(content, at)
    for run in children:
        if run is not None and run.giant:
            children.send(end_of(content, skip_space(content, run.start)))
        elif run is not None and not run.empty:
            text = brackets % content[run.start : run.end]
            yield by.decode(text), text
