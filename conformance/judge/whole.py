"""Restore the exchanges of a run from a report with whole bodies, so that they can be checked again."""

from __future__ import annotations

from base64 import b64decode

from conformance.exchange.headers import Headers
from conformance.exchange.model import Credential, Exchange, Extent, Operation, Request, Response
from conformance.exchange.secrets import REDACTED
from conformance.judge.ledger import WHOLE_BODIES
from conformance.judge.report import Body, RecordedExchange, Report
from conformance.problems import UsageProblem


class NotWhole(UsageProblem):
    """The report lacks response bodies."""


def exchanges_in(report: Report) -> tuple[Exchange, ...]:
    """Return the requests and responses in a report. Raises NotWhole if the report lacks parts of them."""
    if report.bodies is None:
        raise NotWhole("the report was written without --full-bodies: check the server again with that option")
    answers = [recorded.response for recorded in report.exchanges]
    lost = sum(bool(answer and answer.size and answer.sha256 not in report.bodies) for answer in answers)
    if lost:
        raise NotWhole(f"{lost} of its responses are incomplete: a report keeps up to {WHOLE_BODIES:,} bytes of bodies")
    try:
        contents = {name: _content(body) for name, body in report.bodies.items()}
        return tuple(_exchange(recorded, contents) for recorded in report.exchanges)
    except (ValueError, AttributeError, LookupError) as error:
        raise NotWhole(f"its responses are damaged ({error})") from None


def _exchange(recorded: RecordedExchange, contents: dict[str, bytes]) -> Exchange:
    asked, answered, more = recorded.request, recorded.response, recorded.kept
    if more is None or (answered is None) is not (more.answer is None):
        raise ValueError(f"{recorded.id} is incomplete")
    request = Request(
        asked.method,
        asked.url,
        asked.headers,
        asked.purpose,
        Credential(asked.credential),
        to_queue=more.to_queue,
        operation=None if more.operation is None else Operation[more.operation],
        body=b"" if more.sent is None else _content(more.sent),
        head=more.request_head,
        own_query=more.own_query,
        own_headers=more.own_headers,
        own_parameters=more.own_parameters,
    )
    response = None
    if answered is not None and more.answer is not None:
        found = more.answer
        content = contents[answered.sha256] if answered.size else b""
        response = Response(
            answered.status,
            found.headers,
            content,
            found.coding_error,
            found.head,
            found.http_version,
            found.wire,
            Extent(found.extent),
            found.verbatim,
            found.echoes or _marked(found.headers, content),
        )
    return Exchange(
        id=recorded.id,
        request=request,
        response=response,
        problem=more.problem,
        started=more.started,
        elapsed=recorded.elapsed,
        attempt=recorded.attempt,
        superseded=recorded.superseded,
        server=recorded.server,
    )


def _marked(headers: Headers, content: bytes) -> tuple[str, ...]:
    """Return where a response contains the placeholder of the key. Reports of old versions do not store the places.

    The places are names of header fields, and "" for the body.
    """
    fields = [name for name, value in headers if REDACTED in value]
    return tuple(dict.fromkeys([*fields, *([""] if REDACTED.encode() in content else [])]))


def _content(body: Body) -> bytes:
    return body.content.encode() if body.encoding == "utf-8" else b64decode(body.content, validate=True)
