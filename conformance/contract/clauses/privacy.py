"""The clause about private data: the queue must not show the credentials that users send with their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred
from conformance.contract.clauses.item import AN_ITEM, PROSE
from conformance.contract.reading.body import Item, items
from conformance.contract.terms import FastPath, Level
from conformance.text import credentials
from conformance.text.safe import printable
from conformance.text.strict_json import walk

HARMLESS: Final = (None, "", "[REDACTED]", "[redacted]", "***")


@clause(
    "privacy.credentials",
    Level.SHOULD,
    fast=FastPath.EACH_JOB,
    title="A job does not show its owner's credentials",
    source=inferred(
        doc(PROSE, "[4] metadata (object): Contains {create_time: <milliseconds>}"),
        "The OpenAPI document names only create_time as metadata, and says nothing about credentials.",
    ),
    why="Clients send keys with a job, for example api_key_comfy_org and auth_token_comfy_org of ComfyUI. Anybody who can read the queue could use these keys.",
    keeps='{"create_time": 1763913600000}',
    breaks='{"create_time": 1763913600000, "api_key_comfy_org": "comfyui-…"}',
    needs=AN_ITEM,
    of_body=items,
    kinds=("old-comfyui", "by-name", "by-value"),
)
def credentials_are_not_shown(item: Item) -> Iterator[Finding]:
    """In elements 3 and later of a job, no member has a name that suggests a credential, and no value has the format of one."""
    for index in range(3, len(item.elements)):
        for pointer, value in walk(item.elements[index]):
            cause = _credential(pointer.member, value)
            if cause is not None:
                what = "A credential" if pointer.member is None else printable(pointer.member)
                yield Finding(
                    f"{item.pointer}/{index}{pointer}",
                    "absent or [REDACTED]",
                    "a value (not shown)",
                    f"{what} is visible to anybody who can read the queue.",
                    cause,
                )


def _credential(name: str | None, value: object) -> Cause | None:
    """Return by what a member is recognised as a credential (its name or its value), or None if it is not one."""
    if name in credentials.OWN:
        shown = value not in HARMLESS
        return Cause("old-comfyui", "ComfyUI before 0.3.68 returns all of extra_data") if shown else None
    if name is not None and credentials.is_shown_by(name, value):
        return Cause("by-name", "the name of the member means a credential")
    return Cause("by-value", "the value has the format of a credential") if credentials.is_one(value) else None
