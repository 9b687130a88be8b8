"""The fast path: verify that single jobs conform, one after another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from conformance.contract.reading.body import ARITY, EPOCH_MS_FIRST, EPOCH_MS_LAST, LISTS, PLACES
from conformance.contract.reading.fast_split import REFUSED, Split, split_array, write
from conformance.contract.reading.fast_workflow import InspectedWorkflow, Nodes, of_nodes, sound, workflow
from conformance.contract.reading.memory import Facts, Located, Observation, Remembered
from conformance.contract.terms import Dialect
from conformance.contract.values import SAFE_INTEGER, UUID
from conformance.text.credentials import may_hold_some
from conformance.text.json_bytes import members_at_most
from conformance.text.strict_json import parse

_EXACT: Final = float(1 << 52)
"""If a number was parsed as a float of at most this size, the number in the text was below 2^53, whatever was rounded.
"""
_Number = Annotated[int, Meta(ge=1)]
_SafeNumber = Annotated[int, Meta(ge=1, le=SAFE_INTEGER)]
_SafeOssNumber = Annotated[int, Meta(ge=-SAFE_INTEGER, le=SAFE_INTEGER)] | Annotated[float, Meta(ge=-_EXACT, le=_EXACT)]
_Id = Annotated[str, Meta(pattern=rf"\A(?:{UUID.pattern})\Z")]
_LowerId = Annotated[str, Meta(pattern=rf"\A(?:{UUID.pattern.replace('A-F', '')})\Z")]
_Outputs = Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(min_length=1)]


class _Metadata(Struct, gc=False):
    create_time: Annotated[int, Meta(ge=EPOCH_MS_FIRST, lt=EPOCH_MS_LAST)]


class _UsualMetadata(_Metadata, gc=False, forbid_unknown_fields=True):
    """Metadata with create_time and no other member."""


_DecoderByOrder = Mapping[Dialect, msgspec.json.Decoder[Any]]
_MUST: Final[_DecoderByOrder] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_Number, _Id, list[str], _Metadata]),
    Dialect.OSS: msgspec.json.Decoder(tuple[int | float, _Id, list[str], _Metadata]),
}
"""By dialect: a decoder that accepts number, id, output node ids and metadata only if they keep all `must` clauses."""
_ALL: Final[_DecoderByOrder] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_SafeNumber, _LowerId, _Outputs, _Metadata]),
    Dialect.OSS: msgspec.json.Decoder(tuple[_SafeOssNumber, _LowerId, _Outputs, _Metadata]),
}
_USUAL: Final[_DecoderByOrder] = {
    Dialect.CLOUD: msgspec.json.Decoder(tuple[_SafeNumber, _LowerId, Nodes, _Outputs, _UsualMetadata]),
    Dialect.OSS: msgspec.json.Decoder(tuple[_SafeOssNumber, _LowerId, Nodes, _UsualMetadata, _Outputs]),
}
"""By dialect: a decoder that accepts only a job with a workflow as the frontend writes it, and with usual metadata."""
_BRACE, _BRACKET = b"{["
_Few = tuple[float, str, list[str], _Metadata]


class Inspection(Struct, gc=False):
    """What the fast path found out about one element of ``queue_running`` or ``queue_pending``.

    ``element`` is its JSON text, or the texts of its elements if it is an array. ``remaining`` is the text that the
    clauses must still check, or None if the job was verified. Number, id, output node ids and create_time are set only
    for a verified job. ``members`` counts the members of all objects in the element: in the parsed value, or in the text
    if the clauses still check that. ``graph`` says that the workflow is an API graph, and ``linked`` that it has links.
    """

    element: Raw | Split
    remaining: bytes | None = None
    number: float = 0
    prompt_id: str = ""
    outputs: Sequence[str] = ()
    create_time: int = 0
    members: int = 0
    graph: bool = False
    linked: bool = False
    kept: Facts | None = None
    key: bytes = b""
    """A digest of the text of the element, if it is compared with other elements."""

    def with_element(self, element: Raw | None) -> Inspection:
        """Return the same inspection for ``element``, which has the same text."""
        return Inspection(
            element,
            self.remaining,
            self.number,
            self.prompt_id,
            self.outputs,
            self.create_time,
            self.members,
            self.graph,
            self.linked,
            key=self.key,
        )

    @property
    def is_array(self) -> bool:
        """Whether the element is an array, so that it may be a job."""
        element = self.element
        return memoryview(element)[0] == _BRACKET if isinstance(element, Raw) else isinstance(element, list)

    @property
    def size(self) -> int:
        """The length of the element in bytes. 0 if the element was split into the texts of its own elements."""
        return memoryview(self.element).nbytes if isinstance(self.element, Raw) else 0

    @property
    def texts(self) -> Sequence[Raw] | None:
        """The JSON texts of the elements of the job, or None if it is not an array."""
        if isinstance(self.element, Raw):
            return split_array(self.element) if self.is_array else None
        return self.element if isinstance(self.element, list) else None

    def elements(self, order: Dialect) -> list[Any]:
        """Return the five elements of a verified job, with an empty workflow and create_time as the only metadata."""
        number = self.number
        if not isinstance(number, int):
            assert self.texts is not None
            number = parse(bytes(self.texts[0])).value  # as it was written
        pair: list[Any] = [self.outputs, {"create_time": self.create_time}]
        return [number, self.prompt_id, {}, *(pair if order is Dialect.CLOUD else reversed(pair))]

    def facts(self, order: Dialect) -> Facts:
        """Return the data of a verified job that must be the same in every response."""
        if self.kept is None:
            texts, (outputs, metadata) = self.texts, PLACES[order]
            assert texts is not None
            self.kept = Facts(
                Located("/2", Remembered(text=texts[2])),
                Located(f"/{outputs}", Remembered(text=texts[outputs])),
                Located(f"/{metadata}/create_time", self.create_time),
            )
        return self.kept


class InspectedJob(NamedTuple):
    """An inspected element of a list, with its place: which list, and its index."""

    pending: bool
    place: int
    inspection: Inspection

    @property
    def pointer(self) -> str:
        """The JSON Pointer of the element."""
        return f"/{LISTS[self.pending]}/{self.place}"

    def observation(self, order: Dialect) -> Observation:
        """Return the data of a verified job that is compared with the same job in other responses."""
        return Observation(self.pointer, self.pending, self.inspection.facts(order))


class _Small:
    """Decodes all elements of a job except the workflow, for one order of elements."""

    def __init__(self, decoders: _DecoderByOrder, order: Dialect) -> None:
        self._decode = decoders[order].decode
        self.outputs, self.metadata = PLACES[order]

    def decode(self, texts: Sequence[Raw]) -> _Few | None:
        if len(texts) != ARITY:
            return None
        try:
            few: _Few = self._decode(_array((texts[0], texts[1], texts[self.outputs], texts[self.metadata])))
        except REFUSED:
            return None
        return few


class MustProver:
    """Inspects jobs by the `must` clauses only, for one order of elements. It does not parse workflows."""

    def __init__(self, order: Dialect) -> None:
        self._small = _Small(_MUST, order)

    def inspect(self, element: Split) -> Inspection:
        """Inspect one element of ``queue_running`` or ``queue_pending``."""
        if not isinstance(element, list):
            return Inspection(element, write(element))
        is_object = _is_object(element)
        few = self._small.decode(element) if is_object else None
        if few is None:
            return Inspection(element, _array(element, b"{}" if is_object else None))
        number, prompt_id, outputs, metadata = few
        return Inspection(element, None, number, prompt_id, outputs, metadata.create_time)


class Prover:
    """Inspects jobs by all clauses, for one order of elements.

    ``huge`` says that the body may contain numbers beyond the range of a double.
    """

    def __init__(self, order: Dialect, *, huge: bool) -> None:
        self._small = _Small(_ALL, order)
        self._usual = None if huge else _USUAL[order].decode

    def inspect(self, element: Raw) -> Inspection:
        """Inspect one element of ``queue_running`` or ``queue_pending``."""
        return self._at_once(element) or self._one_by_one(element)

    def refuses(self, element: Raw) -> bool:
        """Whether an element cannot be proven, whatever its workflow is."""
        return self._small.decode(_texts(element)) is None

    def _at_once(self, element: Raw) -> Inspection | None:
        """Verify a job in one pass. None if it has unusual members, or other metadata than ``create_time``."""
        if self._usual is None:
            return None
        try:
            job = self._usual(element)
        except REFUSED:
            return None
        few, found = (job[0], job[1], job[self._small.outputs], job[self._small.metadata]), of_nodes(job[2])
        return _proven(element, few, found, 1) if _fit(few[2], found) else None

    def _one_by_one(self, element: Raw) -> Inspection:
        texts = _texts(element)
        found = workflow(texts[2]) if _is_object(texts) else None
        if found is None:
            return not_inspected(element)
        few = self._small.decode(texts)
        in_metadata = None if few is None else _harmless(texts[self._small.metadata])
        if few is not None and in_metadata is not None and _fit(few[2], found):
            return _proven(element, few, found, in_metadata)
        members = found.members + members_in(chain(texts[:2], texts[3:]))
        remaining = _array(texts, found.reduced(texts[2]))
        return Inspection(element, remaining, members=members, graph=found.graph, linked=found.linked)


def _proven(element: Raw, few: _Few, found: InspectedWorkflow, in_metadata: int) -> Inspection:
    """Return the inspection of a verified job. ``in_metadata`` is the number of members in its metadata."""
    number, prompt_id, outputs, metadata = few
    members = found.members + in_metadata
    return Inspection(
        element, None, number, prompt_id, outputs, metadata.create_time, members, found.graph, found.linked
    )


must_prover: Final = cache(MustProver)
prover: Final = cache(Prover)


def without_refused(
    by: Prover, numbered: Iterable[tuple[int, Raw]], *, pending: bool
) -> tuple[list[tuple[int, Raw]], list[InspectedJob]]:
    """Return the elements that may be proven, and the others as jobs of which no text remains to be checked."""
    others, refused = list[tuple[int, Raw]](), list[InspectedJob]()
    for at, element in numbered:
        if by.refuses(element):
            refused.append(InspectedJob(pending, at, Inspection(element, b"")))
        else:
            others.append((at, element))
    return others, refused


def not_inspected(element: Raw) -> Inspection:
    """Return the inspection of an element that the clauses must check as a whole."""
    return Inspection(element, bytes(element), members=members_in([element]))


def members_in(texts: Iterable[Raw]) -> int:
    """Count the members of all objects in JSON texts. The result may be too high, but is never too low."""
    return sum([members_at_most(bytes(text)) for text in texts])


def _texts(element: Raw) -> Sequence[Raw]:
    """Return the texts of the elements of an array, and none for another value."""
    return split_array(element) if memoryview(element)[0] == _BRACKET else ()


def _is_object(texts: Sequence[Raw]) -> bool:
    """Whether the workflow (element 2) is an object."""
    return len(texts) > 2 and memoryview(texts[2])[0] == _BRACE


def _harmless(text: Raw) -> int | None:
    """Return the number of members in the metadata, or None if the metadata may contain credentials.

    The value is searched as it is written without escapes, which could hide the name of a credential.
    """
    found = sound(text)
    return None if found is None or may_hold_some(write(found[0])) else found[1]


def _fit(outputs: Sequence[str], found: InspectedWorkflow) -> bool:
    """Whether a workflow conforms, and the output node ids are distinct and, if it is an API graph, name its nodes."""
    if not found.nodes or found.faulty:
        return False
    distinct = set(outputs)
    return len(distinct) == len(outputs) and (not found.graph or distinct <= found.nodes.keys())


def _array(texts: Sequence[Raw], at_2: bytes | None = None) -> bytes:
    """Return the JSON text of an array of these elements, with ``at_2`` in place of element 2 if given."""
    parts: Iterable[Raw | bytes] = texts if at_2 is None else (*texts[:2], at_2, *texts[3:])
    return b"[%b]" % b",".join(parts)
