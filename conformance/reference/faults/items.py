"""Faults of single jobs: the shape of the tuple, and its five elements."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from conformance.reference.faults.registry import add, each_item, every, items, lists
from conformance.reference.message import IncomingRequest, verbatim
from conformance.reference.message import items as items_of
from conformance.reference.queue import Queue, QueueItem

# --- the tuple --------------------------------------------------------------------------------------------------------


@items("item.array")
def items_as_objects(item: QueueItem) -> object:
    """Items are objects with a member for each element."""
    return dict(zip(("job_number", "prompt_id", "workflow_json", "output_node_ids", "metadata"), item, strict=True))


@items("item.array")
def items_as_ids(item: QueueItem) -> object:
    """Items are only prompt ids."""
    return item[1]


@items("item.array", which=slice(-1, None))
def null_at_the_end(_item: QueueItem) -> object:
    """The last item is null."""
    return verbatim("null")


@items("item.five-elements")
def two_elements(item: QueueItem) -> object:
    """Items have only two elements."""
    return item[:2]


@items("item.five-elements")
def four_elements(item: QueueItem) -> object:
    """Items have no metadata."""
    return item[:4]


@items("item.five-elements")
def no_elements(_item: QueueItem) -> object:
    """Items are empty arrays, which the published schema accepts."""
    return []


@items("item.five-elements")
def sixth_element(item: QueueItem) -> None:
    """Items have a sixth element: the sensitive data that ComfyUI keeps internal."""
    item.append({"auth_token_comfy_org": ""})


@items("item.five-elements", which=slice(0, 1))
def four_elements_while_running(item: QueueItem) -> object:
    """Items lose their metadata when they start to run."""
    return item[:4]


@items("item.five-elements", which=slice(-1, None), variant="hundreds-standing-still")
def one_bad_item_of_hundreds(item: QueueItem) -> object:
    """The last of two hundred items has four elements."""
    return item[:4]


@items("item.five-elements", when=every(13))
def breaks_every_13th_answer(item: QueueItem) -> object:
    """In every thirteenth response items have four elements."""
    return item[:4]


@items("item.five-elements", when=lambda ask: bool(ask.query))
def four_elements_with_a_query(item: QueueItem) -> object:
    """With a query string items have four elements."""
    return item[:4]


def _swap(item: QueueItem) -> None:
    item[3], item[4] = item[4], item[3]


@items("item.element-order")
def comfyui_order(item: QueueItem) -> None:
    """Items are in ComfyUI's own order: extra data before output ids."""
    _swap(item)


@items("item.element-order", which=slice(0, 1))
def comfyui_order_while_running(item: QueueItem) -> None:
    """Only the running item is in ComfyUI's own order."""
    _swap(item)


@items("queue.one-order", which=slice(None, None, 2), dialect="auto")
def mixed_orders(item: QueueItem) -> None:
    """Every other item is in ComfyUI's own order."""
    _swap(item)


@items("queue.one-order", which=slice(1, None, 2), variant="oss", dialect="auto")
def oss_mixed_orders(item: QueueItem) -> None:
    """A ComfyUI server lists every other item in the order of the Comfy Cloud document."""
    _swap(item)


@items("queue.one-order", which=slice(1, None, 2), dialect="auto")
def order_untold(item: QueueItem) -> None:
    """Element 3 of every other item is null, which fits neither dialect."""
    item[3] = None


# --- ComfyUI's dialect ------------------------------------------------------------------------------------------------


@items("item.prompt-id.uuid", variant="oss", dialect="oss")
def oss_id_of_the_client(item: QueueItem) -> None:
    """A ComfyUI server lists ids that its clients chose and that are not UUIDs."""
    item[1] = f"job-{item[1][:8]}"


@items("item.five-elements", variant="oss", dialect="oss")
def oss_sixth_element(item: QueueItem) -> None:
    """A ComfyUI server lists jobs with one element too many, the one for sensitive data."""
    item.append({})


@items("json.finite-numbers", which=slice(-1, None), variant="oss", dialect="oss")
def oss_number_nan(item: QueueItem) -> None:
    """A ComfyUI server lists the NaN that a client sent as the job number."""
    item[0] = verbatim("NaN")


@items("privacy.credentials", variant="oss", dialect="oss")
def oss_lists_the_key(item: QueueItem) -> None:
    """A ComfyUI server lists the API key that a client sent with a job."""
    item[3]["api_key_comfy_org"] = "comfyui-0123456789"


# --- one element replaced by another value --------------------------------------------------------------------------

CREATED = "create_time"
"""A key for ``_element``, which otherwise takes the index of an element: it selects the create_time in the metadata."""


def _ticks(milliseconds: int) -> int:
    return (milliseconds + 62_135_596_800_000) * 10_000


def _file_time(milliseconds: int) -> int:
    return (milliseconds + 11_644_473_600_000) * 10_000


