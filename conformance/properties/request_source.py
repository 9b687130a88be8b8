"""Generate requests with Schemathesis from the OpenAPI document of each family (group of parameters).

Requests with the values in the document (examples, enumerations, bounds) come first, then random ones. All of them are
valid by the document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from importlib.metadata import version
from itertools import chain, count, islice
from random import Random
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec
from hypothesis import strategies as st

from conformance.probe.requests import Ask
from conformance.properties.drawing import draw, operation_of
from conformance.properties.families import Family, families, interleave, label_of
from conformance.properties.generation import MOST_DECLARED
from conformance.properties.names import DECLARED, SEQUENCES
from conformance.properties.required import required_by
from conformance.spec.operation import Described
from conformance.text.json_text import texts

if TYPE_CHECKING:
    from schemathesis import Case

LONGEST: Final = 3
"""Maximum number of requests in a sequence."""
COVERAGE: Final = 0.9
"""The maximum share of requests that are made from values listed in the document. Half of the others are single random
requests, half are sequences.
"""
MIXTURES: Final = 5
"""Number of random requests that mix two cases, for each request with one case."""
_ParameterValues = dict[tuple[str, str], Any]


class RequestPart(NamedTuple):
    """A query parameter or a header of a request: its location ("query" or "header"), its name, and its value as text.

    A ``fixed`` part is required by the OpenAPI document, so it is in every request.
    """

    place: str
    name: str
    value: str
    fixed: bool = False


Parts = tuple[RequestPart, ...]


class Generated(NamedTuple):
    """A generated request: the name of its family, and its query parameters and headers."""

    family: str
    parts: Parts


class RequestSource:
    """Generates the requests for GET of the queue from an OpenAPI document and a seed.

    ``without`` has the names of headers, in lower case, that are not generated, because the user set them.
    """

    def __init__(self, described: Described, seed: int, without: Collection[str] = ()) -> None:
        self._described, self._without = described, without
        self.families = families(described.probed, described.path, without)
        self.label = label_of(described)
        self.sha256 = described.sha256
        self.schemathesis = version("schemathesis")
        self._operations = {family.name: operation_of(family) for family in self.families}
        self._seed = seed

    def requests(self, wanted: int) -> Prepared:
        """Return ``wanted`` requests in total: single ones, and sequences. Those with declared values come first."""
        declared = self.declared[: min(MOST_DECLARED, wanted)]
        coverage = [*declared, *self._coverage[1]][: max(1, len(declared), int(COVERAGE * wanted))]
        random = Random(self._seed)  # noqa: S311 - not a secret
        drawn = self._draw(max(0, wanted - len(coverage)), random)
        half = len(drawn) // 2
        sequences = _cut(drawn[half:], random)
        return Prepared(self, [*coverage, *drawn[:half]], [tuple(each.parts for each in one) for one in sequences])

    def _draw(self, number: int, random: Random) -> list[Generated]:
        """Return ``number`` random requests: some with one case that Schemathesis draws, and others that mix two cases.

        A case is in several mixtures, because drawing it takes longer than sending a request.
        """
        alone = -(-number // (1 + MIXTURES))
        cases: list[Generated] = []
        for seed in count(self._seed):
            found = list(islice(chain(cases[:alone], self._mixtures(cases), cases[alone:]), number))
            if len(found) == number:
                return random.sample(found, number)
            cases += self._cases(1 + 2 * alone // len(self.families), seed)  # about half have no optional parameter
            random.shuffle(cases)
        raise AssertionError  # count() does not end

    def _cases(self, rows: int, seed: int) -> Iterator[Generated]:
        """Draw rows of one case of each family, and yield the cases that have an optional parameter."""
        for cases in draw(self._row_strategy, rows, seed):
            for family, parts in zip(self.families, cases, strict=True):
                if _has_optional(parts):
                    yield Generated(family.name, parts)

    @cached_property
    def _row_strategy(self) -> st.SearchStrategy[tuple[Parts, ...]]:
        """One case of each family, at least one of them with an optional parameter."""
        return st.tuples(*map(self._strategy, self.families)).filter(lambda cases: any(map(_has_optional, cases)))

    def _mixtures(self, cases: Sequence[Generated]) -> Iterator[Generated]:
        """Yield a request for each two cases, first for those that are next to each other.

        If both are of the same family, list-valued headers of the second one become further lines of the first one.
        """
        repeatable = {family.name: family.repeatable for family in self.families}
        for distance in range(1, len(cases)):
            for one, other in zip(cases, cases[distance:], strict=False):
                if one.family != other.family:
                    yield Generated(SEQUENCES, _join(one.parts, other.parts))
                elif lines := [part for part in other.parts if part.name in repeatable[one.family]]:
                    yield Generated(one.family, (*one.parts, *lines))

    @cached_property
    def required(self) -> Parts:
        """The required query parameters and headers, with the values that are in every request."""
        found = required_by(self._described, self._without)
        headers = (RequestPart("header", name, value, fixed=True) for name, value in found.headers)
        return (*(RequestPart("query", name, value, fixed=True) for name, value in found.query), *headers)

    @property
    def declared(self) -> list[Generated]:
        """The requests with the values of parameters that the document itself declares."""
        return self._coverage[0]

    @cached_property
    def _coverage(self) -> tuple[list[Generated], list[Generated]]:
        """The requests with the values in the document: those of declared parameters, and the others."""
        random = Random(self._seed)  # noqa: S311 - not a secret
        declared: list[list[Generated]] = []
        others: list[list[Generated]] = []
        for family in self.families:
            rows = [self._row(family, row) for row in family.coverage(random)]
            rows += self._on_several_lines(family, random)
            (declared if family.name == DECLARED else others).append(rows)
        return list(interleave(declared)), list(interleave(others))

    def _row(self, family: Family, row: _ParameterValues) -> Generated:
        values: dict[str, dict[str, Any]] = {"query": {}, "header": {}, "cookie": {}}
        for (place, name), value in row.items():
            values[place][name] = value
        operation = self._operations[family.name]
        case = operation.Case(
            query=values["query"],
            headers={name: texts(each)[0] for name, each in values["header"].items()},
            cookies={name: texts(each)[0] for name, each in values["cookie"].items()},
        )
        return Generated(family.name, self._complete(_parts(case, self._fixed(family))))

    def _on_several_lines(self, family: Family, random: Random) -> list[Generated]:
        """Return a request in which each list-valued header has two lines. Empty if the family has no such header."""
        rows = [self._row(family, row).parts for row in family.coverage(random)]
        lines = []
        for name in sorted(family.repeatable):
            lines += [part for parts in rows for part in parts if part.place == "header" and part.name == name][:2]
        return [Generated(family.name, self._complete(tuple(lines)))] if lines else []

    def _strategy(self, family: Family) -> st.SearchStrategy[Parts]:
        cases: st.SearchStrategy[Case[Any]] = self._operations[family.name].as_strategy()
        fixed = self._fixed(family)
        return cases.map(lambda case: self._complete(_parts(case, fixed)))

    def _fixed(self, family: Family) -> set[tuple[str, str]]:
        return {(each["in"], each["name"]) for each in family.required}

    def _complete(self, parts: Parts) -> Parts:
        """Return the parts of a request, with the required parts added that it lacks."""
        there = {part[:2] for part in parts}
        return (*(part for part in self.required if part[:2] not in there), *parts)

    def read_back(self, value: bytes) -> tuple[Parts, ...]:
        """Decode a sequence of requests that ``written`` serialised. Empty if it would not be generated any more."""
        try:
            found = msgspec.json.decode(value, type=tuple[tuple[RequestPart, ...], ...])
        except msgspec.MsgspecError:
            return ()
        members = [each for family in self.families for each in (*family.parameters, *family.required)]
        known = {(each["in"], each["name"].lower()) for each in members} | {("header", "cookie")}
        parts = [part for each in found for part in each]
        if not all((part.place, part.name.lower()) in known and part.value.isprintable() for part in parts):
            return ()
        return found if len(found) <= LONGEST + 1 else ()


class Prepared(NamedTuple):
    """The generated requests of a run: single ones, and sequences."""

    source: RequestSource
    singles: list[Generated]
    sequences: list[tuple[Parts, ...]]


def ask_of(parts: Parts) -> Ask:
    """Return the request with these query parameters and headers."""
    query = urlencode([(name, value) for place, name, value, _ in parts if place == "query"])
    return _make_ask(tuple((name, value) for place, name, value, _ in parts if place == "header"), query)


def in_words(parts: Parts) -> str:
    """Return the optional parameters of a request as text, such as ``?depth=7``. Without any, the required ones."""
    named = [part for part in parts if not part.fixed] or parts
    return ", ".join(f"?{name}={value}" if place == "query" else f"{name}: {value}" for place, name, value, _ in named)


def written(parts: Sequence[Parts]) -> bytes:
    """Serialise a sequence of requests to bytes, for Hypothesis's example database."""
    return msgspec.json.encode(parts)


