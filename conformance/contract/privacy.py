"""What must not get out: to scripts of other origins, and credentials that users sent with their jobs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract import credentials
from conformance.contract.answer import Answer
from conformance.contract.clause import Cause, Finding, Level, clause, doc, printable, rfc
from conformance.contract.http import heads
from conformance.contract.item import AN_ITEM, PROSE
from conformance.contract.reading import Item, items
from conformance.jsontext import walk

HARMLESS: Final = (None, "", "[REDACTED]", "[redacted]", "***")


def _cross_origin(answer: Answer) -> Iterator[tuple[Answer, str]]:
    for found in heads(answer):
        allowed = found.response.header("access-control-allow-origin")
        if allowed is not None and found.request.to_queue:
            yield found, allowed


@clause(
    "cors.credentials", Level.SHOULD,
    title="Any origin and credentials do not go together",
    source=rfc("Fetch, CORS protocol and credentials", 'If credentials mode is "include", then `Access-Control-Allow-Origin` cannot be `*`.'),
    why="Browsers refuse such an answer; it shows that nobody decided who may read.",
    keeps="Access-Control-Allow-Origin: *", breaks="Access-Control-Allow-Origin: *, Access-Control-Allow-Credentials: true",
    needs="an answer with Access-Control-Allow-Origin", over=_cross_origin,
)  # fmt: skip
def no_credentials_for_any_origin(subject: tuple[Answer, str]) -> Iterator[Finding]:
    """Not ``*`` and Access-Control-Allow-Credentials: true."""
    answer, allowed = subject
    if allowed.strip() == "*" and (answer.response.header("access-control-allow-credentials") or "").strip() == "true":
        yield Finding(
            None,
            "an origin by name, or no credentials",
            "* with credentials",
            "Credentials are allowed for any origin, which browsers refuse: no page can read the queue with them.",
        )


def _echoed(answer: Answer) -> Iterator[Answer]:
    return (found for found, allowed in _cross_origin(answer) if allowed == found.request.header("origin") != "null")


@clause(
    "cors.vary-origin", Level.SHOULD,
    title="An echoed Origin comes with Vary: Origin",
    source=rfc("Fetch, CORS protocol and HTTP caches", "`Vary` is to be used"),
    why="A cache would give one origin's permission to another.",
    keeps="Access-Control-Allow-Origin: https://a.example, Vary: Origin", breaks="Access-Control-Allow-Origin: https://a.example, no Vary",
    needs="an answer that echoes the request's Origin", over=_echoed,
)  # fmt: skip
def an_echoed_origin_varies(answer: Answer) -> Iterator[Finding]:
    """Vary has Origin or *."""
    if not {"origin", "*"} & set(answer.response.values("vary")):
        yield Finding(None, "Vary: Origin", "no such Vary", "The answer depends on Origin and does not say so.")


@clause(
    "privacy.credentials", Level.SHOULD,
    title="Credentials of a job's owner are not shown",
    source=doc(PROSE, "[4] metadata (object)"),
    why="Clients send keys along with a job, ComfyUI's own in api_key_comfy_org and auth_token_comfy_org; whoever reads the queue would have them.",
    keeps='{"create_time": 1763913600000}', breaks='{"create_time": 1763913600000, "api_key_comfy_org": "comfyui-…"}',
    needs=AN_ITEM, of_body=items, kinds=("old-comfyui", "by-name", "by-value"),
)  # fmt: skip
def credentials_are_not_shown(item: Item) -> Iterator[Finding]:
    """Outside the workflow's nodes, in elements 3 and beyond, no member is named like a credential or has the form of one."""
    for index in range(3, len(item.elements)):
        for pointer, value in walk(item.elements[index]):
            cause = _credential(pointer.member, value)
            if cause is not None:
                what = "A credential" if pointer.member is None else printable(pointer.member)
                yield Finding(f"{item.pointer}/{index}{pointer}", "absent or [REDACTED]", "a value (not shown)",
                              f"{what} is shown to whoever reads the queue.", cause)  # fmt: skip


def _credential(name: str | None, value: object) -> Cause | None:
    """Return how a value is known to be a credential, None if it is none."""
    if name in credentials.OWN:
        shown = value not in HARMLESS
        return Cause("old-comfyui", "ComfyUI before 0.3.68 echoes extra_data whole") if shown else None
    if name is not None and credentials.is_shown_by(name, value):
        return Cause("by-name", "its name says that it is a credential")
    return Cause("by-value", "its value has the form of a credential") if credentials.is_one(value) else None
