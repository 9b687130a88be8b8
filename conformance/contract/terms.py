"""Terms of the contract: edition, level, dialect, and what ComfyUI does otherwise than the document by design."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from conformance.spec.schemas import Schemas

EDITION: Final = 1
"""The member ``edition`` of compliance.json. It has no other value yet."""


class Level(enum.StrEnum):
    """How much a breach weighs."""

    MUST = "must"
    SHOULD = "should"
    INFO = "info"


class Profile(enum.StrEnum):
    """A part of the contract that a server can be checked against separately."""

    QUEUE = "queue"
    HTTP = "http"
    AUTH = "auth"
    LIFECYCLE = "lifecycle"


PROFILE_MEANING: Final[dict[Profile, str]] = {
    Profile.QUEUE: "QueueInfo, QueueItem and ErrorResponse, as the document describes them",
    Profile.HTTP: "Headers, caching, CORS, HEAD, OPTIONS and conditional requests",
    Profile.AUTH: "Requests without a key and with a wrong key",
    Profile.LIFECYCLE: "Submitting, listing and removing jobs, in runs that write",
}
_SUBJECTS: Final[dict[Profile, tuple[str, ...]]] = {
    Profile.QUEUE: (
        "status",
        "envelope",
        "item",
        "queue",
        "workflow",
        "reads",
        "json",
        "error",
        "privacy",
        "document",
    ),
    Profile.HTTP: ("http", "framing", "method", "caching", "cors"),
    Profile.AUTH: ("auth",),
    Profile.LIFECYCLE: ("lifecycle",),
}
_PROFILES: Final = {subject: profile for profile, subjects in _SUBJECTS.items() for subject in subjects}


def profile_of(clause_id: str) -> Profile:
    """Return the profile of a clause. A subject that this version does not know belongs to ``queue``."""
    return _PROFILES.get(clause_id.partition(".")[0], Profile.QUEUE)


class FastPath(enum.StrEnum):
    """What the fast path proves for a clause, declared by the clause as ``fast``.

    The fast path (``reading/fast.py``) splits a body without building its values. It proves most jobs at once, and
    clauses are asked of the remaining jobs only. A clause that declares nothing is asked of the whole body.
    """

    BODY = enum.auto()
    """Nothing. The clause looks at the body as a whole, and says the same of the body with the remaining jobs only."""
    EACH_JOB = enum.auto()
    """Every proven job keeps the clause, and exercises it."""
    OUTPUT_NODE_IDS = enum.auto()
    """Every proven job keeps the clause. A proven job with an output node id exercises it."""
    GRAPHS = enum.auto()
    """Every proven job keeps the clause. A proven job whose workflow is an API graph exercises it."""
    LINKS = enum.auto()
    """Every proven job keeps the clause. A job whose workflow has a link exercises it."""
    GRAPHS_WITH_OUTPUTS = enum.auto()
    """Every proven job keeps the clause. A proven job with an API graph and an output node id exercises it."""
    DISTINCT_IDS = enum.auto()
    """The prompt ids of all jobs are distinct."""
    DISTINCT_NUMBERS = enum.auto()
    """The job numbers of the pending jobs are distinct."""
    RISING_NUMBERS = enum.auto()
    """The job numbers of the pending jobs never fall."""
    RISING_TIMES = enum.auto()
    """The ``create_time`` of the pending jobs never falls."""


class Dialect(enum.StrEnum):
    """Which reading of the tuple is demanded."""

    CLOUD = "cloud"
    """The vendored document: output node ids at [3], metadata at [4]."""
    OSS = "oss"
    """ComfyUI's own order: extra data at [3], output node ids at [4]."""
    AUTO = "auto"
    """Told by the JSON type of element 3, as ComfyUI's own frontend does: an array is ``cloud``, an object ``oss``."""


ORDER: Final[dict[str, str]] = {
    Dialect.CLOUD: "[job_number, prompt_id, workflow_json, output_node_ids, metadata]",
    Dialect.OSS: "[number, prompt_id, prompt, extra_data, outputs_to_execute]",
}
"""The names of the five elements, by dialect."""


