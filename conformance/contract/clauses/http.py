"""Clauses about response headers (RFC 9110, RFC 9112): media type, framing, content codings, Vary, Date, Accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, doc, inferred, rfc
from conformance.contract.clauses.envelope import GET
from conformance.contract.conversation import Answer, Conversation
from conformance.contract.expected_status import JSON, QUERY, allowed, by_accept, cause
from conformance.contract.terms import Level
from conformance.exchange.codings import CODINGS, DECODABLE
from conformance.exchange.headers import http_date, weight
from conformance.text.safe import printable

DATE_TOLERANCE: Final = 24 * 3600
"""The number of seconds by which Date may differ from this machine's clock, which may be wrong, but hardly by a day."""
NO_CONTENT: Final = 204
PARTIAL: Final = 206
NOT_MODIFIED: Final = 304
A_HEAD: Final = "a response whose headers are known"


def answered_at(answer: Answer) -> float | None:
    """Return when a response was sent, in seconds since the Unix epoch: by its Date, or else by this machine's clock.

    Date is not used if it is implausible. None if the time of the request is not known either.
    """
    date = answer.response.header("date")
    dated = http_date(date) if date else None
    started = answer.exchange.started
    ours = None if started is None else started + (answer.exchange.elapsed or 0)
    if dated is not None and (ours is None or abs(dated - ours) < DATE_TOLERANCE):
        return dated
    return ours


