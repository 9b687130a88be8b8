"""Hiding what users wrote into workflows: the structure stays, values go, character by character."""

from __future__ import annotations

import re
from typing import Final

from conformance.contract.conversation import FIRST_ERROR
from conformance.contract.values import UUID

HIDDEN: Final = "█"
_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*+)(?P<end>"|\\?\Z)(?P<colon>\s*:\s*(?P<number>-?\d[\d.eE+-]*|true|false)?)?', re.DOTALL
)
_NODE_ID: Final = re.compile(r"\d{1,12}(:\d{1,12})*", re.ASCII)
_IN_WORKFLOW: Final = re.compile(r"/queue_(?:running|pending)/\d+/[234]/")
"""Below [2], and below [3] and [4]: where elements are swapped, extra data of users stand there."""
_ABOUT_CONTENT: Final = ("workflow.", "json.", "reads.job-data")
_ABOUT_NODES: Final = ("workflow.", "lifecycle.workflow")
"""Findings that nobody understands without the class types of nodes."""
_OF_JOBS: Final = (b"queue_running", b"queue_pending", b"class_type", b"inputs", b"prompt")
"""Names of members that stand around what users wrote."""


def masked(text: str, *, class_types: bool = False) -> str:
    """Hide the values in JSON text, of a whole body or cut off anywhere: no place moves.

    Left are names of members, what is no string in an array (a link's slot, a job's number), ids of jobs and of
    nodes, ``create_time``, and ``class_types`` if they are wanted.
    """
    named_at = -1  # where the value of a class_type begins

    def mask(match: re.Match[str]) -> str:
        nonlocal named_at
        named, named_at = class_types and match.start() == named_at, -1
        text, colon, number = match["text"], match["colon"], match["number"]
        if colon is not None:
            named_at = match.end() if text == "class_type" else -1
            hidden = colon if number is None or text == "create_time" else colon[: -len(number)] + HIDDEN * len(number)
            return f'"{text}"{hidden}'
        kept = named or UUID.fullmatch(text) or _NODE_ID.fullmatch(text)
        return f'"{text if kept else HIDDEN * len(text)}{match["end"]}'

    return _TOKEN.sub(mask, text)


def shows_workflow(clause: str, pointer: str | None) -> bool:
    """Whether a finding of ``clause`` at ``pointer`` may show what stands in a workflow."""
    if pointer is not None and pointer.endswith("/create_time"):
        return False
    return clause.startswith(_ABOUT_CONTENT) or _IN_WORKFLOW.match(f"{pointer}/") is not None


def wants_class_types(clause: str) -> bool:
    """Whether a finding of a clause is about nodes, whose class types then stay visible."""
    return clause.startswith(_ABOUT_NODES)


def may_hold_workflows(status: int, content: bytes) -> bool:
    """Whether a response may hold what users wrote: an error that has no part of a job is shown as it came."""
    return status < FIRST_ERROR or any(name in content for name in _OF_JOBS)