class Demand(NamedTuple):
    """The dialect that was asked for, and what it comes to in a run.

    ``read_as`` is CLOUD or OSS, or AUTO where no job has shown an order; ``because`` says how that is known.
    ``twice`` are ids, in lower case, that the run itself submitted twice: that they are listed twice does not break
    ``queue.prompt-ids.distinct``.
    """

    dialect: Dialect
    read_as: Dialect
    because: str
    twice: frozenset[str] = frozenset()
    schemas: Schemas | None = None
    """The response schemas of the user's own document, if one is given."""

    @property
    def open(self) -> bool:
        """Whether nothing has told yet which order is demanded."""
        return self.read_as is Dialect.AUTO

    @classmethod
    def of(cls, dialect: Dialect) -> Demand:
        """Return what a dialect demands before any job was seen."""
        if dialect is Dialect.AUTO:
            return cls(dialect, dialect, "no job has shown an order")
        return cls(dialect, dialect, "as demanded")

    @classmethod
    def told_by(cls, order: Dialect, place: str) -> Demand:
        """Return what AUTO comes to where a job shows an order. ``place`` says which job."""
        kind = "an array" if order is Dialect.CLOUD else "an object"
        return cls(Dialect.AUTO, order, f"element 3 of the first job, {place}, is {kind}")


AS_THE_DOCUMENT_SAYS: Final = Demand.of(Dialect.CLOUD)


class Difference(NamedTuple):
    """One thing that ComfyUI does otherwise than the document, by design.

    A clause that names it is not applicable under OSS, or a ``should`` there where the difference ``softens`` it.
    ``source`` is where it stands in ComfyUI, ``shown_by`` the answers of tests/recordings that show it.
    """

    name: str
    says: str
    source: str
    shown_by: tuple[str, ...]
    softens: bool = False


COMFYUI: Final = "ComfyUI 0.8.0"
"""The version that the sources name; a newer one was compared where one is named."""

SWAPPED_ISSUE: Final = "Comfy-Org/ComfyUI issue 12659"

ELEMENT_ORDER: Final = Difference(
    "element-order",
    f"ComfyUI sends {ORDER[Dialect.OSS]}: elements 3 and 4 are swapped",
    f"server.py lines 846-852 and 892; {SWAPPED_ISSUE}",
    ("q_running1_pending0", "q_extra_data"),
)
COUNTER: Final = Difference(
    "counter",
    "ComfyUI's element 0 is not a position: it counts prompts from 0, and `front` makes it negative",
    "server.py lines 211 and 863-868",
    ("q_running1_pending0", "q_front_2"),
)
CHOSEN_NUMBER: Final = Difference(
    "chosen-number",
    "ComfyUI's element 0 may be a number that a client chose, as a float. The lowest runs next, and two jobs may share one",
    "server.py lines 860-861; Comfy-Org/ComfyUI issue 684",
    ("q_numbers", "q_ties"),
)
HEAP: Final = Difference(
    "heap",
    "ComfyUI's queue is a heap, and it is listed in the heap's own order",
    "execution.py lines 1110, 1123, 1133 and 1176-1180",
    ("q_default_20_after_7_dispatched", "q_front_2"),
    softens=True,
)
NO_AUTHENTICATION: Final = Difference(
    "no-authentication",
    "ComfyUI has no authentication: it accepts every key, and requests without a key",
    "server.py lines 213-229 (no middleware and no handler asks for one)",
    ("auth_apikey", "q_extra_data"),
)
FOREIGN_ORIGIN: Final = Difference(
    "foreign-origin",
    "ComfyUI answers a foreign Origin with an empty 403, which does not refuse a missing key",
    "server.py lines 141-166, and of newer versions Comfy-Org/ComfyUI pull request 13261",
    ("h_origin_mismatch",),
)
NO_ERROR_RESPONSE: Final = Difference(
    "no-error-response",
    'ComfyUI has no ErrorResponse: its errors are empty, plain text, or {"error": …}',
    "server.py lines 166, 897 and 905; aiohttp's own text for the rest",
    ("h_origin_badport",),
)
ONE_QUEUE: Final = Difference(
    "one-queue",
    "ComfyUI serves one queue to everybody: it has no separate users",
    "server.py line 207; middleware/cache_middleware.py lets the queue pass",
    ("q_empty",),
)

EMPTY_ANSWER: Final = Difference(
    "empty-answer",
    "ComfyUI answers a request to remove jobs with an empty body: it has no QueueManageResponse",
    "server.py lines 907-919",
    ("pq_delete_pending",),
)

DIFFERENCES: Final = (
    ELEMENT_ORDER,
    COUNTER,
    CHOSEN_NUMBER,
    HEAP,
    NO_AUTHENTICATION,
    FOREIGN_ORIGIN,
    NO_ERROR_RESPONSE,
    ONE_QUEUE,
    EMPTY_ANSWER,
)
"""All that a verdict under OSS does not hold against ComfyUI, and nothing else."""
