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
"""Below [2], [3] and [4]: if elements are swapped, [3] and [4] may hold extra data of users."""
_ABOUT_CONTENT: Final = ("workflow.", "json.", "reads.job-data")
_ABOUT_NODES: Final = ("workflow.", "lifecycle.workflow")
"""Findings that make no sense without the class types of nodes."""
_OF_JOBS: Final = (b"queue_running", b"queue_pending", b"class_type", b"inputs", b"prompt")
"""Names of members that contain text of users."""


def masked(text: str, *, class_types: bool = False) -> str:
    """Mask the values in JSON text, which may be cut off anywhere. Offsets stay the same.

    Names of members stay visible, and so do numbers and literals in arrays (a link's slot, a job's number), ids of jobs
    and nodes, ``create_time``, and class types with ``class_types``.
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
    """Whether a finding of ``clause`` at ``pointer`` may show contents of a workflow."""
    if pointer is not None and pointer.endswith("/create_time"):
        return False
    return clause.startswith(_ABOUT_CONTENT) or _IN_WORKFLOW.match(f"{pointer}/") is not None


def wants_class_types(clause: str) -> bool:
    """Whether a finding of a clause is about nodes, whose class types then stay visible."""
    return clause.startswith(_ABOUT_NODES)


def may_hold_workflows(status: int, body: bytes | StoredBody) -> bool:
    """Whether a response may contain workflows. An error without any part of a job is shown unmasked."""
    if status < FIRST_ERROR:
        return True
    content = bytes_of(body)
    return any(name in content for name in _OF_JOBS)
