"""Clause: one sentence of the contract, its source, and the function that finds violations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Final, NamedTuple

import msgspec

from conformance.contract.conversation import Answer, Conversation
from conformance.contract.reading.body import Reading
from conformance.contract.terms import Demand, Dialect, Difference, FastPath, Level
from conformance.exchange.model import Operation

PUBLISHED: Final = "openapi-cloud.yaml"
"""The file name of the complete OpenAPI document in github.com/Comfy-Org/docs. The suite ships with an excerpt of it.
"""


class Source(msgspec.Struct, frozen=True):
    """The source of a clause: a JSON Pointer into the OpenAPI document, or an RFC section, and the exact quote.

    ``document`` is the file name of the complete OpenAPI document if the quoted place is not in the excerpt that ships
    with the suite. ``inferred`` says what the quote leaves open, or is None if the quote states the clause itself.
    """

    pointer: str | None = None
    quote: str | None = None
    rfc: str | None = None
    document: str | None = None
    inferred: str | None = None

    def __str__(self) -> str:
        return self.rfc or f"{self.document or ''}#{self.pointer}"


def doc(pointer: str, quote: str) -> Source:
    """Return a source in the OpenAPI document that ships with the suite: a JSON Pointer, and the words at that place."""
    return Source(pointer=pointer, quote=quote)


def published(pointer: str, quote: str) -> Source:
    """Return a source in the complete OpenAPI document: a JSON Pointer, and the words at that place.

    The excerpt that ships with the suite contains only ``GET /api/queue``. To compare the words with the whole
    document: ``python tests/helpers/published_quotes.py openapi-cloud.yaml``.
    """
    return Source(pointer=pointer, quote=quote, document=PUBLISHED)


def rfc(section: str, quote: str) -> Source:
    """Return a source in an RFC: the section, and its words."""
    return Source(rfc=section, quote=quote)


def inferred(source: Source, reason: str) -> Source:
    """Return a copy of a source whose words imply the clause without stating it.

    ``reason`` says what they leave open.
    """
    return msgspec.structs.replace(source, inferred=reason)


class Cause(NamedTuple):
    """The likely cause of a violation: a stable word for it (``kind``), and an explanation for the user (``hint``).

    Users write ``kind`` into their files of known deviations, so it must never change, like the id of a clause. The
    text of ``hint`` may change. It is None if the finding needs no explanation.
    """

    kind: str
    hint: str | None = None


class Finding(NamedTuple):
    """One violation of a clause.

    ``pointer`` is a JSON Pointer into the response body: "" for the whole body, None if the problem is not in the body.
    ``expected`` and ``cause`` never contain text from the server. ``got`` and ``message`` may contain such text, made
    printable and cut by ``show``. ``clause`` (the id) and ``level`` are set only in the results of
    ``conformance.validate``.
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
        """The stable word for the cause, or "" if the cause is unknown."""
        return self.cause.kind if self.cause else ""

    @property
    def hint(self) -> str | None:
        """The likely cause in words, or None."""
        return self.cause.hint if self.cause else None


Check = Callable[[Any], Iterator[Finding]]
"""The function that checks a clause. It takes one part of a response, and yields its violations."""

Over = Callable[[Answer], Iterable[Any]]
"""A function that yields the parts of one response that a clause checks. If it yields nothing, the clause does not
apply to the response.
"""

OfBody = Callable[[Reading], Iterable[Any]]
"""A function that yields the parts of a queue's body that a clause checks. It sees only the body, so equal bodies have
equal findings.
"""

Across = Callable[[Conversation], Iterable[tuple[Answer, Any]]]
"""A function that yields the parts that a clause checks in all responses of a run. With each part it yields the
response to which the findings belong.
"""


def _unchecked(_: Any) -> Iterator[Finding]:
    raise NotImplementedError  # a clause without a check is not complete


def _where_shown(of_body: OfBody, *, of_jobs: bool) -> Over:
    def over(answer: Answer) -> Iterable[Any]:
        return of_body(answer.reading) if answer.shows_queue or (of_jobs and answer.shows_part) else ()

    return over


_OF_JOBS: Final = ("item.", "queue.", "workflow.", "privacy.")
"""Prefixes of the ids of clauses that a single job can violate. If a recorded body is cut off, these clauses apply to
its complete jobs.
"""


