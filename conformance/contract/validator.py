"""The library: ``conformance.validate`` for a body that is there. No pytest, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from conformance.contract.ask import subjects
from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.fast import FastReading
from conformance.contract.terms import Demand, Dialect, FastPath, Level
from conformance.exchange.model import Exchange, Request, Response

Body = bytes | bytearray | memoryview
_PLACES: Final = {name: place for place, name in enumerate(BY_ID)}
_ASKED: Final = Request("GET", "body:///api/queue", purpose="a body")


class Validator:
    """Says what breaks the contract in bodies of ``GET /api/queue``, answered with 200.

    ``dialect`` is ``cloud`` (the published document), ``oss`` (ComfyUI's own order) or ``auto`` (told by element 3 of
    the first job that tells it). ``must_only`` leaves out every `should`: then nothing inside workflows is built, and
    a body costs about as much as to read its bytes. Raises ValueError for another dialect.

    Make it once and use it from as many threads as you like: it holds nothing of any body.
    """

    def __init__(self, dialect: Dialect | str = Dialect.CLOUD, *, must_only: bool = False) -> None:
        if dialect not in set(Dialect):
            raise ValueError(f"dialect is {dialect!r}: cloud, oss or auto")
        self._demand = Demand.of(Dialect(dialect))
        self._must_only = must_only
        self._brief = None if must_only else Validator(dialect, must_only=True)

    def validate(self, body: Body) -> tuple[Finding, ...]:
        """Return the breaches, clause by clause, in the order of the catalogue; none where the body conforms.

        Each names its ``clause`` (``comfy-conformance clauses ID`` has the reason) and ``level``, and points into the
        body. What needs headers or a clock is not asked. A body that nests deeper than is read (``json.nesting``) is
        asked every `must` all the same: none of them looks into workflows. Never raises for what stands in the body;
        TypeError where it is no bytes.
        """
        if not isinstance(body, Body):
            raise TypeError(f"body is {type(body).__name__}: give the bytes of the answer")
        content = bytes(body)
        reading = FastReading(content, self._demand, must_only=self._must_only)
        if self._demand.open and (told := reading.order) is not None:
            reading = FastReading(content, Demand.told_by(*told), must_only=self._must_only)
        clauses = _asked(reading.demand.dialect, reading.demand.read_as, must_only=self._must_only)
        proofs = _proofs(reading.demand.dialect, reading.demand.read_as, must_only=self._must_only)
        if proofs is not None and reading.keeps(proofs):
            return ()
        found = tuple(_findings(clauses, content, reading))
        if self._brief is None or not reading.reduced.document.too_deep:
            return found
        should = (finding for finding in found if finding.level is not Level.MUST)
        return tuple(sorted((*should, *self._brief.validate(content)), key=lambda finding: _PLACES[finding.clause]))


def validate(body: Body, *, dialect: Dialect | str = Dialect.CLOUD, must_only: bool = False) -> tuple[Finding, ...]:
    """Return what breaks the contract in a body of ``GET /api/queue`` that was answered with 200: see ``Validator``."""
    return _validator(dialect, must_only=must_only).validate(body)


@cache
def _validator(dialect: Dialect | str, *, must_only: bool) -> Validator:
    return Validator(dialect, must_only=must_only)


@cache
def _asked(dialect: Dialect, read_as: Dialect, *, must_only: bool) -> Mapping[str, tuple[Clause, Level]]:
    """Return the clauses of a body, by id, with their levels under a dialect."""
    demand = Demand(dialect, read_as, "")
    levels = ((clause, clause.level_in(demand)) for clause in CATALOGUE if clause.of_body or clause.fast)
    found = ((clause, level) for clause, level in levels if level is not None)
    return MappingProxyType(
        {clause.id: (clause, level) for clause, level in found if level is Level.MUST or not must_only}
    )


@cache
def _proofs(dialect: Dialect, read_as: Dialect, *, must_only: bool) -> frozenset[FastPath] | None:
    """Return what all clauses of a body declare, None where one of them declares nothing."""
    declared = {clause.fast for clause, _ in _asked(dialect, read_as, must_only=must_only).values()}
    return None if None in declared else frozenset(fast for fast in declared if fast is not None)


def _findings(clauses: Mapping[str, tuple[Clause, Level]], content: bytes, reading: FastReading) -> Iterator[Finding]:
    response = Response(200, content=content, head=False)
    answer = Answer(Exchange("body", _ASKED, response), response, reading)
    for clause, level in clauses.values():
        for subject in subjects(clause, answer)[1]:
            for finding in clause.check(subject):
                yield finding._replace(clause=clause.id, level=level)
