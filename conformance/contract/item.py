"""QueueItem: the tuple [job_number, prompt_id, workflow_json, output_node_ids, metadata], element by element."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from conformance.contract.answer import (
    ARITY,
    Answer,
    Item,
    Located,
    constant_free,
    create_time_numbers,
    create_times,
    element,
    elements,
    full_items,
    is_number,
    items,
    job_numbers,
    metadata_objects,
    output_node_id_lists,
    prompt_ids,
    workflows,
)
from conformance.contract.clause import Dialect, Finding, Level, clause, doc, rfc, show
from conformance.contract.http import answered_at

ITEM: Final = "/components/schemas/QueueItem"
PROSE: Final = f"{ITEM}/description"
AN_ITEM: Final = "a job in either list"
COUNTER: Final = "ComfyUI's element 0 is a priority: any finite number, 0 for the first job, negative with `front`"
EXAMPLE: Final = '[1, "2f1b0c3e-…", {"9": {…}}, ["9"], {"create_time": 1763913600000}]'

SAFE_INTEGER: Final = 2**53 - 1
"""The largest integer that a double, and so JavaScript, holds exactly (RFC 8259 §6)."""
EPOCH_MS_FIRST: Final = 10**12
"""2001-09-09 in milliseconds: years before there was a ComfyUI, and beyond every plausible number of seconds."""
EPOCH_MS_LAST: Final = 10**14
"""The year 5138 in milliseconds; in microseconds this is 1973."""
UNITS: Final = ((10**8, 10**11, "seconds"), (EPOCH_MS_LAST, 10**17, "microseconds"), (10**17, 10**20, "nanoseconds"))
CLOCK_SKEW_MS: Final = 60_000
"""How far two honest clocks may stand apart."""
UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
UUID_INSIDE: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)


@clause(
    "item.array", Level.MUST, core=True,
    title="Each job is an array",
    source=doc(f"{ITEM}/type", "array"),
    why="Clients read the parts of a job by position.",
    keeps=EXAMPLE, breaks='{"prompt_id": "2f1b0c3e-…", "job_number": 1}',
    needs=AN_ITEM, over=elements,
)  # fmt: skip
def each_job_is_an_array(found: Located) -> Iterator[Finding]:
    """Each element of the two lists is an array."""
    if not isinstance(found.value, list):
        hint = "a job as an object with named members" if isinstance(found.value, dict) else None
        hint = "the bare id of a job" if isinstance(found.value, str) else hint
        yield Finding(found.pointer, "an array of five elements", show(found.value), "The job is not an array.", hint)


@clause(
    "item.five-elements", Level.MUST, core=True,
    title="Each job has exactly five elements",
    source=doc(PROSE, "[job_number, prompt_id, workflow_json, output_node_ids, metadata]"),
    why="Typed clients refuse any other length, and what stands beyond the fifth is internal to the server.",
    keeps=EXAMPLE, breaks='[1, "2f1b0c3e-…"]',
    needs=AN_ITEM, over=items,
)  # fmt: skip
def five_elements(item: Item) -> Iterator[Finding]:
    """len(item) == 5."""
    size = len(item.elements)
    if size == ARITY:
        return
    hint = None
    if size > ARITY:
        hint = "ComfyUI keeps a sixth element with sensitive data inside its queue and cuts it off before it answers"
    elif size == ARITY - 1:
        hint = "the four-element tuple of ComfyUI before May 2023, and of gateways modelled on it"
    yield Finding(item.pointer, "5 elements", f"{size} elements", "The job does not have five elements.", hint)


def _ordered(answer: Answer) -> Iterator[Item]:
    return (item for item in full_items(answer) if item.order is not None)


@clause(
    "item.element-order", Level.MUST, core=True, only=frozenset({Dialect.CLOUD, Dialect.OSS}),
    oss_reason="the dialect auto takes either order: queue.one-order says that it is one",
    title="Output node ids stand before metadata",
    source=doc(PROSE, "output_node_ids, metadata]"),
    why="A client that reads by position takes one for the other.",
    keeps=EXAMPLE, breaks='[1, "2f1b0c3e-…", {"9": {…}}, {"create_time": 1763913600000}, ["9"]]',
    needs="a job whose elements 3 and 4 are an array and an object", over=_ordered,
)  # fmt: skip
def elements_in_order(item: Item) -> Iterator[Finding]:
    """[3] and [4] are not swapped. Demanded is the order of the dialect."""
    if item.order is item.dialect:
        return
    if item.dialect is Dialect.CLOUD:
        expected = "output_node_ids (array) at [3], metadata (object) at [4]"
        hint = "elements 3 and 4 are swapped, as ComfyUI itself sends them (Comfy-Org/ComfyUI issue 12659); --dialect oss demands that order"
    else:
        expected = "extra_data (object) at [3], outputs_to_execute (array) at [4]"
        hint = "this is the order of Comfy Cloud; --dialect cloud demands it"
    found = item.at(3)
    yield Finding(found.pointer, expected, show(found.value), "Elements 3 and 4 stand in each other's place.", hint)


# --- [0] job_number ---------------------------------------------------------------------------


def _job_numbers_of_any_type(answer: Answer) -> Iterator[Located]:
    return (found for found in element(0, answer.items) if constant_free(found.value))


@clause(
    "item.job-number.number", Level.MUST, core=True,
    title="[0] job_number is a number",
    source=doc(f"{ITEM}/items/oneOf/0/type", "integer"),
    why="Typed clients fail on the whole answer, others sort numbers as text.",
    keeps="1", breaks='"1"',
    needs=AN_ITEM, over=_job_numbers_of_any_type,
)  # fmt: skip
def job_number_is_a_number(found: Located) -> Iterator[Finding]:
    """[0] is a JSON number: no string, boolean or null."""
    if not is_number(found.value):
        yield Finding(found.pointer, "an integer", show(found.value), "job_number is not a number.")


@clause(
    "item.job-number.integer", Level.MUST, core=True,
    title="[0] job_number is a whole number",
    source=doc(PROSE, "[0] job_number (integer)"),
    why="A position has no fraction; clients with integer types reject the answer.",
    keeps="1", breaks="1.5",
    needs=AN_ITEM, over=job_numbers, oss=None, oss_reason=COUNTER,
)  # fmt: skip
def job_number_is_whole(found: Located) -> Iterator[Finding]:
    """[0] has no fractional part."""
    if found.value != _whole(found.value):
        yield Finding(found.pointer, "a whole number", show(found.value), "job_number has a fraction.")


@clause(
    "item.job-number.plain", Level.MUST, core=True,
    title="[0] job_number is written without fraction or exponent",
    source=doc(f"{ITEM}/items/oneOf/0/type", "integer"),
    why="An integer of OpenAPI 3.0.3 has neither; clients in Rust, Go and Swift reject 3.0 where they expect 3.",
    keeps="3", breaks="3.0",
    needs=AN_ITEM, oss=None, oss_reason=COUNTER,
    over=lambda answer: (found for found in job_numbers(answer) if found.value == _whole(found.value)),
)  # fmt: skip
def job_number_is_plain(found: Located) -> Iterator[Finding]:
    """[0] is digits alone."""
    if isinstance(found.value, Decimal):
        hint = "a float on the server; ComfyUI sends one where a client chose the number"
        yield Finding(found.pointer, "an integer without fraction or exponent", str(found.value)[:40],
                      "job_number is written as a float.", hint)  # fmt: skip


@clause(
    "item.job-number.one-based", Level.MUST, core=True,
    title="[0] job_number is 1 or more",
    source=doc(PROSE, "Position in queue (1-based)"),
    why="A client shows it as the place in the queue.",
    keeps="1", breaks="0",
    needs=AN_ITEM, over=job_numbers, oss=None, oss_reason=COUNTER,
)  # fmt: skip
def job_number_is_one_based(found: Located) -> Iterator[Finding]:
    """[0] >= 1."""
    if found.value < 1:
        hint = (
            "a zero-based position: ComfyUI counts from 0"
            if found.value == 0
            else "ComfyUI's `front: true` makes it negative"
        )
        yield Finding(found.pointer, "1 or more", show(found.value), "job_number is below 1.", hint)


@clause(
    "item.job-number.safe", Level.SHOULD,
    title="[0] job_number is at most 2^53-1",
    source=rfc("RFC 8259 §6", "numbers that are integers and are in the range [-(2**53)+1, (2**53)-1] are interoperable"),
    why="Beyond it JavaScript reads another number than was sent.",
    keeps="9007199254740991", breaks="9007199254740993",
    needs=AN_ITEM, over=job_numbers,
)  # fmt: skip
def job_number_is_safe(found: Located) -> Iterator[Finding]:
    """abs([0]) <= 2^53-1."""
    if abs(found.value) > SAFE_INTEGER:
        yield Finding(
            found.pointer, "at most 9007199254740991", show(found.value), "job_number is beyond exact doubles."
        )


# --- [1] prompt_id ----------------------------------------------------------------------------


@clause(
    "item.prompt-id.string", Level.MUST, core=True,
    title="[1] prompt_id is a string",
    source=doc(f"{ITEM}/items/oneOf/1/type", "string"),
    why="Clients look jobs up by it.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"', breaks="12345",
    needs=AN_ITEM, over=lambda answer: (found for found in element(1, answer.items) if constant_free(found.value)),
)  # fmt: skip
def prompt_id_is_a_string(found: Located) -> Iterator[Finding]:
    """[1] is a string."""
    if not isinstance(found.value, str):
        yield Finding(found.pointer, "a string (UUID)", show(found.value), "prompt_id is not a string.")


@clause(
    "item.prompt-id.uuid", Level.MUST, core=True,
    title="[1] prompt_id is a UUID",
    source=doc(PROSE, "[1] prompt_id (string): Job UUID"),
    why="Clients and databases that hold ids as UUIDs refuse anything else.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"', breaks='"job-1"',
    needs="a job whose id is a string", over=prompt_ids,
)  # fmt: skip
def prompt_id_is_a_uuid(found: Located) -> Iterator[Finding]:
    """[1] is the 36-character hyphenated form of RFC 9562 §4, any version, any case, nothing around it."""
    if UUID.fullmatch(found.value):
        return
    inside = UUID_INSIDE.search(found.value)
    hint = None
    if inside and len(inside[0]) == len(found.value):
        hint = "a UUID without its hyphens"
    elif inside:
        hint = "a UUID with something around it"
    yield Finding(
        found.pointer, "the 36-character text form of a UUID", show(found.value), "prompt_id is not a UUID.", hint
    )


@clause(
    "item.prompt-id.lower-case", Level.SHOULD,
    title="[1] prompt_id is in lower case",
    source=rfc("RFC 9562 §4", "The use of lowercase characters is RECOMMENDED"),
    why="Ids are compared as text: the same job in another case is another job to a client.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"', breaks='"2F1B0C3E-8A4D-4C55-9A6E-0D1F2B3C4D5E"',
    needs="a job whose id is a UUID",
    over=lambda answer: (found for found in prompt_ids(answer) if UUID.fullmatch(found.value)),
)  # fmt: skip
def prompt_id_is_lower_case(found: Located) -> Iterator[Finding]:
    """[1] has no upper-case hexadecimal digit."""
    if found.value != found.value.lower():
        yield Finding(found.pointer, "lower case", show(found.value), "prompt_id is in upper case.")


# --- [2] workflow_json ------------------------------------------------------------------------


@clause(
    "item.workflow.object", Level.MUST, core=True,
    title="[2] workflow_json is an object",
    source=doc(PROSE, "[2] workflow_json (object): Full ComfyUI workflow"),
    why="Clients reopen a job from it.",
    keeps='{"9": {"class_type": "SaveImage", "inputs": {}}}', breaks='"{\\"9\\": {}}"',
    needs="a job of three elements or more",
    over=lambda answer: (found for found in element(2, answer.items) if constant_free(found.value)),
)  # fmt: skip
def workflow_is_an_object(found: Located) -> Iterator[Finding]:
    """[2] is an object."""
    if isinstance(found.value, dict):
        return
    hint = None
    if isinstance(found.value, str) and found.value.lstrip().startswith("{"):
        hint = "the workflow as a string of JSON: encoded twice"
    yield Finding(found.pointer, "an object", show(found.value), "workflow_json is not an object.", hint)


@clause(
    "item.workflow.not-empty", Level.SHOULD,
    title="[2] workflow_json is not empty",
    source=doc(PROSE, "Full ComfyUI workflow"),
    why="A job without nodes cannot have been accepted; the workflow was left out.",
    keeps='{"9": {"class_type": "SaveImage", "inputs": {}}}', breaks="{}",
    needs="a job with a workflow", over=workflows,
)  # fmt: skip
def workflow_is_not_empty(found: Located) -> Iterator[Finding]:
    """[2] has a member."""
    if not found.value:
        yield Finding(found.pointer, "the workflow of the job", "{}", "workflow_json is empty.")


# --- [3] output_node_ids ----------------------------------------------------------------------


def _in_order(answer: Answer) -> Iterator[Item]:
    """Items that are not swapped: a swapped one is one finding of its own."""
    return (item for item in full_items(answer) if item.order in (None, item.dialect))


@clause(
    "item.output-node-ids.array", Level.MUST, core=True,
    title="[3] output_node_ids is an array",
    source=doc(PROSE, "[3] output_node_ids (array): Node IDs to return results from"),
    why="Clients iterate over it.",
    keeps='["9", "12"]', breaks='"9"',
    needs="a job of five elements in the demanded order", over=_in_order,
)  # fmt: skip
def output_node_ids_is_an_array(item: Item) -> Iterator[Finding]:
    """[3] (under oss: [4]) is an array."""
    found = item.output_node_ids
    if not isinstance(found.value, list) and constant_free(found.value):
        yield Finding(found.pointer, "an array of strings", show(found.value), "output_node_ids is not an array.")


def _output_node_ids(answer: Answer) -> Iterator[Located]:
    return (
        Located(f"{ids.pointer}/{index}", node_id)
        for ids in output_node_id_lists(answer)
        for index, node_id in enumerate(ids.value)
        if constant_free(node_id)
    )


@clause(
    "item.output-node-ids.strings", Level.MUST,
    title="Output node ids are strings",
    source=doc(f"{ITEM}/items/oneOf/3/items/type", "string"),
    why="They are the names of members of the workflow, which JSON knows as strings.",
    keeps='["9"]', breaks="[9]",
    needs="a job with an output node id", over=_output_node_ids,
)  # fmt: skip
def output_node_ids_are_strings(found: Located) -> Iterator[Finding]:
    """Each member of [3] is a string."""
    if not isinstance(found.value, str):
        yield Finding(found.pointer, "a string", show(found.value), "An output node id is not a string.")


@clause(
    "item.output-node-ids.not-empty", Level.SHOULD,
    title="There is an output node id",
    source=doc(PROSE, "Node IDs to return results from"),
    why="A job without outputs returns nothing; ComfyUI refuses such a prompt.",
    keeps='["9"]', breaks="[]",
    needs="a job with output_node_ids", over=output_node_id_lists,
)  # fmt: skip
def output_node_ids_is_not_empty(found: Located) -> Iterator[Finding]:
    """[3] has a member."""
    if not found.value:
        yield Finding(found.pointer, "at least one node id", "[]", "output_node_ids is empty.")


@clause(
    "item.output-node-ids.not-blank", Level.SHOULD,
    title="No output node id is empty",
    source=doc(PROSE, "Node IDs to return results from"),
    why="An empty name names no node.",
    keeps='["9"]', breaks='[""]',
    needs="a job with an output node id",
    over=lambda answer: (found for found in _output_node_ids(answer) if isinstance(found.value, str)),
)  # fmt: skip
def output_node_ids_are_not_blank(found: Located) -> Iterator[Finding]:
    """No member of [3] is the empty string."""
    if not found.value:
        yield Finding(found.pointer, "the id of a node", '""', "An output node id is empty.")


@clause(
    "item.output-node-ids.distinct", Level.SHOULD,
    title="Output node ids are distinct",
    source=doc(PROSE, "Node IDs to return results from"),
    why="A client that counts outputs waits for one that never comes.",
    keeps='["9", "12"]', breaks='["9", "9"]',
    needs="a job with output_node_ids", over=output_node_id_lists,
)  # fmt: skip
def output_node_ids_are_distinct(found: Located) -> Iterator[Finding]:
    """No string stands twice in [3]."""
    seen: set[str] = set()
    for index, node_id in enumerate(found.value):
        if isinstance(node_id, str):
            if node_id in seen:
                yield Finding(
                    f"{found.pointer}/{index}", "distinct ids", show(node_id), "An output node id is listed twice."
                )
            seen.add(node_id)


# --- [4] metadata -----------------------------------------------------------------------------


@clause(
    "item.metadata.object", Level.MUST, core=True,
    title="[4] metadata is an object",
    source=doc(PROSE, "[4] metadata (object): Contains {create_time: <milliseconds>}"),
    why="Clients read create_time from it by name.",
    keeps='{"create_time": 1763913600000}', breaks="1763913600000",
    needs="a job of five elements in the demanded order", over=_in_order,
)  # fmt: skip
def metadata_is_an_object(item: Item) -> Iterator[Finding]:
    """[4] (under oss: [3]) is an object."""
    found = item.metadata
    if not isinstance(found.value, dict) and constant_free(found.value):
        yield Finding(found.pointer, "an object", show(found.value), "metadata is not an object.")


@clause(
    "item.create-time.present", Level.MUST, core=True,
    title="metadata has create_time",
    source=doc(PROSE, "Contains {create_time: <milliseconds>}"),
    why="Clients show and sort by it.",
    keeps='{"create_time": 1763913600000}', breaks='{"client_id": "a1"}',
    needs="a job with metadata", over=metadata_objects,
)  # fmt: skip
def create_time_is_present(found: Located) -> Iterator[Finding]:
    """Metadata contains create_time."""
    if "create_time" not in found.value:
        hint = "ComfyUI before 0.3.69 sends none" if "client_id" in found.value else None
        yield Finding(
            f"{found.pointer}/create_time",
            "milliseconds since the Unix epoch",
            "absent",
            "create_time is missing.",
            hint,
        )


@clause(
    "item.create-time.number", Level.MUST, core=True,
    title="create_time is a number",
    source=doc(PROSE, "{create_time: <milliseconds>}"),
    why="A date as text cannot be compared or formatted by clients that expect milliseconds.",
    keeps="1763913600000", breaks='"2025-11-23T16:00:00Z"',
    needs="a job with create_time",
    over=lambda answer: (found for found in create_times(answer) if constant_free(found.value)),
)  # fmt: skip
def create_time_is_a_number(found: Located) -> Iterator[Finding]:
    """create_time is a JSON number."""
    if not is_number(found.value):
        hint = None
        if isinstance(found.value, str):
            hint = "the number as text" if found.value.isdecimal() else "a date as text"
        yield Finding(
            found.pointer, "a number of milliseconds", show(found.value), "create_time is not a number.", hint
        )


@clause(
    "item.create-time.milliseconds", Level.MUST, core=True,
    title="create_time is in milliseconds since the Unix epoch",
    source=doc(PROSE, "{create_time: <milliseconds>}"),
    why="A thousandfold error puts a job in 1970 or in the far future.",
    keeps="1763913600000", breaks="1763913600",
    needs="a job whose create_time is a number", over=create_time_numbers,
)  # fmt: skip
def create_time_is_in_milliseconds(found: Located) -> Iterator[Finding]:
    """10^12 <= create_time < 10^14: from 2001 to 5138."""
    if EPOCH_MS_FIRST <= found.value < EPOCH_MS_LAST:
        return
    hint = next((f"{unit} instead of milliseconds" for low, high, unit in UNITS if low <= found.value < high), None)
    yield Finding(found.pointer, "milliseconds since 1970-01-01T00:00:00Z", show(found.value),
                  "create_time is not in milliseconds since the epoch.", hint)  # fmt: skip


@clause(
    "item.create-time.whole", Level.SHOULD,
    title="create_time is a whole number",
    source=doc(PROSE, "{create_time: <milliseconds>}"),
    why="The official frontend and typed clients hold it as an integer.",
    keeps="1763913600000", breaks="1763913600000.5",
    needs="a job whose create_time is a number", over=create_time_numbers,
)  # fmt: skip
def create_time_is_whole(found: Located) -> Iterator[Finding]:
    """create_time is written without fraction or exponent."""
    if isinstance(found.value, Decimal):
        yield Finding(found.pointer, "an integer", str(found.value)[:40], "create_time is written as a float.")


def _dated_create_times(answer: Answer) -> Iterator[tuple[Located, float]]:
    now = answered_at(answer)
    if now is not None:
        plausible = (t for t in create_time_numbers(answer) if EPOCH_MS_FIRST <= t.value < EPOCH_MS_LAST)
        yield from ((found, now * 1000) for found in plausible)


@clause(
    "item.create-time.past", Level.SHOULD,
    title="create_time is in the past",
    source=doc("/components/schemas/QueueInfo/properties/queue_pending/description", "creation time"),
    why="A job that is listed was created; a time to come is a time zone or a clock gone wrong.",
    keeps="a create_time before the answer's Date", breaks="a create_time an hour after the answer's Date",
    needs="a job with create_time, and a Date header or a clock", over=_dated_create_times,
)  # fmt: skip
def create_time_is_past(subject: tuple[Located, float]) -> Iterator[Finding]:
    """create_time <= the time of the answer (its Date, else our clock) + 60 s of skew."""
    found, now_ms = subject
    ahead = float(found.value) - now_ms
    if ahead > CLOCK_SKEW_MS:
        hours = ahead / 3_600_000
        hint = (
            "whole hours ahead: local time taken for UTC" if hours > 0.9 and abs(hours - round(hours)) < 0.05 else None
        )
        yield Finding(found.pointer, "a time before the answer", show(found.value),
                      f"create_time is {ahead / 1000:,.0f} s after the answer.", hint)  # fmt: skip


def _whole(number: int | Decimal) -> int | Decimal:
    return number if isinstance(number, int) or not number.is_finite() else number.to_integral_value()