def heads(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its headers are known. Some recordings lack them."""
    if answer.response.head:
        yield answer


def queue_heads(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is a 200 to a GET of the queue and its headers are known."""
    if answer.served and answer.response.head:
        yield answer


def typed_queues(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is a 200 to a GET of the queue and its Content-Type is known."""
    if answer.served and answer.response.typed:
        yield answer


@clause(
    "http.content-type",
    Level.MUST,
    title="A 200 response is application/json",
    source=doc(
        f"{GET}/responses/200/content", '{"application/json": {"schema": {"$ref": "#/components/schemas/QueueInfo"}}}'
    ),
    why="Clients that check the type fail. Others may take a login page for a queue. The OpenAPI document allows no other type, whatever Accept says.",
    keeps="Content-Type: application/json; charset=utf-8",
    breaks="Content-Type: text/html",
    over=typed_queues,
    kinds=("web-page",),
)
def content_type_is_json(answer: Answer) -> Iterator[Finding]:
    """The media type of a 200 response is application/json. Parameters are allowed."""
    if answer.response.media_type != JSON:
        got = answer.response.header("content-type")
        page = Cause("web-page", "a web page: a proxy, a login page or the frontend responds instead of the queue")
        yield Finding(
            None,
            JSON,
            content_type_of(answer),
            "The Content-Type of the response is not application/json.",
            page if got and "html" in got.lower() else None,
        )


def content_type_of(answer: Answer) -> str:
    """Return the Content-Type of a response as text for a finding, also if it is missing or has several lines."""
    match answer.response.lines("content-type"):
        case []:
            return "no Content-Type"
        case [only]:
            return printable(only) or "an empty Content-Type"
        case several:
            return f"{len(several)} Content-Type lines: {printable(' and '.join(several))}"


def _charsets(answer: Answer) -> Iterator[str]:
    for found in typed_queues(answer):
        parameters = (found.response.header("content-type") or "").split(";")[1:]
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                yield value.strip().strip('"')


@clause(
    "http.charset",
    Level.SHOULD,
    title="The charset, if given, is utf-8",
    source=inferred(
        rfc("RFC 8259 §11", 'No "charset" parameter is defined for this registration.'),
        "The RFC only says that the parameter is not defined.",
    ),
    why="JSON has no charset parameter. A wrong one misleads clients that use it anyway.",
    keeps="application/json; charset=utf-8",
    breaks="application/json; charset=iso-8859-1",
    needs="a response with a charset",
    over=_charsets,
)
def charset_is_utf_8(charset: str) -> Iterator[Finding]:
    """The charset parameter of Content-Type is utf-8 in any letter case, or absent."""
    if charset.lower() not in {"utf-8", "utf8"}:
        yield Finding(
            None, "utf-8, or none", printable(charset), "The charset parameter names an encoding other than UTF-8."
        )


@clause(
    "http.framing",
    Level.MUST,
    title="Content-Length and Transfer-Encoding are not used together",
    source=rfc(
        "RFC 9112 §6.2",
        "A sender MUST NOT send a Content-Length header field in any message that contains a Transfer-Encoding header field.",
    ),
    why="If one proxy trusts one header and the next proxy the other, they see different responses (response splitting).",
    keeps="Transfer-Encoding: chunked",
    breaks="Transfer-Encoding: chunked, Content-Length: 42",
    needs=A_HEAD,
    over=heads,
)
def one_framing(answer: Answer) -> Iterator[Finding]:
    """A response has at most one of the headers Content-Length and Transfer-Encoding."""
    if answer.response.header("transfer-encoding") and answer.response.header("content-length") is not None:
        yield Finding(None, "only one of them", "both", "The response has both Content-Length and Transfer-Encoding.")


def _coded(answer: Answer) -> Iterator[tuple[Answer, list[str]]]:
    for found in heads(answer):
        codings = [coding for coding in found.response.values("content-encoding") if coding != "identity"]
        if codings and found.request.method == "GET":
            yield found, codings


A_CODED_ANSWER: Final = "a response with a Content-Encoding header"


@clause(
    "http.coding-asked",
    Level.SHOULD,
    title="A response has only content codings that the client asked for",
    source=rfc("RFC 9110 §12.5.3", "the origin server SHOULD send a response without any content coding"),
    why="A client that did not ask for a coding may be unable to decode it.",
    keeps="Accept-Encoding: gzip → Content-Encoding: gzip",
    breaks="Accept-Encoding: identity → Content-Encoding: gzip",
    needs=A_CODED_ANSWER,
    over=_coded,
)
def coding_was_asked_for(subject: tuple[Answer, list[str]]) -> Iterator[Finding]:
    """Each coding of the response is in the request's Accept-Encoding, and its weight is not 0."""
    answer, codings = subject
    offered = answer.request.members("accept-encoding")
    if offered is None:
        return
    weights: dict[str, float] = {}
    for member in offered.lower().split(","):
        name = member.partition(";")[0].strip().removeprefix("x-")
        weights[name] = weights.get(name) or weight(member)  # if it is named twice, either may count
    for coding in codings:
        name = coding.removeprefix("x-")
        if not weights.get(name, weights.get("*", 0)):
            yield Finding(
                None,
                f"no coding except {printable(offered) or 'identity'}",
                printable(coding),
                "The response has a content coding that the request did not ask for.",
            )


def _known_codings(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its whole body is known, in content codings that the suite can decode."""
    for found, codings in _coded(answer):
        whole = found.response.whole and found.response.status not in {NO_CONTENT, PARTIAL, NOT_MODIFIED}
        known = all(coding.removeprefix("x-") in DECODABLE for coding in codings)
        if whole and known and len(codings) <= CODINGS:
            yield found


@clause(
    "http.coding-decodes",
    Level.MUST,
    title="The content coding can be decoded",
    source=rfc("RFC 9110 §8.4", "lists the content codings in the order in which they were applied"),
    why="The client cannot read the body.",
    keeps="gzip bytes under Content-Encoding: gzip",
    breaks="plain bytes with Content-Encoding: gzip",
    needs=A_CODED_ANSWER,
    over=_known_codings,
)
def coding_can_be_undone(answer: Answer) -> Iterator[Finding]:
    """The body can be decoded as Content-Encoding says."""
    if answer.response.coding_error is not None:
        yield Finding(
            None,
            "a body encoded as Content-Encoding says",
            printable(answer.response.coding_error),
            "The body cannot be decoded as Content-Encoding says.",
        )


@clause(
    "http.vary",
    Level.SHOULD,
    title="A compressed response has Vary: Accept-Encoding",
    source=rfc("RFC 9110 §12.5.5", "An origin server SHOULD generate a Vary header field on a cacheable response"),
    why="Without Vary, a cache may send compressed bytes to a client that cannot decode them.",
    keeps="Content-Encoding: gzip, Vary: Accept-Encoding",
    breaks="Content-Encoding: gzip, no Vary",
    needs="a compressed response that caches may store",
    over=lambda answer: (
        found for found, _ in _coded(answer) if "no-store" not in found.response.values("cache-control")
    ),
)
def compressed_answers_vary(answer: Answer) -> Iterator[Finding]:
    """The Vary header contains Accept-Encoding or *."""
    vary = answer.response.values("vary")
    if not {"accept-encoding", "*"} & set(vary):
        yield Finding(
            None,
            "Vary: Accept-Encoding",
            printable(", ".join(vary)) or "no Vary",
            "The response is compressed, but Vary does not name Accept-Encoding.",
        )


@clause(
    "http.date",
    Level.SHOULD,
    title="Date is present and correct",
    source=rfc("RFC 9110 §6.6.1", "An origin server with a clock MUST generate a Date header field"),
    why="Clients and caches compare their clocks with Date, and compute the age of a job from Date.",
    keeps="Date: Sun, 23 Nov 2025 16:00:00 GMT",
    breaks="no Date, or one from 1970",
    needs="a 200 response with its headers",
    over=queue_heads,
    kinds=("absent", "malformed", "off"),
)
def date_is_right(answer: Answer) -> Iterator[Finding]:
    """The Date header is in the format of RFC 9110, and within a day of the clock of this machine."""
    text = answer.response.header("date")
    moment = http_date(text) if text is not None else None
    started = answer.exchange.started
    if text is None:
        yield Finding(None, "a Date header", "none", "The response has no Date.", Cause("absent"))
    elif moment is None:
        yield Finding(
            None, "an IMF-fixdate", printable(text), "Date is not in the format of RFC 9110.", Cause("malformed")
        )
    elif started is not None and abs(moment - started) > DATE_TOLERANCE:
        days = abs(moment - started) / 86_400
        yield Finding(
            None,
            "within a day of the time of the request",
            printable(text),
            f"Date differs from the time of the request by {days:,.0f} days.",
            Cause("off"),
        )


def _manners(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the GETs of the queue grouped by Accept and User-Agent, if a normal GET gets a 200."""
    for group in by_accept(conversation) if conversation.served else ():
        yield group[-1], group


@clause(
    "http.accept",
    Level.SHOULD,
    title="The response does not depend on Accept or on the client",
    source=inferred(
        rfc(
            "RFC 9110 §12.5.1",
            "A request without any Accept header field implies that the user agent will accept any media type in response.",
        ),
        "RFC 9110 lets a server choose a representation by Accept, but the OpenAPI document describes only one.",
    ),
    why="The queue exists only as JSON, so every request gets JSON. If its Accept excludes JSON, it may get a 406 instead.",
    keeps="Accept: */* → 200",
    breaks="Accept: */* → 406",
    needs="a GET of the queue whose Accept is not just application/json",
    across=_manners,
)
def accept_changes_nothing(group: list[Answer]) -> Iterator[Finding]:
    """At least one GET with this Accept and User-Agent gets a 200, or a 406 if its Accept excludes JSON."""
    request = group[0].request
    statuses = allowed(request)
    if not any(answer.response.status in statuses for answer in group):
        expected = " or ".join(str(status) for status in sorted(statuses))
        yield Finding(
            None,
            expected,
            str(group[-1].response.status),
            f"The status depends on Accept or User-Agent ({request.purpose}).",
        )


def _queried(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the GETs of the queue with a query string, grouped by request, if a GET without one gets a 200."""
    if conversation.served:
        for *earlier, last in conversation.by_request:
            if cause(last.request, conversation) == QUERY:
                yield last, [*earlier, last]


@clause(
    "http.query",
    Level.SHOULD,
    title="An undeclared query parameter changes nothing",
    source=inferred(
        doc(f"{GET}/responses/400/description", "Invalid request parameters"),
        "The OpenAPI document declares no parameters, and does not say how a server treats undeclared ones.",
    ),
    why="The operation declares no parameters, so a server ignores them or refuses them with 400.",
    keeps="?conformance=1 → 200",
    breaks="?conformance=1 → 500",
    needs="a GET of the queue with a query string",
    across=_queried,
)
def query_changes_nothing(group: list[Answer]) -> Iterator[Finding]:
    """At least one GET of the queue with this query string gets a 200 or a 400."""
    *_, last = group
    statuses = allowed(last.request)
    if not any(answer.response.status in statuses for answer in group):
        yield Finding(
            None, "200 or 400", str(last.response.status), "An undeclared query parameter changes the status."
        )
