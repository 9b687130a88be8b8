"""Clause: one sentence of the contract, its source, and the function that finds violations."""

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
"""The published document in github.com/Comfy-Org/docs. The vendored document is an excerpt of it."""


class Source(msgspec.Struct, frozen=True):
    """The source of a clause: a JSON Pointer into the vendored document, or an RFC section, and the exact quote.

    ``document`` names the published document if the pointer leads into that one. ``inferred`` is set if the quote
    does not state the clause in so many words, and says what the quote leaves open.
    """

    pointer: str | None = None
    quote: str | None = None
    rfc: str | None = None
    document: str | None = None
    inferred: str | None = None

    def __str__(self) -> str:
        return self.rfc or f"{self.document or ''}#{self.pointer}"


def doc(pointer: str, quote: str) -> Source:
    """Name a place in the vendored document and quote its words."""
    return Source(pointer=pointer, quote=quote)


def published(pointer: str, quote: str) -> Source:
    """Name a place in the published document, of which the vendored one is an excerpt, and quote its words.

    The excerpt contains only the operation that reads the queue. To compare the words with the whole document:
    ``python tests/helpers/published_quotes.py openapi-cloud.yaml``.
    """
    return Source(pointer=pointer, quote=quote, document=PUBLISHED)


def rfc(section: str, quote: str) -> Source:
    """Name the section of an RFC and quote its words."""
    return Source(rfc=section, quote=quote)


def inferred(source: Source, reason: str) -> Source:
    """Mark a clause that follows from the quoted words, but that they do not state. ``reason`` says what they leave open."""
    return msgspec.structs.replace(source, inferred=reason)


class Cause(NamedTuple):
    """One of several ways to break a clause: a stable word, and a hint for the reader.

    Registers of known deviations contain ``kind``, so it is part of the public interface, as is the clause's id.
    The text of ``hint`` may change. It is None if the finding needs no hint.
    """

    kind: str
    hint: str | None = None


class Finding(NamedTuple):
    """One violation of a clause.

    ``pointer`` is a JSON Pointer into the response body: "" for the whole body, None if the problem is not in the
    body. ``expected`` and ``cause`` never contain text from the server. ``got`` and ``message`` may; ``show`` has
    made
    it printable and limited its length. ``conformance.validate`` sets ``clause`` (an id) and ``level``; a check
    leaves
    them empty.
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
        """The kind of the cause, or "" without a cause."""
        return self.cause.kind if self.cause else ""

    @property
    def hint(self) -> str | None:
        """The likely cause in words."""
        return self.cause.hint if self.cause else None


Check = Callable[[Any], Iterator[Finding]]
"""Takes one subject and yields its violations."""

Over = Callable[[Answer], Iterable[Any]]
"""Yields the parts of one response that a clause checks. If it yields nothing, the response did not exercise the
clause.
"""

OfBody = Callable[[Reading], Iterable[Any]]
"""The same for the body of a queue. It sees only the body, so equal bodies have equal findings."""

Across = Callable[[Conversation], Iterable[tuple[Answer, Any]]]
"""The same for all responses of a run. Each subject comes with the response to which a finding belongs."""


@dataclass(frozen=True, kw_only=True)
class Clause:
    """One sentence of the contract.

    ``oss`` names a design difference of ComfyUI that makes the clause not applicable, or softer, under that dialect.
    ``only`` contains the dialects in which the clause is checked, and ``elsewhere`` says why it is not checked in
    others.
    A run is conformant only if it exercised every ``core`` clause. ``needs`` says in words what exercises the clause.
    ``kinds`` are the kinds of the causes that the check distinguishes. A clause with ``own_document`` is checked only
    if
    the user gave a document. ``since`` is the edition of the suite that introduced the clause. ``keeps`` and
    ``breaks``
    are examples as they appear in a response. ``fast`` says what the fast path proves for the clause; with None it
    proves
    nothing, and the whole body is checked.
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
        """The first word of the id. It is the pytest marker, and the start of a file name in ``contract/clauses/``."""
        return self.id.partition(".")[0]

    def speaks_of(self, request: Request) -> bool:
        """Whether the clause applies to the response to a request. Most apply only to reads of the queue."""
        return request.operation is None or self.subject == "lifecycle" or self.id == "auth.key-not-echoed"

    def left_out(self, conversation: Conversation) -> str | None:
        """Say which reads the clause did not compare with others because they list too many jobs. None if none."""
        if self.across is None:
            return None
        if self.subject == "lifecycle":
            return conversation.unlooked
        return conversation.uncompared if self.subject == "reads" or self.id == "http.etag-changes" else None

    def level_in(self, demand: Demand) -> Level | None:
        """Return the level under a dialect, or None if the clause is not checked there.

        If AUTO has not detected the order, the lower of the two levels applies, so that a ComfyUI is not accused.
        """
        if demand.dialect not in self.only or (self.own_document and demand.schemas is None):
            return None
        if self.oss is None or demand.read_as is Dialect.CLOUD:
            return self.level
        return Level.SHOULD if self.oss.softens else None

    def not_asked(self, demand: Demand) -> str | None:
        """Say why the clause is not checked under a dialect, or None if it is."""
        if demand.dialect not in self.only:
            return self.elsewhere
        if self.own_document and demand.schemas is None:
            return "checked only with --document"
        return None if self.oss is None or self.level_in(demand) else self.oss.says


def _where_shown(of_body: OfBody, *, of_jobs: bool) -> Over:
    def over(answer: Answer) -> Iterable[Any]:
        return of_body(answer.reading) if answer.shows_queue or (of_jobs and answer.shows_part) else ()

    return over


_OF_JOBS: Final = ("item.", "queue.", "workflow.", "privacy.")
"""Clauses that single jobs can break. They also apply to the whole jobs in a body that a recorder cut off."""


def clause(  # noqa: PLR0913 - one keyword for each part of a clause; they are read as a form
    clause_id: str,
    level: Level,
    *,
    title: str,
    source: Source,
    why: str,
    keeps: str,
    breaks: str,
    needs: str = "a 200 response to a read",
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
    """Turn the decorated function into the check of a clause.

    The function is called once for each subject that ``over`` (one response), ``of_body`` (the body of a queue) or
    ``across`` (the whole run) yields. A clause without a subject was not exercised, so a check cannot pass without
    looking at anything.
    """
    if [over, of_body, across].count(None) != 2:
        msg = f"{clause_id}: give exactly one of over, of_body and across"
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
