"""Proofs that jobs keep the clauses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Raw, Struct

from conformance.contract.create_time import EPOCH_MS_FIRST, EPOCH_MS_LAST
from conformance.contract.item import UUID
from conformance.contract.job_number import SAFE_INTEGER
from conformance.contract.reading import ARITY, LISTS
from conformance.contract.skim.taken import REFUSED, Element, write
from conformance.contract.skim.workflow import Nodes, Workflow, of_nodes, sound, workflow
from conformance.dialect import Dialect
from conformance.jsonscan import quotes_in

_EXACT: Final = float(1 << 52)
"""A float up to here stands for a number that is below 2^53, however it was rounded."""
_Number = Annotated[int, Meta(ge=1)]
_SafeNumber = Annotated[int, Meta(ge=1, le=SAFE_INTEGER)]
_SafeOssNumber = Annotated[int, Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)] | Annotated[float, Meta(ge=-_EXACT, le=_EXACT)]
_Id = Annotated[str, Meta(pattern=rf"\A(?:{UUID.pattern})\Z")]
_LowerId = Annotated[str, Meta(pattern=rf"\A(?:{UUID.pattern.replace('A-F', '')})\Z")]
_Outputs = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class _Metadata(Struct, gc=False):
    create_time: Annotated[int, Meta(ge=EPOCH_MS_FIRST, lt=EPOCH_MS_LAST)]


class _UsualMetadata(_Metadata, gc=False, forbid_unknown_fields=True):
    """Metadata that hold nothing else."""


_Taken = msgspec.json.Decoder[Any]
_MUST: Final[dict[Dialect, _Taken]] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_Number, _Id, list[str], _Metadata]),
    Dialect.OSS: msgspec.json.Decoder(tuple[int | float, _Id, list[str], _Metadata]),
}
"""What `must` demands of number, id, output node ids and metadata, by the order of the job."""
_ALL: Final[dict[Dialect, _Taken]] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_SafeNumber, _LowerId, _Outputs, _Metadata]),
    Dialect.OSS: msgspec.json.Decoder(tuple[_SafeOssNumber, _LowerId, _Outputs, _Metadata]),
}
_USUAL: Final[dict[Dialect, _Taken]] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_SafeNumber, _LowerId, _Outputs, _UsualMetadata, Nodes]),
    Dialect.OSS: msgspec.json.Decoder(tuple[_SafeOssNumber, _LowerId, _Outputs, _UsualMetadata, Nodes]),
}
"""The same with `should`, and a workflow as the frontend writes it."""
_BRACE: Final = ord("{")
_Few = tuple[float, str, list[str], _Metadata]
_Looked = tuple[_Few | None, Workflow | None, int | None]
"""The small elements, the workflow, and the strings in metadata, each None where it was not taken."""


@dataclass(slots=True)
class Job:
    """An element of a list, ``texts`` the elements of it, None where it is no array.

    ``text`` is what the clauses have still to be asked of, None where nothing is left; then number, id, output node ids
    and create_time are known. ``strings`` is the number of strings in it, names of members among them: of what was
    looked at by its value, of the rest by its text.
    """

    pending: bool
    index: int
    texts: Sequence[Raw] | None
    text: bytes | None = None
    number: float = 0
    prompt_id: str = ""
    outputs: Sequence[str] = ()
    create_time: int = 0
    strings: int = 0
    graph: bool = False
    linked: bool = False

    @property
    def pointer(self) -> str:
        """Where it stands."""
        return f"/{LISTS[self.pending]}/{self.index}"

    def take(self, number: float, prompt_id: str, outputs: Sequence[str], metadata: _Metadata) -> None:
        """Note what it holds: nothing is left of it."""
        self.number, self.prompt_id, self.outputs, self.create_time = number, prompt_id, outputs, metadata.create_time

    def leave(self) -> None:
        """Leave the job to the clauses, whole."""
        assert self.texts is not None
        self.text, self.graph, self.linked = _array(self.texts), False, False


class Prover:
    """Takes the jobs of one order. With ``must_only`` nothing is proven of any `should`, and no workflow is built.

    ``huge`` says that numbers beyond any double may stand in them.
    """

    def __init__(self, order: Dialect, *, must_only: bool, huge: bool) -> None:
        self._look = self._look_briefly if must_only else self._look_closely
        self._take = (_MUST if must_only else _ALL)[order].decode
        self._usual = None if huge else _USUAL[order].decode
        self._outputs, self._metadata = (3, 4) if order is Dialect.CLOUD else (4, 3)

    def look(self, element: Element, index: int, *, pending: bool) -> Job:
        """Look at one element of a list."""
        if isinstance(element, list):
            job = Job(pending, index, element)
            self._look(job, element)
            return job
        return Job(pending, index, None, write(element), strings=_strings_of(element))

    def _look_briefly(self, job: Job, texts: list[Raw]) -> None:
        is_object = _is_object(texts)
        taken = self._few(texts) if is_object else None
        if taken is None:
            job.text = _array(texts, b"{}" if is_object else None)
        else:
            job.take(*taken)

    def _look_closely(self, job: Job, texts: list[Raw]) -> None:
        taken, found, metadata = self._at_once(texts) or self._one_by_one(texts)
        if found is None:
            job.strings = strings_in(texts)
            job.leave()
            return
        job.graph, job.linked = found.graph, found.linked
        if taken is not None and metadata is not None and _fit(taken[2], found):
            job.take(*taken)
            job.strings = found.strings + 1 + len(job.outputs) + metadata
        else:
            job.text = _array(texts, found.reduced(texts[2]))
            job.strings = found.strings + strings_in(texts[:2] + texts[3:])

    def _at_once(self, texts: list[Raw]) -> _Looked | None:
        """Take a job at one go, if it holds nothing but the usual: metadata have one string then."""
        if self._usual is None or len(texts) != ARITY:
            return None
        number, prompt_id, nodes = texts[:3]
        try:
            taken = self._usual(_array((number, prompt_id, texts[self._outputs], texts[self._metadata], nodes)))
        except REFUSED:
            return None
        return taken[:4], of_nodes(taken[4]), 1

    def _one_by_one(self, texts: list[Raw]) -> _Looked:
        taken = self._few(texts)
        found = workflow(texts[2]) if _is_object(texts) else None
        return taken, found, None if taken is None else _harmless(texts[self._metadata])

    def _few(self, texts: list[Raw]) -> _Few | None:
        """Take the small elements of a job."""
        if len(texts) != ARITY:
            return None
        try:
            few: _Few = self._take(_array((texts[0], texts[1], texts[self._outputs], texts[self._metadata])))
        except REFUSED:
            return None
        return few


def _is_object(texts: Sequence[Raw]) -> bool:
    """Whether the workflow is an object."""
    return len(texts) > 2 and memoryview(texts[2])[0] == _BRACE


def strings_in(texts: Iterable[Raw]) -> int:
    """Return the number of strings in JSON texts, names of members among them."""
    return sum([quotes_in(bytes(text)) for text in texts]) // 2


def _strings_of(element: Element) -> int:
    """Return the number of strings in what is no array, but for those under a name that stands again."""
    if isinstance(element, dict):
        return len(element) + strings_in(element.values())
    return int(isinstance(element, str))


def _harmless(text: Raw) -> int | None:
    """Return the number of strings in metadata that show no credentials, None where that is not sure."""
    found = sound(text)
    return None if found is None or b"_comfy_org" in write(found[0]) else found[1]


def _fit(outputs: Sequence[str], found: Workflow) -> bool:
    """Whether a workflow is there and right, and output node ids are distinct and name nodes of it if they can."""
    if not found.members or found.faulty:
        return False
    distinct = set(outputs)
    return len(distinct) == len(outputs) and (not found.graph or distinct <= found.members.keys())


def _array(texts: Sequence[Raw], at_2: bytes | None = None) -> bytes:
    """Return the text of an array of these elements, with another one at 2."""
    parts: Iterable[Raw | bytes] = texts if at_2 is None else (*texts[:2], at_2, *texts[3:])
    return b"[%b]" % b",".join(parts)
