"""Terms of the contract: level, profile, dialect, and how ComfyUI's design differs from the OpenAPI document."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from conformance.spec.schemas import Schemas

EDITION: Final = 1
"""The number of this set of clauses, in the member ``edition`` of compliance.json. There is only one set so far."""


class Level(enum.StrEnum):
    """How serious a violation of a clause is. Only a ``must`` makes a server non-conformant."""

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
    Profile.QUEUE: "QueueInfo, QueueItem and ErrorResponse, as the OpenAPI document describes them",
    Profile.HTTP: "Headers, caching, CORS, HEAD, OPTIONS and conditional requests",
    Profile.AUTH: "Requests without a key and with a wrong key",
    Profile.LIFECYCLE: "Submitting, listing and removing jobs (needs --populate or --allow-writes)",
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
PROFILES: Final = {subject: profile for profile, subjects in _SUBJECTS.items() for subject in subjects}


def profile_of(clause_id: str) -> Profile:
    """Return the profile of a clause, by the first word of its id. An unknown word belongs to ``queue``."""
    return PROFILES.get(clause_id.partition(".")[0], Profile.QUEUE)


class FastPath(enum.StrEnum):
    """What the fast path verifies for a clause. The clause declares it as ``fast``.

    The fast path (``reading/fast.py``) splits a body into jobs and verifies most of them without building Python
    values. The clauses then check only the remaining jobs. A clause without ``fast`` checks the whole body. Below, a
    "verified job" is one that the fast path found to conform to every clause about single jobs.
    """

    BODY = enum.auto()
    """Nothing. The clause checks the body, and has the same findings if verified jobs are left out of the body."""
    EACH_JOB = enum.auto()
    """The clause applies to every verified job, and every verified job conforms."""
    OUTPUT_NODE_IDS = enum.auto()
    """Every verified job conforms. The clause applies to those with an output node id."""
    GRAPHS = enum.auto()
    """Every verified job conforms. The clause applies to those whose workflow is an API graph."""
    LINKS = enum.auto()
    """Every verified job conforms. The clause applies to those whose workflow has a link."""
    GRAPHS_WITH_OUTPUTS = enum.auto()
    """Every verified job conforms. The clause applies to those with an API graph and an output node id."""
    DISTINCT_IDS = enum.auto()
    """The prompt ids of all jobs are distinct."""
    DISTINCT_NUMBERS = enum.auto()
    """The job numbers of the pending jobs are distinct."""
    RISING_NUMBERS = enum.auto()
    """The job numbers of the pending jobs never decrease."""
    RISING_TIMES = enum.auto()
    """The ``create_time`` of the pending jobs never decreases."""


class Dialect(enum.StrEnum):
    """The order that the elements of a job must have."""

    CLOUD = "cloud"
    """The order in the OpenAPI document: output node ids at [3], metadata at [4]."""
    OSS = "oss"
    """ComfyUI's own order: extra data at [3], output node ids at [4]."""
    AUTO = "auto"
    """The suite detects the order by the JSON type of element 3, as ComfyUI's own frontend does: an array means
    ``cloud``, an object ``oss``.
    """


ORDER: Final[dict[str, str]] = {
    Dialect.CLOUD: "[job_number, prompt_id, workflow_json, output_node_ids, metadata]",
    Dialect.OSS: "[number, prompt_id, prompt, extra_data, outputs_to_execute]",
}
"""The five elements of a job, by dialect."""


class Demand(NamedTuple):
    """The order of elements that a run requires: the dialect that the user requested, and the order that it leads to.

    ``read_as`` is the order: CLOUD or OSS, or AUTO as long as it has not been detected. ``because`` says why, in words.
    ``twice`` has the prompt ids, in lower case, that the run itself submitted twice. If such an id is listed twice,
    that does not violate ``queue.prompt-ids.distinct``.
    """

    dialect: Dialect
    read_as: Dialect
    because: str
    twice: frozenset[str] = frozenset()
    schemas: Schemas | None = None
    """The response schemas of the OpenAPI document given with ``--document``, or None."""

    @property
    def open(self) -> bool:
        """Whether the dialect is ``auto`` and the order has not been detected yet."""
        return self.read_as is Dialect.AUTO

    @classmethod
    def of(cls, dialect: Dialect) -> Demand:
        """Return what a dialect requires before any job has been seen."""
        if dialect is Dialect.AUTO:
            return cls(dialect, dialect, "no job has shown an order")
        return cls(dialect, dialect, "as requested")

    @classmethod
    def detected(cls, order: Dialect, place: str) -> Demand:
        """Return what ``auto`` requires after the order was detected in the job at ``place``."""
        kind = "an array" if order is Dialect.CLOUD else "an object"
        return cls(Dialect.AUTO, order, f"element 3 of the first job, {place}, is {kind}")


AS_THE_DOCUMENT_SAYS: Final = Demand.of(Dialect.CLOUD)


class Difference(NamedTuple):
    """One way in which ComfyUI differs from the OpenAPI document by design.

    A clause that names the difference is not applicable under ``--dialect oss``, or only a ``should`` if ``softens`` is
    True. ``source`` is the place in ComfyUI's code. ``shown_by`` names recordings in tests/recordings that show the
    difference.
    """

    name: str
    says: str
    source: str
    shown_by: tuple[str, ...]
    softens: bool = False


COMFYUI: Final = "ComfyUI 0.8.0"
"""The version of ComfyUI to which the line numbers below refer."""

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
    "server.py lines 213-229 (no middleware and no handler asks for a key)",
    ("auth_apikey", "q_extra_data"),
)
FOREIGN_ORIGIN: Final = Difference(
    "foreign-origin",
    "ComfyUI refuses an unknown Origin with an empty 403, whether or not the key is missing",
    "server.py lines 141-166, and for newer versions Comfy-Org/ComfyUI pull request 13261",
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
"""All differences in ComfyUI's design. ``--dialect oss`` accepts them."""
