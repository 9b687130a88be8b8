"""Random conforming responses, generated from a seed with ``conformance.strategies``."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import Final

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis.strategies import SearchStrategy

from conformance.reference.message import items
from conformance.strategies import Dialect, QueueInfo, encoded, queue_infos

BATCH: Final = 5
"""The number of bodies that are generated at a time. Each batch has a fixed cost; with this number it takes some 100
ms.
"""
APART: Final = 100
"""No prompt_id occurs in two of this many successive responses: the jobs would differ, and a job must not change."""


def answers(seed: int, dialect: Dialect = "cloud") -> Iterator[bytes]:
    """Yield bodies of 200 responses without end, generated on demand.

    The same seed gives the same sequence with the same versions of Hypothesis and of this package (and in the same
    program, since Hypothesis also uses constants from the modules of the working tree). Successive responses have no
    job in common. All jobs were created before 2025-11-24.
    """
    recent: deque[set[str]] = deque(maxlen=APART)
    names = (str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{number}")) for number in count())

    def unheard_of(info: QueueInfo) -> QueueInfo:
        """Give a new id to each job whose id a recent response contains, because Hypothesis often repeats values."""
        used = set().union(*recent)
        for item in items(info):
            item[1] = next(names) if item[1] in used else item[1]
        recent.append({item[1] for item in items(info)})
        return info

    busy, any_size = queue_infos(dialect, min_jobs=1), queue_infos(dialect)
    drawn = encoded((busy | any_size).map(unheard_of))
    for number in count():
        yield from _batch((seed << 32) + number, drawn)[1:]  # Hypothesis begins each batch with the smallest value


def _batch(seed: int, bodies: SearchStrategy[bytes]) -> list[bytes]:
    """Generate a batch of bodies. The settings of a surrounding Hypothesis test do not apply."""
    drawn = []

    @seeded(seed)
    @settings(
        max_examples=BATCH,
        phases=[Phase.generate],
        database=None,
        derandomize=False,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
        backend="hypothesis",
    )
    @given(bodies)
    def draw(body: bytes) -> None:
        drawn.append(body)

    draw()
    return drawn
