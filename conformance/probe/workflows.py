"""Workflows of the jobs that a run submits. They need no model, and contain a token by which a job is recognised."""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Collection, Mapping
from typing import Any, Final

Workflow = dict[str, Any]
"""A graph in API format: ``{node id: {"class_type": ..., "inputs": ...}}``."""

SMALL, LARGE = 768, 1024
"""Width and height in pixels of the images in a workflow. An image takes about ten megabytes."""
STEPS: Final = 48
"""The number of scaling steps in a slow job. Together they take at least a second and about 500 MB for images."""
PLANES: Final = "".join(chr((plane << 16) + 0xA0B0) for plane in range(17))
"""A character of every plane of Unicode."""
TEXT: Final = f"日本語 ünï العربية 👩‍🚀 \u2028\u202e{PLANES}"
"""Text from every plane of Unicode. It has no NUL, which some databases cannot store, and no lone surrogate."""
NEEDED: Final = ("EmptyImage", "ImageScale")
OUTPUTS: Final = ("PreviewImage", "SaveImage")
"""Node classes for the output, the preferred class first: a preview is deleted when the server restarts, a saved image
stays.
"""
_SEEDS: Final = ("seed", "noise_seed")


class NoWorkflow(Exception):
    """The server lacks nodes of the built-in workflows. The message is one line for the user."""


def output_class(classes: Collection[str] | None) -> str:
    """Return the node class for the output. ``classes`` are the node classes of the server, None if unknown.

    Raises NoWorkflow.
    """
    if classes is None:
        return "SaveImage"
    missing = [name for name in NEEDED if name not in classes]
    found = next((name for name in OUTPUTS if name in classes), None)
    if missing or found is None:
        absent = " and ".join([*missing, *([] if found else [" or ".join(OUTPUTS)])])
        needs = f"the built-in workflows need {', '.join(NEEDED)}"
        raise NoWorkflow(f"{needs}, and the server has no {absent}: give one with --workflow")
    return found


def built_in(output: str, *, slow: bool) -> Workflow:
    """Return a workflow that creates an image of one colour and scales it, many times if ``slow``."""

    def node(class_type: str, **inputs: Any) -> dict[str, Any]:
        return {"class_type": class_type, "inputs": inputs, "_meta": {"title": class_type}}

    graph = {"1": node("EmptyImage", width=LARGE, height=LARGE, batch_size=1, color=0)}
    for step in range(STEPS if slow else 1):
        size = LARGE if step % 2 else SMALL
        graph[str(step + 2)] = node(
            "ImageScale", image=[str(step + 1), 0], upscale_method="lanczos", width=size, height=size, crop="disabled"
        )
    named = {"filename_prefix": "conformance"} if output == "SaveImage" else {}
    graph[str(len(graph) + 1)] = node(output, images=[str(len(graph)), 0], **named)
    return graph


def unique(workflow: Mapping[str, Any], mark: str, *, text: str = "") -> Workflow:
    """Return a copy of a workflow with random values, so that no server has the result in a cache.

    The title of its first node contains ``mark``, which identifies the job, and ``text``.
    """
    made = copy.deepcopy(dict(workflow))
    chance = random.SystemRandom()
    for node in made.values():
        inputs = node.get("inputs", {}) if isinstance(node, dict) else {}
        for name in _SEEDS:
            if isinstance(inputs.get(name), int):
                inputs[name] = chance.getrandbits(32)
        if isinstance(inputs.get("filename_prefix"), str):
            inputs["filename_prefix"] += f"-{mark}"
        if node.get("class_type") == "EmptyImage":
            inputs["color"] = chance.getrandbits(24)
    first = next(iter(made.values()))
    first["_meta"] = {**first.get("_meta", {}), "title": " ".join(filter(None, (f"conformance {mark}", text)))}
    return made


def as_frontend(workflow: Workflow, client: str) -> dict[str, Any]:
    """Return the members that ComfyUI's own frontend adds to a submission: its client id and the editor's graph."""
    nodes = [
        {
            "id": number,
            "type": node.get("class_type"),
            "pos": [0, 0],
            "size": [200, 80],
            "flags": {},
            "order": number,
            "mode": 0,
            "inputs": [],
            "outputs": [],
            "properties": {},
            "widgets_values": [],
        }
        for number, node in enumerate(workflow.values(), 1)
    ]
    editor = {
        "id": str(uuid.uuid4()),
        "revision": 0,
        "last_node_id": len(nodes),
        "last_link_id": 0,
        "nodes": nodes,
        "links": [],
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }
    return {"client_id": client, "extra_data": {"extra_pnginfo": {"workflow": editor}}}


def refused(mark: str) -> Workflow:
    """Return a workflow that every server should refuse: its node has an unknown class, and it has no output."""
    return {
        "1": {"class_type": "NoSuchNodeOfConformance", "inputs": {}, "_meta": {"title": f"conformance {mark} refused"}}
    }
