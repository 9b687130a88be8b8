"""Whole bodies in a report, and all else that clauses look at, so that its answers can be judged again."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Final

from conformance.contract.clause import blotted
from conformance.contract.privacy import HARMLESS
from conformance.exchange import Credential, Exchange, Extent, Fault, Operation, Problem, Request, Response, Wire
from conformance.report.model import Body, Kept, KeptAnswer, KeptProblem, KeptWire, RecordedExchange, Report

WHOLE_BODIES: Final = 64 << 20
"""Bytes of all bodies that a report holds, each counted once."""


BLOT: Final = "x"
"""A byte of a key that is not kept. It is told that one was shown, as it was of the key itself."""


_SPARED: Final = tuple(filter(None, HARMLESS))


class NotWhole(ValueError):
    """A report does not hold all that its answers were. Its text is one line for the user."""


def bodies(named: Iterable[tuple[str, bytes]], limit: int = WHOLE_BODIES) -> dict[str, Body]:
    """Return bodies by their SHA-256, each once, but for those for which ``limit`` leaves no room."""
    found: dict[str, Body] = {}
    room = limit
    for name, content in named:
        if content and name not in found and len(content) <= room:
            found[name] = _body(content)
            room -= len(content)
    return found


def kept(exchange: Exchange) -> Kept:
    """Return what clauses look at beside what is shown of an exchange."""
    answered, problem = exchange.response, exchange.problem
    request = exchange.request
    return Kept(
        started=exchange.started, to_queue=request.to_queue,
        operation=None if request.operation is None else request.operation.name,
        sent=_body(request.body) if request.body else None, request_head=request.head,
        answer=None if answered is None else KeptAnswer(
            headers=answered.headers, coding_error=answered.coding_error, head=answered.head,
            http_version=answered.http_version, wire=_wire(answered.wire), extent=answered.extent.value,
            verbatim=answered.verbatim,
        ),
        problem=None if problem is None else KeptProblem(
            fault=problem.fault.value, detail=problem.detail, begun=problem.begun
        ),
    )  # fmt: skip


def exchanges_in(report: Report) -> tuple[Exchange, ...]:
    """Return the exchanges of a report as they were. Raises NotWhole where it does not hold them whole."""
    if report.bodies is None:
        raise NotWhole("it holds no whole bodies, and what was not kept is not judged: run with --full-bodies")
    answers = [recorded.response for recorded in report.exchanges]
    lost = sum(bool(answer and answer.size and answer.sha256 not in report.bodies) for answer in answers)
    if lost:
        raise NotWhole(f"{lost} of its answers are not whole: all bodies together may have {WHOLE_BODIES:,} bytes")
    try:
        contents = {name: _content(body) for name, body in report.bodies.items()}
        return tuple(_exchange(recorded, contents) for recorded in report.exchanges)
    except (ValueError, AttributeError, LookupError) as error:
        raise NotWhole(f"what it holds of its answers is damaged ({error})") from None


def _exchange(recorded: RecordedExchange, contents: dict[str, bytes]) -> Exchange:
    asked, answered, more = recorded.request, recorded.response, recorded.kept
    if more is None or (answered is None) is not (more.answer is None):
        raise ValueError(f"{recorded.id} is not whole")
    request = Request(
        asked.method, asked.url, asked.headers, asked.purpose, Credential(asked.credential), to_queue=more.to_queue,
        operation=None if more.operation is None else Operation[more.operation],
        body=b"" if more.sent is None else _content(more.sent), head=more.request_head,
    )  # fmt: skip
    response = None
    if answered is not None and more.answer is not None:
        found = more.answer
        content = contents[answered.sha256] if answered.size else b""
        wire = None if found.wire is None else Wire(**{name: getattr(found.wire, name) for name in _WIRE})
        response = Response(
            answered.status, found.headers, content, found.coding_error, found.head, found.http_version, wire,
            Extent(found.extent), found.verbatim,
        )  # fmt: skip
    lost = more.problem
    return Exchange(
        id=recorded.id, request=request, response=response,
        problem=None if lost is None else Problem(Fault(lost.fault), lost.detail, lost.begun),
        started=more.started, elapsed=recorded.elapsed, attempt=recorded.attempt, superseded=recorded.superseded,
        server=recorded.server,
    )  # fmt: skip


_WIRE: Final = KeptWire.__struct_fields__


def _wire(wire: Wire | None) -> KeptWire | None:
    return None if wire is None else KeptWire(**{name: getattr(wire, name) for name in _WIRE})


def _body(content: bytes) -> Body:
    """Return a body as it is kept: as long as it was, without the keys of users that a server shows."""
    content = blotted(content.decode("latin-1"), BLOT, _SPARED).encode("latin-1")
    try:
        return Body(encoding="utf-8", content=content.decode())
    except UnicodeDecodeError:
        return Body(encoding="base64", content=b64encode(content).decode())


def _content(body: Body) -> bytes:
    return body.content.encode() if body.encoding == "utf-8" else b64decode(body.content, validate=True)
