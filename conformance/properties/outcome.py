"""What a search with generated requests came to."""

from __future__ import annotations

from typing import Final, NamedTuple

NO_ANSWER: Final = ""
"""Stands in the place of a clause where a generated request brings no whole answer."""


class Smallest(NamedTuple):
    """The smallest sequence of requests that was seen to break a clause, by the ids of its exchanges.

    It was asked ``asked`` times and broke the clause ``broken`` times; a plain read beside it, ``plain_broken``
    of ``plain_asked`` times. Nought of nought where there was no time left to ask.
    """

    exchanges: tuple[str, ...]
    asked: int = 0
    broken: int = 0
    plain_asked: int = 0
    plain_broken: int = 0


class Search(NamedTuple):
    """What a search did. ``found`` is by clause id, or NO_ANSWER; ``stopped`` says why it was not done to its end."""

    seed: int
    examples: int
    wanted: int
    found: dict[str, Smallest]
    stopped: str | None
