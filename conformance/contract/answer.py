"""What the clauses look at: an answer, and all answers of a run; and the selectors over the head of one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from conformance.contract.reading import Gist, Reading, Sighting
from conformance.exchange import Exchange, Request, Response, Same
from conformance.jsontext import Document

if TYPE_CHECKING:
    from conformance.contract.clause import Clause
    from conformance.contract.history import History

OK: Final = 200
FIRST_ERROR: Final = 400
REFUSALS: Final = (401, 403)
NOT_NOW: Final = (408, 425, 429, 502, 503, 504)
"""Statuses that say "not now": nothing is known of what a better moment would bring."""
UNAVAILABLE: Final = (401, 402, 403, 407, *NOT_NOW)
"""Statuses that say nothing of the contract: not let in, or not now. A run that sees no others is inconclusive."""
NOT_JSON: Final = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/csv")
"""Types of bodies that do not try to be JSON: their one fault is the type."""


@dataclass(frozen=True)
class Answer:
    """An exchange that was answered."""

    exchange: Exchange
    response: Response
    reading: Reading

    @property
    def request(self) -> Request:
        """What was asked."""
        return self.exchange.request

    @property
    def document(self) -> Document:
        """The body as JSON."""
        return self.reading.document

    @property
    def gist(self) -> Gist:
        """The gist of the body."""
        return self.reading.gist

    @cached_property
    def shows_queue(self) -> bool:
        """A read that was answered 200: every clause of the body applies."""
        return self.request.reads and self.response.status == OK

    @property
    def sightings(self) -> dict[str, Sighting]:
        """The jobs that a queue lists, by prompt id."""
        return self.gist.sightings if self.shows_queue else {}

    def left(self, clause: Clause) -> tuple[bool, Answer]:
        """Return whether what is proven of the body exercises a clause, and what it has still to be asked of."""
        if not self.shows_queue:
            return False, self
        exercised, reading = self.reading.left(clause)
        return exercised, self if reading is self.reading else Answer(self.exchange, self.response, reading)

    def precedes(self, other: Answer) -> bool:
        """Whether this answer was whole before the other was asked for. False where no clock says so."""
        mine, theirs = self.exchange, other.exchange
        if mine.started is None or mine.elapsed is None or theirs.started is None:
            return False
        return mine.started + mine.elapsed <= theirs.started


@dataclass(frozen=True)
class Conversation:
    """All answers of a run, in the order in which they were asked for.

    Clauses over a run look at statuses, headers and the gist of bodies, never at a body's value:
    forty large ones would not fit into memory side by side.
    """

    answers: Sequence[Answer]
    unanswered: Sequence[Exchange] = ()
    """The exchanges without a response."""

    @cached_property
    def reads(self) -> Sequence[Answer]:
        """The answers that show the queue as an object."""
        return [answer for answer in self.answers if answer.shows_queue and answer.gist.is_object]

    @cached_property
    def history(self) -> History:
        """What happened to the run's own jobs, where it submitted any."""
        from conformance.contract.history import History

        return History(self)

    @cached_property
    def served(self) -> bool:
        """Whether the queue was served at all: what is asked only of a server that does is not asked of others."""
        return any(answer.request.plain and answer.response.status == OK for answer in self.answers)

    @cached_property
    def by_manner(self) -> Sequence[Sequence[Answer]]:
        """The reads grouped by Accept and User-Agent, leaving out those that another header or a query may explain."""
        groups: dict[tuple[str | None, str | None], list[Answer]] = {}
        for answer in self.answers:
            request = answer.request
            proper = request.reads and request.bare and not request.special
            if proper and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault((request.header("accept"), request.header("user-agent")), []).append(answer)
        return list(groups.values())

    @cached_property
    def by_request(self) -> Sequence[Sequence[Answer]]:
        """The reads, grouped by the very same request, but for "not now".

        A request that was asked once and failed is left out: chance cannot be told from cause.
        """
        groups: dict[Same, list[Answer]] = {}
        for answer in self.answers:
            if answer.request.reads and answer.response.head and answer.response.status not in NOT_NOW:
                groups.setdefault(answer.request.same, []).append(answer)
        return [group for group in groups.values() if len(group) > 1 or group[0].response.status == OK]

    @cached_property
    def successions(self) -> Sequence[tuple[Answer, Answer]]:
        """Neighbouring reads of which the first was over before the second began."""
        return [(a, b) for a, b in zip(self.reads, self.reads[1:], strict=False) if a.precedes(b)]


# --- selectors: of one answer, over its head and body -----------------------------------------


def queue_answers(answer: Answer) -> Iterator[Answer]:
    """Answers of 200 to a read."""
    if answer.shows_queue:
        yield answer


def json_texts(answer: Answer) -> Iterator[Answer]:
    """Bodies that are to be JSON: of a 200 to a read, and of an error that says that it is JSON."""
    error = answer.response.status >= FIRST_ERROR and answer.response.media_type == "application/json"
    if answer.shows_queue or (error and answer.response.content and answer.request.method == "GET"):
        other_format = answer.response.media_type in NOT_JSON and not answer.document.read
        if answer.response.coding_error is None and not other_format:
            yield answer


def read_texts(answer: Answer) -> Iterator[Answer]:
    """JSON bodies that could be read."""
    return (text for text in json_texts(answer) if text.document.read)
