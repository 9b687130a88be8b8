"""The library: ``conformance.validate`` for the bytes of a body. No pytest, no network."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import Final

from conformance.contract.ask import subjects_by_clause
from conformance.contract.catalogue import BY_ID, CATALOGUE
from conformance.contract.clause import Clause, Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.any_size import reading_of
from conformance.contract.reading.body import Reading
from conformance.contract.terms import Demand, Dialect, FastPath, Level
from conformance.exchange.model import Exchange, Request, Response

BytesLike = bytes | bytearray | memoryview
LIMIT: Final = 1000
"""Maximum number of findings returned for a body, unless the caller sets another limit."""
_PLACES: Final = {name: place for place, name in enumerate(BY_ID)}
_ASKED: Final = Request("GET", "body:///api/queue", purpose="a body")


class Validator:
    """Finds violations of the contract in the bodies of 200 responses to ``GET /api/queue``.

    ``dialect`` is ``cloud`` (the order of elements in the published OpenAPI document), ``oss`` (ComfyUI's own order) or
    ``auto`` (detected by the first job whose element 3 is an array or an object). ``must_only`` leaves out every
    `should` clause. Then workflows are not parsed, and checking a body takes little longer than reading its bytes.
    Raises ValueError for another dialect.

    One validator can be used by any number of threads. It keeps no part of the bodies.
    """

    def __init__(self, dialect: Dialect | str = Dialect.CLOUD, *, must_only: bool = False) -> None:
        if dialect not in set(Dialect):
            raise ValueError(f"dialect is {dialect!r}: cloud, oss or auto")
        self._demand = Demand.of(Dialect(dialect))
        self._must_only = must_only
        self._brief = None if must_only else Validator(dialect, must_only=True)

    def validate(self, body: BytesLike, *, limit: int | None = LIMIT) -> tuple[Finding, ...]:
        """Return the violations in a body, clause by clause. Empty if the body conforms.

        If there are more than ``limit`` findings, the first ones of each clause are returned, and the message of the
        last one says how many more there are. ``None`` returns all of them, which can need a hundred times as much
        memory as the body.

        Each finding has the id of its ``clause`` (``comfy-conformance clauses ID`` explains it), its ``level``, and a
        JSON Pointer into the body. Clauses that need headers or a clock do not apply. A body that is nested too deeply
        to be parsed (clause ``json.nesting``) is still checked by every `must` clause, because no `must` clause looks
        into workflows. Never raises because of the contents of the body. Raises TypeError if ``body`` is not bytes.
        """
        if not isinstance(body, BytesLike):
            raise TypeError(f"body is {type(body).__name__}: give the bytes of the response body")
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}: give 1 or more, or None for all findings")
        content = bytes(body)
        reading = reading_of(content, self._demand, must_only=self._must_only)
        if self._demand.open and (shown := reading.order) is not None:
            reading = reading_of(content, Demand.detected(*shown), must_only=self._must_only)
        clauses = _clauses_for(reading.demand.dialect, reading.demand.read_as, must_only=self._must_only)
        proofs = _proofs(reading.demand.dialect, reading.demand.read_as, must_only=self._must_only)
        if proofs is not None and reading.keeps(proofs):
            return ()
        if self._brief is not None and reading.reduced.document.too_deep:
            should = {name: entry for name, entry in clauses.items() if entry[1] is not Level.MUST}
            both = (*_findings(should, content, reading, limit), *self._brief.validate(content, limit=limit))
            return tuple(sorted(both, key=lambda finding: _PLACES[finding.clause]))
        return _findings(clauses, content, reading, limit)


def validate(
    body: BytesLike, *, dialect: Dialect | str = Dialect.CLOUD, must_only: bool = False, limit: int | None = LIMIT
) -> tuple[Finding, ...]:
    """Return the violations in the body of a 200 response to ``GET /api/queue``. See ``Validator``."""
    return _validator(dialect, must_only=must_only).validate(body, limit=limit)


@cache
def _validator(dialect: Dialect | str, *, must_only: bool) -> Validator:
    return Validator(dialect, must_only=must_only)


@cache
def _clauses_for(dialect: Dialect, read_as: Dialect, *, must_only: bool) -> Mapping[str, tuple[Clause, Level]]:
    """Return the clauses that need only a body, by id, each with its level under a dialect."""
    demand = Demand(dialect, read_as, "")
    levels = ((clause, clause.level_in(demand)) for clause in CATALOGUE if clause.of_body or clause.fast)
    found = ((clause, level) for clause, level in levels if level is not None)
    return MappingProxyType(
        {clause.id: (clause, level) for clause, level in found if level is Level.MUST or not must_only}
    )


@cache
def _proofs(dialect: Dialect, read_as: Dialect, *, must_only: bool) -> frozenset[FastPath] | None:
    """Return what the fast path must verify so that a body conforms to every clause.

    None if there is a clause without ``fast``.
    """
    declared = {clause.fast for clause, _ in _clauses_for(dialect, read_as, must_only=must_only).values()}
    return None if None in declared else frozenset(fast for fast in declared if fast is not None)


def _findings(
    clauses: Mapping[str, tuple[Clause, Level]], content: bytes, reading: Reading, limit: int | None
) -> tuple[Finding, ...]:
    response = Response(200, content=content, head=False)
    answer = Answer(Exchange("body", _ASKED, response), response, reading)
    found: dict[str, list[Finding]] = {name: [] for name in clauses}
    more = 0
    for each in subjects_by_clause([clause for clause, _ in clauses.values()], answer):
        kept, level = found[each.clause.id], clauses[each.clause.id][1]
        for finding in chain.from_iterable(map(each.clause.check, each.subjects)):
            if limit is None or len(kept) < limit:
                kept.append(finding._replace(clause=each.clause.id, level=level))
            else:
                more += 1
            more += each.reading.weight(finding.pointer) - 1
    return _limited(list(found.values()), more, limit)


def _limited(found: Sequence[list[Finding]], more: int, limit: int | None) -> tuple[Finding, ...]:
    """Return at most ``limit`` findings of all clauses together. ``more`` is the number of findings left out before."""
    total = sum(map(len, found))
    if limit is not None and total > limit:
        broken = max(found, key=len)
        share = (
            bisect_right(range(len(broken)), limit, key=lambda share: sum(min(len(each), share) for each in found)) - 1
        )
        found = [each[:share] for each in found] if share else [each[:1] for each in found]
    kept = tuple(chain.from_iterable(found))
    more += total - len(kept)
    if not more or not kept:
        return kept
    return (*kept[:-1], kept[-1]._replace(message=f"{kept[-1].message} There are {more:,} more findings."))
