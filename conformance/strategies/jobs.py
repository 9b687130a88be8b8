"""Strategies for jobs, for bodies of GET /api/queue, and for errors."""

from __future__ import annotations

import uuid
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from conformance.strategies.notation import encoded
from conformance.strategies.values import NAMES, SCALARS, TEXTS, VALUES, objects, shuffled
from conformance.strategies.workflows import EDITOR, output_node_ids, workflows

Dialect = Literal["cloud", "oss"]
Item = list[Any]
"""A job: five elements in the order of the dialect."""
QueueInfo = dict[str, Any]
"""``{"queue_running": [Item, ...], "queue_pending": [Item, ...]}``, possibly with more members."""

NOW: Final = 1_763_913_600_000
"""2025-11-23T16:00:00Z in milliseconds: the default time of all responses."""
EARLIEST: Final = 10**12
"""2001-09-09 in milliseconds, the earliest ``create_time``. A client could take a smaller number for seconds."""
SAFE: Final = 2**53 - 1
"""The largest integer that JavaScript represents exactly (RFC 8259 §6)."""


def _uuid(bits: int, version: int | None = None) -> str:
    """Return a UUID with these bits as text. A given version sets its version and variant bits (RFC 9562 §4)."""
    if version is not None:
        bits = bits & ~(0xF << 76) & ~(0x3 << 62) | version << 76 | 0x2 << 62
    return str(uuid.UUID(int=bits))


def prompt_ids() -> SearchStrategy[str]:
    """Return a strategy for prompt ids: UUIDs of any version, also the nil and the max UUID, in lower case."""
    bits = st.integers(0, 2**128 - 1)
    return st.builds(_uuid, bits, st.integers(1, 8) | st.none()) | st.sampled_from((_uuid(0), _uuid(2**128 - 1)))


@dataclass(frozen=True)
class _Frame:
    """What all jobs of a response share: the order of their elements, and the time of the response (``now``, in ms)."""

    dialect: Dialect
    now: int

    def __post_init__(self) -> None:
        if self.dialect not in get_args(Dialect):
            raise ValueError(f"dialect must be cloud or oss, not {self.dialect!r}")
        if self.now < EARLIEST:
            raise ValueError(f"now must be milliseconds since the epoch, {EARLIEST} or more, not {self.now}")

    def numbers(self) -> SearchStrategy[int | float]:
        """Return a strategy for element 0, the job number."""
        if self.dialect == "cloud":
            return st.integers(1, 9) | st.integers(1, SAFE)
        return st.integers(-9, 9) | st.integers(-SAFE, SAFE) | st.integers(-9, 9).map(float) | st.floats(-SAFE, SAFE)

    def times(self) -> SearchStrategy[int]:
        """Return a strategy for creation times in milliseconds.

        Equal times and times long before ``now`` are frequent.
        """
        return st.one_of(
            [st.integers(max(EARLIEST, self.now - span), self.now) for span in (2, 60_000, 86_400_000, self.now)]
        )

    def item(self, number: float, prompt_id: str, created: int, details: Any) -> Item:
        """Return a job with these values.

        ``details`` are its workflow, output node ids and metadata, which are copied.
        """
        workflow, outputs, metadata = deepcopy(details)
        metadata["create_time"] = created
        rest = [outputs, metadata] if self.dialect == "cloud" else [metadata, outputs]
        return [number, prompt_id, workflow, *rest]


_REDACTED: Final = st.sampled_from(("[REDACTED]", "", None))
_FURTHER: Final = st.fixed_dictionaries(
    {},
    optional={
        "client_id": TEXTS,
        "extra_pnginfo": st.fixed_dictionaries({"workflow": EDITOR}),
        "api_key_comfy_org": _REDACTED,
        "auth_token_comfy_org": _REDACTED,
    },
)
_METADATA: Final = (_FURTHER | objects(VALUES)).flatmap(lambda members: shuffled({**members, "create_time": 0}))


