"""The requests and responses of a run, before they are judged."""

from __future__ import annotations

from typing import Final, NamedTuple

from conformance.exchange.model import Exchange

NO_ANSWER: Final = ""
"""Used in place of a clause id if a generated request gets no complete response."""


class Smallest(NamedTuple):
    """The smallest sequence of requests that was seen to break a clause, by the ids of its exchanges.

    It was sent again ``asked`` times and broke the clause ``broken`` times; a plain read beside it, ``plain_broken``
    of ``plain_asked`` times. Both are 0 if no time was left.
    """

    exchanges: tuple[str, ...]
    asked: int = 0
    broken: int = 0
    plain_asked: int = 0
    plain_broken: int = 0


class FamilyTally(NamedTuple):
    """What the requests of one family found: ``sent`` of them, and what broke a clause that plain reads keep.

    ``found`` has the smallest of them by clause id, or NO_ANSWER, and ``times`` how many broke it.
    """

    name: str
    sent: int
    found: dict[str, Smallest]
    times: dict[str, int]


class Search(NamedTuple):
    """What a search did. ``found`` is by clause id, or NO_ANSWER; ``stopped`` says why it was not done to its end.

    ``label`` names the operation of the document, such as ``GET /api/queue``, and ``document`` its SHA-256.
    """

    seed: int
    examples: int
    wanted: int
    found: dict[str, Smallest]
    stopped: str | None
    label: str = ""
    families: tuple[FamilyTally, ...] = ()
    document: str = ""
    schemathesis: str = ""


class Populated(NamedTuple):
    """What became of the run's own jobs: prompts that were submitted, those answered 200, the ids that are left."""

    submitted: int
    taken: int
    left: tuple[str, ...]


class Transcript(NamedTuple):
    """What was asked and answered, before anybody judged it. ``stopped`` says why the plan was cut short."""

    exchanges: tuple[Exchange, ...]
    target: str
    start: float
    end: float
    stopped: str | None
    search: Search | None = None
    """What generated requests found, where they were asked for."""
    populated: Populated | None = None
    """What became of the run's own jobs, where it submitted any."""
    unread: tuple[str, ...] = ()
    """What of recordings could not be read."""
    recorded: bool = False
    """Whether it comes from files, and nothing was sent."""
    seconds: float | None = None
    """The time that was left of the run when everything was asked: judging may take it."""