def _date(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


_OTHERWISE: dict[str, list[tuple[int | str, str, str, Callable[[Any], object]]]] = {
    "item.job-number.number": [
        (0, "number-in-quotes", "Job numbers are strings.", str),
        (0, "number-is-true", "Job numbers are true.", lambda _: True),
        (0, "number-is-null", "Job numbers are null.", lambda _: None),
    ],
    "item.job-number.integer": [(0, "number-and-a-half", "Job numbers have a fraction.", lambda old: old + 0.5)],
    "item.job-number.plain": [
        (0, "number-with-point-zero", "Job numbers are written as 3.0.", float),
        (0, "number-with-exponent", "Job numbers are written as 3e0.", lambda old: verbatim(f"{old}e0")),
    ],
    "item.job-number.one-based": [
        (0, "numbers-from-zero", "Job numbers begin at 0.", lambda old: old - 1),
        (0, "numbers-below-zero", "Job numbers are negative, as for jobs put in front.", lambda old: old - 1000),
    ],
    "item.job-number.safe": [
        (0, "number-beyond-double", "Job numbers are too large to be exact in a double.", lambda old: 2**53 + 2 * old)
    ],
    "item.prompt-id.string": [
        (1, "id-as-number", "Prompt ids are numbers, as in early versions of ComfyUI.", lambda old: int(old[:8], 16)),
        (1, "id-is-null", "Prompt ids are null.", lambda _: None),
        (1, "id-in-a-list", "Prompt ids are arrays of one string.", lambda old: [old]),
    ],
    "item.prompt-id.uuid": [
        (1, "id-is-empty", "Prompt ids are empty.", lambda _: ""),
        (1, "id-without-hyphens", "Prompt ids are 32 digits without hyphens.", lambda old: old.replace("-", "")),
        (1, "id-in-braces", "Prompt ids are in braces.", lambda old: f"{{{old}}}"),
        (1, "id-as-urn", "Prompt ids begin with urn:uuid.", lambda old: f"urn:uuid:{old}"),
        (1, "id-with-newline", "Prompt ids end with a line feed.", lambda old: f"{old}\n"),
        (1, "id-with-space", "Prompt ids begin with a space.", lambda old: f" {old}"),
        (1, "id-too-short", "Prompt ids lack their last digit.", lambda old: old[:-1]),
        (
            1,
            "id-not-hexadecimal",
            "Prompt ids contain a letter that is not a hexadecimal digit.",
            lambda old: f"g{old[1:]}",
        ),
        (1, "id-in-other-digits", "Prompt ids contain a digit of another script.", lambda old: f"{old[:-1]}٣"),
        (
            1,
            "id-with-hyphens-elsewhere",
            "The hyphens of prompt ids are in the wrong places.",
            lambda old: f"{old[:7]}-{old[7]}{old[9:]}",
        ),
        (1, "id-as-short-code", "Prompt ids are short codes of the server's own.", lambda old: f"job_{old[:8]}"),
    ],
    "item.prompt-id.lower-case": [
        (1, "id-in-upper-case", "Prompt ids are in upper case.", lambda old: "A" + old[1:].upper())
    ],
    "item.workflow.object": [
        (
            2,
            "workflow-as-text",
            "Workflows are strings of JSON text.",
            lambda _: '{"3": {"class_type": "EmptyImage"}}',
        ),
        (2, "workflow-is-null", "Workflows are null.", lambda _: None),
        (2, "workflow-as-list", "Workflows are arrays of nodes.", lambda old: list(old.values())),
    ],
    "item.workflow.not-empty": [(2, "workflow-is-empty", "Workflows are empty objects.", lambda _: {})],
    "item.output-node-ids.array": [
        (3, "outputs-as-text", "Output ids are one comma-separated string.", ",".join),
        (3, "outputs-are-null", "Output ids are null.", lambda _: None),
        (3, "outputs-as-object", "Output ids are the member names of an object.", lambda old: dict.fromkeys(old, True)),
    ],
    "item.output-node-ids.strings": [
        (3, "outputs-as-numbers", "Output ids are numbers.", lambda old: [int(name) for name in old]),
        (3, "output-is-null", "One of the output ids is null.", lambda old: [*old, None]),
    ],
    "item.output-node-ids.not-empty": [(3, "no-outputs", "Jobs have no output ids.", lambda _: [])],
    "item.output-node-ids.distinct": [(3, "outputs-twice", "Output ids are listed twice.", lambda old: old * 2)],
    "item.metadata.object": [
        (4, "metadata-is-null", "Metadata is null.", lambda _: None),
        (
            4,
            "metadata-as-number",
            "Metadata is only the number that create_time would have.",
            lambda old: old["create_time"],
        ),
        (4, "metadata-as-list", "Metadata is an array of one object.", lambda old: [old]),
    ],
    "item.create-time.present": [
        (4, "no-create-time", "Metadata has no create_time.", lambda _: {"client_id": "5c2f"}),
        (
            4,
            "create-time-in-camel-case",
            "Metadata has createTime instead of create_time.",
            lambda old: {"createTime": old[CREATED]},
        ),
    ],
    "item.create-time.number": [
        (CREATED, "create-time-in-quotes", "The create_time is a string of digits.", str),
        (CREATED, "create-time-as-date", "The create_time is a date in ISO 8601.", _date),
        (CREATED, "create-time-as-a-word", "The create_time is a word.", lambda _: "yesterday"),
        (CREATED, "create-time-is-null", "The create_time is null.", lambda _: None),
        (CREATED, "create-time-is-true", "The create_time is true.", lambda _: True),
    ],
    "item.create-time.milliseconds": [
        (CREATED, "seconds", "The create_time is in seconds.", lambda old: old // 1000),
        (
            CREATED,
            "seconds-with-fraction",
            "The create_time is in seconds with a fraction, as Python's time.time() returns it.",
            lambda old: old / 1000,
        ),
        (CREATED, "microseconds", "The create_time is in microseconds.", lambda old: old * 1000),
        (CREATED, "nanoseconds", "The create_time is in nanoseconds.", lambda old: old * 1000_000),
        (
            CREATED,
            "dotnet-ticks",
            "The create_time is in ticks of .NET.",
            _ticks,
        ),
        (CREATED, "file-times", "The create_time is a Windows file time.", _file_time),
    ],
    "item.create-time.whole": [
        (CREATED, "create-time-with-fraction", "The create_time has a fraction.", lambda old: old + 0.5)
    ],
    "item.create-time.past": [
        (CREATED, "create-time-tomorrow", "The create_time is a day in the future.", lambda old: old + 86_400_000),
        (
            CREATED,
            "create-time-of-another-zone",
            "The create_time is two hours in the future.",
            lambda old: old + 7_200_000,
        ),
    ],
}


def _element(place: int | str, change: Callable[[Any], object]) -> Callable[[QueueItem], None]:
    """Return a function that replaces one element of a job, or its create_time, by ``change(old value)``."""

    def apply(item: QueueItem) -> None:
        holder: Any = item[4] if place == CREATED else item
        holder[place] = change(holder[place])

    return apply


for _clause, _rows in _OTHERWISE.items():
    for _place, _name, _summary, _change in _rows:
        add(_name, _summary, _clause, each_item(_element(_place, _change)))


add(
    "seconds-every-7th-answer",
    "In every seventh response create_time is in seconds.",
    "item.create-time.milliseconds",
    each_item(_element(CREATED, lambda time: time // 1000), when=every(7)),
)


@items("item.output-node-ids.not-blank")
def blank_output(item: QueueItem) -> None:
    """An output id is the empty string, and so is the id of the node that it names."""
    item[2][""] = item[2].pop("9")
    item[3] = ["7", ""]


# --- the workflow -----------------------------------------------------------------------------------------------------


@items("workflow.class-types")
def node_without_class_type(item: QueueItem) -> None:
    """A node of the workflow has no class_type."""
    del item[2]["4"]["class_type"]


@items("workflow.class-types")
def class_type_is_null(item: QueueItem) -> None:
    """The class_type of a node is null."""
    item[2]["4"]["class_type"] = None


@items("workflow.links")
def link_to_nowhere(item: QueueItem) -> None:
    """A link of the workflow refers to a missing node."""
    item[2]["4"]["inputs"]["image"] = ["404", 0]


@items("workflow.output-nodes")
def output_of_no_node(item: QueueItem) -> None:
    """An output id refers to a node that is not in the workflow."""
    item[3] = ["7", "404"]


@items("privacy.credentials")
def lists_the_key(item: QueueItem) -> None:
    """Metadata contains the API key that a client sent with the job."""
    item[4]["api_key_comfy_org"] = "comfyui-0123456789"


@items("privacy.credentials", which=slice(-1, None))
def lists_a_token_deep_inside(item: QueueItem) -> None:
    """The metadata of one item contains a client's token, nested deeply."""
    item[4]["extra_data"] = {"auth": [{"auth_token_comfy_org": "eyJhbGciOi"}]}


@lists("reads.prompt-ids", variant="standing-still")
def new_ids_in_each_read(queue: Queue, ask: IncomingRequest) -> Queue:
    """Jobs have different ids in each response."""
    for item in items_of(queue):
        item[1] = str(uuid.uuid5(uuid.UUID(item[1]), str(ask.read)))
    return queue


@lists("reads.prompt-ids", variant="standing-still")
def some_new_ids_in_each_read(queue: Queue, ask: IncomingRequest) -> Queue:
    """Every other job has a different id in each response."""
    for item in items_of(queue)[::2]:
        item[1] = str(uuid.uuid5(uuid.UUID(item[1]), str(ask.read)))
    return queue