@st.composite
def _details(draw: DrawFn) -> tuple[dict[str, Any], list[str], dict[str, Any]]:
    """Draw a workflow, output node ids that fit it, and metadata to which ``create_time`` must still be added."""
    workflow = draw(workflows())
    return workflow, draw(output_node_ids(workflow)), draw(_METADATA)


def items(dialect: Dialect = "cloud", *, now: int = NOW) -> SearchStrategy[Item]:
    """Return a strategy for jobs. Raises ValueError for an unknown dialect, or if ``now`` is not in milliseconds."""
    frame = _Frame(dialect, now)
    return st.builds(frame.item, frame.numbers(), prompt_ids(), frame.times(), _details())


@st.composite
def _queue_infos(draw: DrawFn, frame: _Frame, min_jobs: int, max_jobs: int) -> QueueInfo:
    ids = draw(st.lists(prompt_ids(), min_size=min_jobs, max_size=max_jobs, unique=True))
    pool = draw(st.lists(_details(), min_size=1, max_size=3)) if ids else []  # keeps many jobs cheap
    running = draw(st.integers(0, len(ids)))
    numbers = draw(_places(frame.numbers(), running, len(ids), distinct=frame.dialect == "cloud"))
    times = draw(_places(frame.times(), running, len(ids)))
    jobs = [
        frame.item(number, prompt_id, created, draw(st.sampled_from(pool)))
        for number, prompt_id, created in zip(numbers, ids, times, strict=True)
    ]
    further = draw(st.just({}) | objects(VALUES))
    return draw(shuffled({**further, "queue_running": jobs[:running], "queue_pending": jobs[running:]}))


def _places(
    values: SearchStrategy[Any], running: int, jobs: int, *, distinct: bool = False
) -> SearchStrategy[list[Any]]:
    """Return a strategy for lists with one value for each job.

    The values of the running jobs come first, in any order. Those of the pending jobs follow, in rising order.
    """
    waiting = jobs - running
    return st.builds(
        lambda first, then: first + sorted(then),
        st.lists(values, min_size=running, max_size=running),
        st.lists(values, min_size=waiting, max_size=waiting, unique=distinct),
    )


def queue_infos(
    dialect: Dialect = "cloud", *, min_jobs: int = 0, max_jobs: int = 6, now: int = NOW
) -> SearchStrategy[QueueInfo]:
    """Return a strategy for QueueInfo objects with ``min_jobs`` to ``max_jobs`` jobs, running and pending together.

    Ids are unique. Along the pending jobs, ``create_time`` never falls and numbers rise (under ``oss``: never fall),
    possibly with gaps. The running jobs are in any order, and may share a number with a pending job, which the OpenAPI
    document does not rule out. Raises ValueError for an unknown dialect, or if ``now`` is not in milliseconds.
    """
    return _queue_infos(_Frame(dialect, now), min_jobs, max_jobs)


def bodies(
    dialect: Dialect = "cloud", *, min_jobs: int = 0, max_jobs: int = 6, now: int = NOW
) -> SearchStrategy[bytes]:
    """Return a strategy for bodies of 200 responses: QueueInfo objects as JSON text in UTF-8.

    The arguments are those of ``queue_infos``. Raises ValueError for an unknown dialect, or if ``now`` is not in
    milliseconds.
    """
    return encoded(queue_infos(dialect, min_jobs=min_jobs, max_jobs=max_jobs, now=now))


def errors() -> SearchStrategy[dict[str, Any]]:
    """Return a strategy for ErrorResponse objects: a ``code``, a ``message``, neither blank, and maybe more members."""
    texts = TEXTS.filter(str.strip)
    codes = st.sampled_from(("INTERNAL", "UNAUTHORIZED", "workspace_id_invalid")) | texts
    names = NAMES.filter(lambda name: not name.startswith("queue_"))
    further = st.dictionaries(names, SCALARS, max_size=2) | st.fixed_dictionaries({"details": objects()})
    documented = st.fixed_dictionaries({"code": codes, "message": texts})
    return st.builds(lambda more, error: {**more, **error}, further, documented).flatmap(shuffled)