def _parts(case: Case[Any], fixed: Collection[tuple[str, str]]) -> Parts:
    """Return the query parameters, headers and cookies of a Schemathesis case."""
    query = [
        RequestPart("query", name, text, ("query", name) in fixed)
        for name, value in (case.query or {}).items()
        for text in texts(value)
    ]
    headers = [
        RequestPart("header", name, text, ("header", name) in fixed)
        for name, value in (case.headers or {}).items()
        for text in texts(value)
    ]
    pairs = [f"{name}={text}" for name, value in (case.cookies or {}).items() for text in texts(value)]
    if pairs:
        headers.append(RequestPart("header", "Cookie", "; ".join(pairs), any(place == "cookie" for place, _ in fixed)))
    return (*query, *headers)


def _has_optional(parts: Parts) -> bool:
    return any(not part.fixed for part in parts)


def _cut(requests: Sequence[Generated], random: Random) -> Iterator[Sequence[Generated]]:
    """Cut requests into sequences of two to ``LONGEST``. The last one may have only one request."""
    start = 0
    while start < len(requests):
        end = start + random.randint(2, LONGEST)
        yield requests[start:end]
        start = end


def _join(one: Parts, other: Parts) -> Parts:
    there = {part[:2] for part in one}
    return (*one, *(part for part in other if part[:2] not in there))


def _make_ask(headers: tuple[tuple[str, str], ...], query: str) -> Ask:
    names = [*(["query"] if query else []), *dict.fromkeys(name for name, _ in headers)]
    return Ask(f"generated: {', '.join(names) or 'nothing added'}", headers=headers, query=query)