@dataclass(frozen=True, eq=False)
class Clause:
    """One requirement of the contract, with its source and the function that checks it, which it decorates.

    ``why`` says whom a violation harms. ``keeps`` and ``breaks`` are a conforming and a violating example, as they
    appear in a response. ``needs`` says in words what a run must see before the clause can be checked. A run is
    conformant only if it could check every ``core`` clause. ``kinds`` lists the causes of violations that the check
    tells apart.

    ``oss`` is the difference in ComfyUI's design because of which the clause is not applicable, or only a ``should``,
    under ``--dialect oss``. ``only`` has the dialects in which the clause is checked, and ``elsewhere`` says why it is
    not checked in the others. A clause with ``own_document`` is checked only with ``--document``. ``since`` is the
    number of the clause set that introduced the clause. ``fast`` says what the fast path verifies for the clause. If it
    is None, the function that checks the clause sees the whole body.

    ``over``, ``of_body`` and ``across`` select what the check sees in one response, in the body of a queue, or in the
    whole run. Give exactly one of them. The check is called once for each selected part. If nothing is selected, the
    clause counts as not exercised, not as passed.

    Clauses are compared by identity: each is defined once, and a run looks up thousands of times what it found so far.
    """

    id: str
    level: Level
    _: KW_ONLY
    title: str
    source: Source
    why: str
    keeps: str
    breaks: str
    needs: str = "a 200 response to a GET of the queue"
    core: bool = False
    oss: Difference | None = None
    only: frozenset[Dialect] = frozenset(Dialect)
    elsewhere: str | None = None
    since: int = 1
    kinds: tuple[str, ...] = ()
    fast: FastPath | None = None
    own_document: bool = False
    over: Over | None = field(default=None, repr=False)
    of_body: OfBody | None = field(default=None, repr=False)
    across: Across | None = field(default=None, repr=False)
    check: Check = field(default=_unchecked, repr=False)

    def __call__(self, check: Check) -> Clause:
        """Return the clause with the decorated function as its check."""
        if [self.over, self.of_body, self.across].count(None) != 2:
            raise TypeError(f"{self.id}: give exactly one of over, of_body and across")
        over = self.over
        if self.of_body is not None:
            over = _where_shown(self.of_body, of_jobs=self.id.startswith(_OF_JOBS))
        return replace(self, over=over, check=check)

    @property
    def subject(self) -> str:
        """The first word of the id, such as ``item``. It is the pytest marker and the file name in ``contract/clauses/``."""
        return self.id.partition(".")[0]

    def speaks_of(self, operation: Operation | None) -> bool:
        """Whether the clause may apply to the response to an operation on jobs, or to another request (None).

        Most clauses apply only to requests to the queue.
        """
        return operation is None or self.subject == "lifecycle" or self.id == "auth.key-not-echoed"

    def left_out(self, conversation: Conversation) -> str | None:
        """Return in words how many responses the clause did not compare because they list too many jobs.

        None if none.
        """
        if self.across is None:
            return None
        if self.subject == "lifecycle":
            return conversation.unlooked
        return conversation.uncompared if self.subject == "reads" or self.id == "http.etag-changes" else None

    def level_in(self, demand: Demand) -> Level | None:
        """Return the level of the clause under a dialect, or None if the clause is not checked under this dialect.

        If ``--dialect auto`` has not detected the order of elements yet, the lower of the levels for ``cloud`` and
        ``oss`` applies, so that a stock ComfyUI is not accused.
        """
        if demand.dialect not in self.only or (self.own_document and demand.schemas is None):
            return None
        if self.oss is None or demand.read_as is Dialect.CLOUD:
            return self.level
        return Level.SHOULD if self.oss.softens else None

    def not_asked(self, demand: Demand) -> str | None:
        """Return why the clause is not checked under a dialect, or None if it is checked."""
        if demand.dialect not in self.only:
            return self.elsewhere
        if self.own_document and demand.schemas is None:
            return "checked only with --document"
        return None if self.oss is None or self.level_in(demand) else self.oss.says


clause: Final = Clause
"""The decorator that makes a clause of its check."""
