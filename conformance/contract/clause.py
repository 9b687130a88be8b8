"""Clause: one sentence of the contract, where it comes from, and the function that finds its breaches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import msgspec

from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.terms import Demand, Dialect, Difference, FastPath, Level
from conformance.exchange.model import Request

PUBLISHED: Final = "openapi-cloud.yaml"
"""In github.com/Comfy-Org/docs: the document whose excerpt is vendored."""


class Source(msgspec.Struct, frozen=True):
    """Where a sentence stands: a JSON Pointer into the vendored document with the exact quote, or an RFC section.

    ``document`` names another document that the pointer is into, one that is published and not vendored.
    """

    pointer: str | None = None
    quote: str | None = None
    rfc: str | None = None
    document: str | None = None

    def __str__(self) -> str:
        return self.rfc or f"{self.document or ''}#{self.pointer}"


def doc(pointer: str, quote: str) -> Source:
    """Name a place in the vendored document and the words that stand there."""
    return Source(pointer=pointer, quote=quote)


def published(pointer: str, quote: str) -> Source:
    """Name a place in the published document that the vendored one is an excerpt of, and the words that stand there.

    The excerpt has reading the queue alone. Who has the whole document compares the words with it:
    ``python tests/published.py openapi-cloud.yaml``.
    """
    return Source(pointer=pointer, quote=quote, document=PUBLISHED)


def rfc(section: str, quote: str) -> Source:
    """Name an RFC and section, with the sentence that is relied upon."""
    return Source(rfc=section, quote=quote)


class Cause(NamedTuple):
    """One of the ways in which a clause is broken, told from the others: a word that stays, and a hint for the reader.

    Registers of known deviations hold ``kind``: it belongs to the interface, as the clause's id does. The words of
    ``hint`` may change; None where the finding says it all.
    """

    kind: str
    hint: str | None = None


class Finding(NamedTuple):
    """One breach.

    ``pointer`` is a JSON Pointer into the response body, "" for the whole, None where the fault is
    not in the body. ``expected`` and ``cause`` come from the suite alone; ``got`` and ``message``
    may show what the server sent, made printable and bounded by ``show``. ``clause``, an id, and ``level`` are told
    by ``conformance.validate``; what asks a single clause knows both.
    """

    pointer: str | None
    expected: str
    got: str
    message: str
    cause: Cause | None = None
    clause: str = ""
    level: Level | None = None

    @property
    def kind(self) -> str:
        """The kind of the cause, "" where there is none."""
        return self.cause.kind if self.cause else ""

    @property
    def hint(self) -> str | None:
        """The likely cause in words."""
        return self.cause.hint if self.cause else None


Check = Callable[[Any], Iterator[Finding]]
"""Takes one subject, yields its breaches."""

Over = Callable[[Answer], Iterable[Any]]
"""Yields what a clause speaks of in one answer. Nothing yielded: the clause was not exercised by it."""

OfBody = Callable[[Reading], Iterable[Any]]
"""The same, of the body of a queue that is shown, and of nothing else: equal bodies have equal findings."""

Across = Callable[[Conversation], Iterable[tuple[Answer, Any]]]
"""The same over all answers of a run; each subject comes with the answer that a breach is charged to."""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One sentence of the contract.

    ``oss`` is what ComfyUI does otherwise by design, where that takes the clause away under that dialect, or
    softens it. ``only`` names the dialects in which it is asked at all, with ``elsewhere`` saying why.
    ``core`` clauses must have been exercised for a run to be conformant. ``needs`` says in words what
    has to come up for the clause to be exercised. ``kinds`` are those of the causes that it tells apart.
    ``own_document`` marks one that is asked only if the user gave a document.
    ``since`` is the edition of the suite that it came with.
    ``keeps`` and ``breaks`` are examples in the notation of the wire.
    ``fast`` says what the fast path proves for the clause, None where it proves nothing: then the clause is asked of
    the whole body.
    """

    id: str
    title: str
    level: Level
    source: Source
    why: str
    keeps: str
    breaks: str
    needs: str
    core: bool
    oss: Difference | None
    only: frozenset[Dialect]
    elsewhere: str | None
    since: int
    kinds: tuple[str, ...]
    fast: FastPath | None
    own_document: bool
    over: Over | None = field(repr=False)
    of_body: OfBody | None = field(repr=False)
    across: Across | None = field(repr=False)
    check: Check = field(repr=False)

    @property
    def subject(self) -> str:
        """The first word of the id: the pytest marker, and the name of the file in ``contract/clauses/`` or its beginning."""
        return self.id.partition(".")[0]

    def speaks_of(self, request: Request) -> bool:
        """Whether the clause may be asked of the answer to a request: most speak of the queue, and of no other operation."""
        return request.operation is None or self.subject == "lifecycle" or self.id == "auth.key-not-echoed"

    def level_in(self, demand: Demand) -> Level | None:
        """Return the level under a dialect, None where the clause is not asked.

        Where AUTO was told nothing the lesser of both levels holds: nobody is accused of being ComfyUI.
        """
        if demand.dialect not in self.only or (self.own_document and demand.schemas is None):
            return None
        if self.oss is None or demand.read_as is Dialect.CLOUD:
            return self.level
        return Level.SHOULD if self.oss.softens else None

    def not_asked(self, demand: Demand) -> str | None:
        """Say why the clause is not asked under a dialect; None where it is."""
        if demand.dialect not in self.only:
            return self.elsewhere
        if self.own_document and demand.schemas is None:
            return "asked only with --document"
        return None if self.oss is None or self.level_in(demand) else self.oss.says


