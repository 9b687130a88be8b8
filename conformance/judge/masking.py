"""Hiding what users wrote into workflows: the structure stays, values go, character by character."""

from __future__ import annotations

import re
from typing import Final

from conformance.contract.values import UUID

HIDDEN: Final = "█"
_TOKEN: Final = re.compile(
    r'"(?P<text>(?:[^"\\]|\\.)*+)(?P<end>"|\\?\Z)(?P<colon>\s*:\s*(?P<number>-?\d[\d.eE+-]*|true|false)?)?', re.DOTALL
)
_NODE_ID: Final = re.compile(r"\d{1,12}(:\d{1,12})*", re.ASCII)
_IN_WORKFLOW: Final = re.compile(r"/queue_(?:running|pending)/\d+/[234]/")
"""Below [2], and below [3] and [4]: where elements are swapped, extra data of users stand there."""
_ABOUT_CONTENT: Final = ("workflow.", "json.", "reads.job-data")


def masked(text: str) -> str:
    """Hide the values in JSON text, of a whole body or cut off anywhere: no place moves.

    Left are names of members, what is no string in an array (a link's slot, a job's number), ids of jobs and of
    nodes, and ``create_time``.
    """
    return _TOKEN.sub(_mask, text)


def shows_workflow(clause: str, pointer: str | None) -> bool:
    """Whether a finding of ``clause`` at ``pointer`` may show what stands in a workflow."""
    if pointer is not None and pointer.endswith("/create_time"):
        return False
    return clause.startswith(_ABOUT_CONTENT) or _IN_WORKFLOW.match(f"{pointer}/") is not None


def _mask(match: re.Match[str]) -> str:
    text, colon, number = match["text"], match["colon"], match["number"]
    if colon is not None:
        hidden = colon if number is None or text == "create_time" else colon[: -len(number)] + HIDDEN * len(number)
        return f'"{text}"{hidden}'
    kept = UUID.fullmatch(text) or _NODE_ID.fullmatch(text)
    return f'"{text if kept else HIDDEN * len(text)}{match["end"]}'
