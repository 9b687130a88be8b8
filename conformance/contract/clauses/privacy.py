"""What must not get out: to scripts of other origins, and credentials that users sent with their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from conformance.contract.clause import Cause, Finding, clause, doc
from conformance.contract.clauses.item import AN_ITEM, PROSE
from conformance.contract.reading.body import Item, items
from conformance.contract.terms import Level
from conformance.text.strict_json import walk

CREDENTIALS: Final = ("api_key_comfy_org", "auth_token_comfy_org")
"""Members of extra_data in which clients send the keys of partner nodes; ComfyUI echoed them before 0.3.68."""
HARMLESS: Final = (None, "", "[REDACTED]", "[redacted]", "***")


@clause(
    "privacy.credentials", Level.SHOULD,
    title="Credentials of a job's owner are not shown",
    source=doc(PROSE, "[4] metadata (object)"),
    why="api_key_comfy_org and auth_token_comfy_org are keys that clients send along with a job; whoever reads the queue would have them.",
    keeps='{"create_time": 1763913600000}', breaks='{"create_time": 1763913600000, "api_key_comfy_org": "comfyui-…"}',
    needs=AN_ITEM, of_body=items, kinds=("old-comfyui",),
)  # fmt: skip
def credentials_are_not_shown(item: Item) -> Iterator[Finding]:
    """No such member with a value stands outside the workflow's nodes: in elements 3 and beyond."""
    for index in range(3, len(item.elements)):
        for pointer, value in walk(item.elements[index]):
            for name in _exposed(value):
                place = f"{item.pointer}/{index}{pointer}/{name}"
                yield Finding(place, "absent or [REDACTED]", "a value (not shown)", f"{name} is shown to whoever reads the queue.",
                              Cause("old-comfyui", "ComfyUI before 0.3.68 echoes extra_data whole"))  # fmt: skip


def _exposed(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [name for name in CREDENTIALS if name in value and value[name] not in HARMLESS]