def _where_shown(of_body: OfBody, *, of_jobs: bool) -> Over:
    def over(answer: Answer) -> Iterable[Any]:
        return of_body(answer.reading) if answer.shows_queue or (of_jobs and answer.shows_part) else ()

    return over


_OF_JOBS: Final = ("item.", "queue.", "workflow.", "privacy.")
"""Clauses that a part of the jobs can break: of a body that a recorder cut off they are asked too."""


def clause(  # noqa: PLR0913 - one keyword for each part of a clause; they are read as a form
    clause_id: str,
    level: Level,
    *,
    title: str,
    source: Source,
    why: str,
    keeps: str,
    breaks: str,
    needs: str = "an answer of 200 to a read",
    core: bool = False,
    oss: Difference | None = None,
    only: frozenset[Dialect] = frozenset(Dialect),
    elsewhere: str | None = None,
    since: int = 1,
    kinds: tuple[str, ...] = (),
    fast: FastPath | None = None,
    own_document: bool = False,
    over: Over | None = None,
    of_body: OfBody | None = None,
    across: Across | None = None,
) -> Callable[[Check], Clause]:
    """Make the decorated function the check of a clause.

    The function is called once for each subject that ``over`` (one answer), ``of_body`` (the body of a queue that
    one shows) or ``across`` (the run) yields; a clause with no subject was not exercised, so a check cannot pass
    by looking at nothing.
    """
    if [over, of_body, across].count(None) != 2:
        msg = f"{clause_id}: exactly one of over, of_body and across"
        raise TypeError(msg)
    if of_body is not None:
        over = _where_shown(of_body, of_jobs=clause_id.startswith(_OF_JOBS))

    def make(check: Check) -> Clause:
        return Clause(
            id=clause_id,
            title=title,
            level=level,
            source=source,
            why=why,
            keeps=keeps,
            breaks=breaks,
            needs=needs,
            core=core,
            oss=oss,
            only=only,
            elsewhere=elsewhere,
            since=since,
            kinds=kinds,
            fast=fast,
            own_document=own_document,
            over=over,
            of_body=of_body,
            across=across,
            check=check,
        )

    return make
