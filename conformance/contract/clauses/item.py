"""Clauses about QueueItem, a job: [job_number, prompt_id, workflow_json, output_node_ids, metadata]."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, rfc
from conformance.contract.reading.body import (
    ARITY,
    Item,
    Reading,
    constant_free,
    element,
    elements,
    full_items,
    items,
    output_node_id_lists,
    prompt_ids,
    workflows,
)
from conformance.contract.reading.memory import Located
from conformance.contract.terms import SWAPPED_ISSUE, Dialect, FastPath, Level
from conformance.contract.values import UUID
from conformance.text.safe import show

ITEM: Final = "/components/schemas/QueueItem"
PROSE: Final = f"{ITEM}/description"
AN_ITEM: Final = "a job in either list"
AN_ARRAY: Final = "a job that is an array"
EXAMPLE: Final = '[1, "2f1b0c3e-…", {"9": {…}}, ["9"], {"create_time": 1763913600000}]'

UUID_INSIDE: Final = re.compile(r"[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", re.ASCII)

LIKE_AN_ID: Final = re.compile(r"(?=.*\d)[\w:.-]{4,80}", re.ASCII)


@clause(
    "item.array",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="Each job is an array",
    source=doc(f"{ITEM}/type", "array"),
    why="Clients read the parts of a job by position.",
    keeps=EXAMPLE,
    breaks='{"prompt_id": "2f1b0c3e-…", "job_number": 1}',
    needs=AN_ITEM,
    of_body=lambda reading: (found for found in elements(reading) if constant_free(found.value)),
    kinds=("object", "bare-id"),
)
def each_job_is_an_array(found: Located) -> Iterator[Finding]:
    """Each element of the two lists is an array."""
    if not isinstance(found.value, list):
        cause = None
        if isinstance(found.value, dict):
            cause = Cause("object", "the job is an object with named members")
        elif isinstance(found.value, str):
            cause = Cause("bare-id", "only the id of a job") if LIKE_AN_ID.fullmatch(found.value) else None
        yield Finding(found.pointer, "an array of five elements", show(found.value), "The job is not an array.", cause)


@clause(
    "item.five-elements",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="Each job has exactly five elements",
    source=doc(PROSE, "[job_number, prompt_id, workflow_json, output_node_ids, metadata]"),
    why="Typed clients refuse any other length. Further elements are internal to the server.",
    keeps=EXAMPLE,
    breaks='[1, "2f1b0c3e-…"]',
    needs=AN_ARRAY,
    of_body=items,
    kinds=("more", "four"),
)
def five_elements(item: Item) -> Iterator[Finding]:
    """A job has exactly five elements."""
    size = len(item.elements) + item.more
    if size == ARITY:
        return
    cause = None
    if size > ARITY:
        sixth = "ComfyUI keeps a sixth element with sensitive data in its queue, and removes it from responses"
        cause = Cause("more", sixth)
    elif size == ARITY - 1:
        cause = Cause("four", "the four-element form of ComfyUI before May 2023, and of gateways modelled on it")
    yield Finding(item.pointer, "5 elements", f"{size} elements", "The job does not have five elements.", cause)


@clause(
    "item.element-order",
    Level.MUST,
    core=True,
    only=frozenset({Dialect.CLOUD, Dialect.OSS}),
    elsewhere="the dialect auto allows either order; the clause queue.one-order checks that all jobs have the same order",
    title="Elements [3] and [4] of each job follow the dialect",
    source=doc(PROSE, "output_node_ids, metadata]"),
    why="A client that reads by position mixes up the two elements.",
    keeps=EXAMPLE,
    breaks='[1, "2f1b0c3e-…", {"9": {…}}, {"create_time": 1763913600000}, ["9"]]',
    needs="a job whose elements 3 and 4 are an array and an object",
    fast=FastPath.EACH_JOB,
    of_body=lambda reading: (item for item in full_items(reading) if item.order is not None),
    kinds=("comfyui-order", "cloud-order"),
)
def elements_in_order(item: Item) -> Iterator[Finding]:
    """Elements [3] and [4] of each job follow the dialect, not swapped."""
    if not item.swapped:
        return
    if item.demand.read_as is Dialect.CLOUD:
        expected = "output_node_ids (array) at [3], metadata (object) at [4]"
        cause = Cause(
            "comfyui-order",
            f"elements 3 and 4 are swapped, as ComfyUI itself sends them ({SWAPPED_ISSUE}); --dialect oss expects that order",
        )
    else:
        expected = "extra_data (object) at [3], outputs_to_execute (array) at [4]"
        cause = Cause("cloud-order", "this is the order of Comfy Cloud; --dialect cloud expects it")
    found = item.at(3)
    yield Finding(found.pointer, expected, show(found.value), "Elements [3] and [4] of the job are swapped.", cause)


# --- [1] prompt_id ----------------------------------------------------------------------------


@clause(
    "item.prompt-id.string",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="prompt_id (element 1 of a job) is a string",
    source=doc(f"{ITEM}/items/oneOf/1/type", "string"),
    why="Clients look up jobs by this id.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"',
    breaks="12345",
    needs=f"{AN_ARRAY} of two elements or more",
    of_body=lambda reading: (found for found in element(1, reading.items) if constant_free(found.value)),
)
def prompt_id_is_a_string(found: Located) -> Iterator[Finding]:
    """prompt_id (element 1 of a job) is a string."""
    if not isinstance(found.value, str):
        yield Finding(found.pointer, "a string (UUID)", show(found.value), "prompt_id is not a string.")


@clause(
    "item.prompt-id.uuid",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="prompt_id (element 1 of a job) is a UUID",
    source=doc(PROSE, "[1] prompt_id (string): Job UUID"),
    why="Clients and databases that hold ids as UUIDs refuse anything else.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"',
    breaks='"job-1"',
    needs="a job whose id is a string",
    of_body=prompt_ids,
    kinds=("no-hyphens", "surrounded"),
)
def prompt_id_is_a_uuid(found: Located) -> Iterator[Finding]:
    """prompt_id is the 36-character text form of RFC 9562 §4: any version, any letter case, no other characters."""
    if UUID.fullmatch(found.value):
        return
    inside = UUID_INSIDE.search(found.value)
    cause = None
    if inside and len(inside[0]) == len(found.value):
        cause = Cause("no-hyphens", "a UUID without its hyphens")
    elif inside:
        cause = Cause("surrounded", "a UUID with other characters around it")
    yield Finding(
        found.pointer, "the 36-character text form of a UUID", show(found.value), "prompt_id is not a UUID.", cause
    )


@clause(
    "item.prompt-id.lower-case",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="prompt_id (element 1 of a job) is in lower case",
    source=rfc("RFC 9562 §4", "The use of lowercase characters is RECOMMENDED"),
    why="Clients compare ids as text, so a different letter case looks like a different job.",
    keeps='"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"',
    breaks='"2F1B0C3E-8A4D-4C55-9A6E-0D1F2B3C4D5E"',
    needs="a job whose id is a UUID",
    of_body=lambda reading: (found for found in prompt_ids(reading) if UUID.fullmatch(found.value)),
)
def prompt_id_is_lower_case(found: Located) -> Iterator[Finding]:
    """prompt_id has no upper-case hexadecimal digit."""
    if found.value != found.value.lower():
        yield Finding(found.pointer, "lower case", show(found.value), "prompt_id has upper-case digits.")


# --- [2] workflow_json ------------------------------------------------------------------------


@clause(
    "item.workflow.object",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="workflow_json (element 2 of a job) is an object",
    source=doc(PROSE, "[2] workflow_json (object): Full ComfyUI workflow"),
    why="Clients open the workflow of a job from this element.",
    keeps='{"9": {"class_type": "SaveImage", "inputs": {}}}',
    breaks='"{\\"9\\": {}}"',
    needs=f"{AN_ARRAY} of three elements or more",
    kinds=("encoded-twice",),
    of_body=lambda reading: (found for found in element(2, reading.items) if constant_free(found.value)),
)
def workflow_is_an_object(found: Located) -> Iterator[Finding]:
    """workflow_json (element 2 of a job) is an object."""
    if isinstance(found.value, dict):
        return
    cause = None
    if isinstance(found.value, str) and found.value.lstrip().startswith("{"):
        cause = Cause("encoded-twice", "the workflow as a string that contains JSON: encoded twice")
    yield Finding(found.pointer, "an object", show(found.value), "workflow_json is not an object.", cause)


@clause(
    "item.workflow.not-empty",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="workflow_json (element 2 of a job) is not empty",
    source=inferred(
        doc(PROSE, "Full ComfyUI workflow"), "The OpenAPI document calls the workflow full, but sets no minimum size."
    ),
    why="No server accepts a job without nodes, so the workflow was left out.",
    keeps='{"9": {"class_type": "SaveImage", "inputs": {}}}',
    breaks="{}",
    needs="a job with a workflow",
    of_body=workflows,
)
def workflow_is_not_empty(found: Located) -> Iterator[Finding]:
    """workflow_json has at least one member."""
    if not found.value:
        yield Finding(found.pointer, "the workflow of the job", "{}", "workflow_json is empty.")


# --- [3] output_node_ids ----------------------------------------------------------------------


def _in_order(reading: Reading) -> Iterator[Item]:
    """Yield the jobs whose elements 3 and 4 are not swapped, and whose order of elements is known."""
    return (item for item in full_items(reading) if item.read_as is not None and not item.swapped)


@clause(
    "item.output-node-ids.array",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="output_node_ids (element 3 of a job) is an array",
    source=doc(PROSE, "[3] output_node_ids (array): Node IDs to return results from"),
    why="Clients iterate over the list.",
    keeps='["9", "12"]',
    breaks='"9"',
    needs="a job of five elements in the expected order",
    of_body=_in_order,
)
def output_node_ids_is_an_array(item: Item) -> Iterator[Finding]:
    """Element 3 of a job (output_node_ids) is an array. Under the dialect oss it is element 4."""
    found = item.output_node_ids
    assert found is not None
    if not isinstance(found.value, list) and constant_free(found.value):
        yield Finding(found.pointer, "an array of strings", show(found.value), "output_node_ids is not an array.")


def _output_node_ids(reading: Reading) -> Iterator[Located]:
    return (
        Located(f"{ids.pointer}/{index}", node_id)
        for ids in output_node_id_lists(reading)
        for index, node_id in enumerate(ids.value)
        if constant_free(node_id)
    )


@clause(
    "item.output-node-ids.strings",
    Level.MUST,
    fast=FastPath.OUTPUT_NODE_IDS,
    title="Output node ids are strings",
    source=doc(f"{ITEM}/items/oneOf/3/items/type", "string"),
    why="Output node ids are names of members of the workflow, and names in JSON are strings.",
    keeps='["9"]',
    breaks="[9]",
    needs="a job with an output node id",
    of_body=_output_node_ids,
)
def output_node_ids_are_strings(found: Located) -> Iterator[Finding]:
    """Each element of output_node_ids is a string."""
    if not isinstance(found.value, str):
        yield Finding(found.pointer, "a string", show(found.value), "An output node id is not a string.")


@clause(
    "item.output-node-ids.not-empty",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="A job has at least one output node id",
    source=inferred(doc(PROSE, "Node IDs to return results from"), "The OpenAPI document sets no minimum length."),
    why="A job without outputs returns nothing, and ComfyUI refuses such a prompt.",
    keeps='["9"]',
    breaks="[]",
    needs="a job with output_node_ids",
    of_body=output_node_id_lists,
)
def output_node_ids_is_not_empty(found: Located) -> Iterator[Finding]:
    """output_node_ids has at least one element."""
    if not found.value:
        yield Finding(found.pointer, "at least one node id", "[]", "output_node_ids is empty.")


@clause(
    "item.output-node-ids.not-blank",
    Level.SHOULD,
    fast=FastPath.OUTPUT_NODE_IDS,
    title="No output node id is empty",
    source=inferred(
        doc(PROSE, "Node IDs to return results from"), "The OpenAPI document does not describe the form of a node id."
    ),
    why="The empty string is not the id of a node.",
    keeps='["9"]',
    breaks='[""]',
    needs="a job with an output node id",
    of_body=lambda reading: (found for found in _output_node_ids(reading) if isinstance(found.value, str)),
)
def output_node_ids_are_not_blank(found: Located) -> Iterator[Finding]:
    """No element of output_node_ids is the empty string."""
    if not found.value:
        yield Finding(found.pointer, "the id of a node", '""', "An output node id is empty.")


@clause(
    "item.output-node-ids.distinct",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="Output node ids are distinct",
    source=inferred(
        doc(PROSE, "Node IDs to return results from"), "The OpenAPI document does not say that the ids are unique."
    ),
    why="A client that counts outputs waits for one that never arrives.",
    keeps='["9", "12"]',
    breaks='["9", "9"]',
    needs="a job with output_node_ids",
    of_body=output_node_id_lists,
)
def output_node_ids_are_distinct(found: Located) -> Iterator[Finding]:
    """No string appears twice in output_node_ids."""
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
    "item.metadata.object",
    Level.MUST,
    core=True,
    fast=FastPath.EACH_JOB,
    title="metadata (element 4 of a job) is an object",
    source=doc(PROSE, "[4] metadata (object): Contains {create_time: <milliseconds>}"),
    why="Clients read create_time from the metadata by name.",
    keeps='{"create_time": 1763913600000}',
    breaks="1763913600000",
    needs="a job of five elements in the expected order",
    of_body=_in_order,
)
def metadata_is_an_object(item: Item) -> Iterator[Finding]:
    """Element 4 of a job (metadata) is an object. Under the dialect oss it is element 3."""
    found = item.metadata
    assert found is not None
    if not isinstance(found.value, dict) and constant_free(found.value):
        yield Finding(found.pointer, "an object", show(found.value), "metadata is not an object.")
