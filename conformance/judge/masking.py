"""Mask the contents of workflows: the structure stays, and each character of a value is replaced."""

from __future__ import annotations

import re
from typing import Final

from conformance.contract.conversation import FIRST_ERROR
from conformance.contract.values import UUID
from conformance.exchange.stored import StoredBody, bytes_of

HIDDEN: Final = "█"
_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*+)(?P<end>"|\\?\Z)(?P<colon>\s*:\s*(?P<number>-?\d[\d.eE+-]*|true|false)?)?', re.DOTALL
)
_NODE_ID: Final = re.compile(r"\d{1,12}(:\d{1,12})*", re.ASCII)
_IN_WORKFLOW: Final = re.compile(r"/queue_(?:running|pending)/\d+/[234]/")
"""Matches JSON Pointers into elements 2, 3 and 4 of a job, which may contain data of users."""
_ABOUT_CONTENT: Final = ("workflow.", "json.", "reads.job-data")
_ABOUT_NODES: Final = ("workflow.", "lifecycle.workflow")
"""Clauses whose findings make no sense without the class types of nodes."""
_OF_JOBS: Final = (b"queue_running", b"queue_pending", b"class_type", b"inputs", b"prompt")
"""Member names, at least one of which occurs in every response that contains text of users."""


def mask_workflows(text: str, *, class_types: bool = False) -> str:
    """Replace each character of the values in JSON text by a mask. The text may be cut off. Offsets stay the same.

    These stay visible: names of members, numbers and literals in arrays (such as the slot of a link or the number of a
    job), ids of jobs and nodes, ``create_time``, and with ``class_types`` the class types of nodes.
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
    """Whether a finding of the clause at this JSON Pointer may show contents of a workflow."""
    if pointer is not None and pointer.endswith("/create_time"):
        return False
    return clause.startswith(_ABOUT_CONTENT) or _IN_WORKFLOW.match(f"{pointer}/") is not None


def wants_class_types(clause: str) -> bool:
    """Whether the findings of a clause need the class types of nodes to be understood."""
    return clause.startswith(_ABOUT_NODES)


def may_hold_workflows(status: int, body: bytes | StoredBody) -> bool:
    """Whether a response may contain workflows, so that its body must be masked."""
    if status < FIRST_ERROR:
        return True
    content = bytes_of(body)
    return any(name in content for name in _OF_JOBS)
