"""The results of a run before its responses are checked: all requests and responses, and how they came about."""

from __future__ import annotations

from typing import Final, NamedTuple

from conformance.exchange.model import Exchange

NO_ANSWER: Final = ""
"""Used instead of a clause id if a generated request gets no complete response."""


class Smallest(NamedTuple):
    """The smallest sequence of generated requests that broke a clause, by the ids of its exchanges.

    It was sent again ``asked`` times, and broke the clause ``broken`` of these times. A normal GET of the queue was
    sent ``plain_asked`` times for comparison, and broke the clause ``plain_broken`` times. All four counts are 0 if no
    time was left.
    """

    exchanges: tuple[str, ...]
    asked: int = 0
    broken: int = 0
    plain_asked: int = 0
    plain_broken: int = 0


class FamilyTally(NamedTuple):
    """The results of the generated requests of one family (a group of parameters). ``sent`` is their number.

    ``found`` has the smallest request that broke a clause, by the id of the clause or ``NO_ANSWER``. ``times`` has the
    number of requests that broke it.
    """

    name: str
    sent: int
    found: dict[str, Smallest]
    times: dict[str, int]


class Search(NamedTuple):
    """The results of all generated requests: ``examples`` of ``wanted`` requests were sent.

    ``stopped`` says why fewer than ``wanted`` requests were sent, or is None. ``found`` has the smallest request that
    broke a clause, by the id of the clause or ``NO_ANSWER``. ``label`` names the operation, such as ``GET /api/queue``.
    ``document`` is the SHA-256 of the OpenAPI document, and ``schemathesis`` the version that generated the requests.
    ``unsent`` has the declared values that were not sent.
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
    unsent: tuple[str, ...] = ()


class Populated(NamedTuple):
    """The outcome of the run's own jobs: prompts submitted and accepted, and the ids that could not be removed."""

    submitted: int
    taken: int
    left: tuple[str, ...]


class Transcript(NamedTuple):
    """All requests and responses of a run, before they are checked.

    ``start`` and ``end`` are in seconds since the Unix epoch. ``stopped`` says why some requests were not sent, or
    None.
    """

    exchanges: tuple[Exchange, ...]
    target: str
    start: float
    end: float
    stopped: str | None
    search: Search | None = None
    """The results of generated requests, or None if there were none."""
    populated: Populated | None = None
    """The outcome of the run's own jobs, or None if it submitted none."""
    unread: tuple[str, ...] = ()
    """The parts of recordings that could not be read."""
    recorded: bool = False
    """Whether the exchanges come from files, so that no request was sent."""
    seconds: float | None = None
    """The seconds that were left after the last request. Checking the responses may take them."""
