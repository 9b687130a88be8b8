"""Terms of the contract: edition, level, dialect, and the design differences of ComfyUI from the document."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from conformance.spec.schemas import Schemas

EDITION: Final = 1
"""The member ``edition`` of compliance.json. It has no other value yet."""


class Level(enum.StrEnum):
    """How serious a violation is."""

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
    """Return the profile of a clause. Unknown subjects belong to ``queue``."""
    return _PROFILES.get(clause_id.partition(".")[0], Profile.QUEUE)


class FastPath(enum.StrEnum):
    """What the fast path proves for a clause. The clause declares it as ``fast``.

    The fast path (``reading/fast.py``) splits a body without parsing its values. It proves most jobs at once, and
    clauses check only the remaining jobs. A clause without a declaration checks the whole body.
    """

    BODY = enum.auto()
    """Nothing. The clause checks the body as a whole, and has the same findings if proven jobs are left out."""
    EACH_JOB = enum.auto()
    """Every proven job keeps the clause and exercises it."""
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
    """The job numbers of the pending jobs never decrease."""
    RISING_TIMES = enum.auto()
    """The ``create_time`` of the pending jobs never decreases."""


class Dialect(enum.StrEnum):
    """The order of elements that a job must have."""

    CLOUD = "cloud"
    """The vendored document: output node ids at [3], metadata at [4]."""
    OSS = "oss"
    """ComfyUI's own order: extra data at [3], output node ids at [4]."""
    AUTO = "auto"
    """Detected by the JSON type of element 3, as ComfyUI's own frontend does: an array is ``cloud``, an object
    ``oss``.
    """


ORDER: Final[dict[str, str]] = {
    Dialect.CLOUD: "[job_number, prompt_id, workflow_json, output_node_ids, metadata]",
    Dialect.OSS: "[number, prompt_id, prompt, extra_data, outputs_to_execute]",
}
"""The names of the five elements by dialect."""


class Demand(NamedTuple):
    """The dialect that the user asked for, and the order that applies in a run.

    ``read_as`` is CLOUD or OSS, or AUTO if no job has shown an order yet. ``because`` says why.
    ``twice`` contains ids, in lower case, that the run itself submitted twice. If such an id is listed twice, that
    does
    not break ``queue.prompt-ids.distinct``.
    """

    dialect: Dialect
    read_as: Dialect
    because: str
    twice: frozenset[str] = frozenset()
    schemas: Schemas | None = None
    """The response schemas of the user's own document, if one is given."""

    @property
    def open(self) -> bool:
        """Whether the required order is still unknown."""
        return self.read_as is Dialect.AUTO

    @classmethod
    def of(cls, dialect: Dialect) -> Demand:
        """Return the requirement of a dialect before the run has seen a job."""
        if dialect is Dialect.AUTO:
            return cls(dialect, dialect, "no job has shown an order")
        return cls(dialect, dialect, "as requested")

    @classmethod
    def detected(cls, order: Dialect, place: str) -> Demand:
        """Return the requirement of AUTO once a job has shown an order. ``place`` says which job."""
        kind = "an array" if order is Dialect.CLOUD else "an object"
        return cls(Dialect.AUTO, order, f"element 3 of the first job, {place}, is {kind}")


AS_THE_DOCUMENT_SAYS: Final = Demand.of(Dialect.CLOUD)


class Difference(NamedTuple):
    """One design difference of ComfyUI from the document.

    A clause that names it is not applicable under OSS, or only a ``should`` if the difference ``softens`` it.
    ``source`` is the place in ComfyUI's code. ``shown_by`` names the recordings in tests/recordings that show it.
    """

    name: str
    says: str
    source: str
    shown_by: tuple[str, ...]
    softens: bool = False


COMFYUI: Final = "ComfyUI 0.8.0"
"""The version to which the sources refer. Some also name a newer one."""

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
    "ComfyUI's queue is a heap, and ComfyUI lists it in heap order",
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
    "ComfyUI refuses an unknown Origin with an empty 403, whether or not the key is missing",
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
    "server.py line 207; middleware/cache_middleware.py does not change the queue",
    ("q_empty",),
)

EMPTY_ANSWER: Final = Difference(
    "empty-answer",
    "ComfyUI responds to a request to remove jobs with an empty body: it has no QueueManageResponse",
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
"""Every difference that a verdict under OSS accepts."""
