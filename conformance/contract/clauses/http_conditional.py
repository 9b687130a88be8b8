"""Clauses about conditional requests and range requests (RFC 9110): the statuses 304 and 206, and ETag."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, rfc
from conformance.contract.clauses.http import NOT_MODIFIED, PARTIAL, heads
from conformance.contract.conversation import NOT_NOW, OK, Answer, Conversation
from conformance.contract.terms import Level
from conformance.text.safe import printable


def _conditional(answer: Answer) -> Iterator[Answer]:
    if answer.request.reads and answer.response.head and answer.request.header("if-none-match"):
        yield answer


@clause(
    "http.not-modified",
    Level.MUST,
    title="The server sends 304 only for an entity tag of its own",
    source=rfc(
        "RFC 9110 §15.4.5",
        "would have resulted in a 200 (OK) response if it were not for the fact that the condition evaluated to false",
    ),
    why="After a wrong 304, a client keeps showing an old queue.",
    keeps='If-None-Match: "no-such-validator" → 200',
    breaks='If-None-Match: "no-such-validator" → 304',
    needs="a GET of the queue with If-None-Match",
    over=_conditional,
)
def not_modified_needs_a_match(answer: Answer) -> Iterator[Finding]:
    """A request with an entity tag that the server never sent does not get a 304."""
    if answer.response.status == NOT_MODIFIED and MADE_UP_VALIDATOR in (answer.request.header("if-none-match") or ""):
        yield Finding(None, "200", "304", "The server responds 304 to an entity tag that it never sent.")


def _tagged(answer: Answer) -> Iterator[str]:
    for found in heads(answer):
        if found.request.to_queue:
            yield from found.response.lines("etag")


@clause(
    "http.etag",
    Level.MUST,
    title="An ETag is quoted",
    source=rfc("RFC 9110 §8.8.3", "entity-tag = [ weak ] opaque-tag"),
    why="Clients and caches ignore an ETag without quotes and download the whole queue each time.",
    keeps='ETag: "33a64df5"',
    breaks="ETag: 33a64df5",
    needs="a response with ETag",
    over=_tagged,
)
def etag_is_quoted(tag: str) -> Iterator[Finding]:
    """The ETag header is a quoted string without spaces, with W/ before it if it is weak."""
    if not ENTITY_TAG.fullmatch(tag.strip()):
        yield Finding(
            None,
            'an entity tag in quotes, such as "33a64df5"',
            printable(tag) or "an empty ETag",
            "ETag is not a valid entity tag.",
        )


ENTITY_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def _not_modified(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """Yield each 304 response to a GET of the queue, if every 200 response whose headers are known has an ETag."""
    reads = [answer for answer in conversation.answers if answer.request.reads and answer.response.head]
    shown = [answer for answer in reads if answer.response.status == OK]
    if shown and all(answer.response.header("etag") is not None for answer in shown):
        yield from ((answer, answer) for answer in reads if answer.response.status == NOT_MODIFIED)


@clause(
    "http.not-modified-etag",
    Level.MUST,
    title="A 304 response has the ETag that a 200 response would have",
    source=rfc(
        "RFC 9110 §15.4.5",
        "The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request",
    ),
    why="Without the ETag, a cache does not know which of its stored responses is still valid.",
    keeps='304, ETag: "33a64df5"',
    breaks="304 without ETag",
    needs="a GET of the queue that gets a 304, from a server that sends an ETag with every 200",
    across=_not_modified,
)
def not_modified_carries_the_etag(answer: Answer) -> Iterator[Finding]:
    """A 304 response has an ETag if each 200 response has one."""
    if answer.response.header("etag") is None:
        yield Finding(
            None,
            "the ETag of the 200",
            "no ETag",
            "The 304 response has no ETag, so it does not say which stored response is still valid.",
        )


def _strongly_tagged(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """Yield the GETs of the queue that got the same strong ETag and content coding, if there are several."""
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in conversation.reads:
        tag = (answer.response.header("etag") or "").strip()
        if tag.startswith('"') and ENTITY_TAG.fullmatch(tag):
            coding = ", ".join(answer.response.values("content-encoding"))
            groups.setdefault((tag, coding), []).append(answer)
    for *earlier, last in groups.values():
        if earlier:
            yield last, [*earlier, last]


@clause(
    "http.etag-changes",
    Level.SHOULD,
    title="The ETag changes when the jobs in the queue change",
    source=rfc(
        "RFC 9110 §8.8.1",
        "A strong validator is representation metadata that changes value whenever a change occurs to the representation data that would be observable in the content of a 200 (OK) response to GET.",
    ),
    why="A client that polls with If-None-Match gets a 304 and never sees the change.",
    keeps='ETag: "a" with jobs 1 and 2, ETag: "b" with jobs 2 and 3',
    breaks='ETag: "a" with jobs 1 and 2, and ETag: "a" with jobs 2 and 3',
    needs="two GETs of the queue that get the same strong ETag",
    across=_strongly_tagged,
)
def etag_changes_with_the_jobs(group: list[Answer]) -> Iterator[Finding]:
    """Responses with the same strong ETag list the same jobs."""
    first, *later = group
    jobs = first.summary.ids
    if any(answer.summary.ids != jobs for answer in later):
        tag = printable((first.response.header("etag") or "").strip())
        message = (
            f"Two different queues have the same ETag. A client that sends If-None-Match: {tag} misses the change."
        )
        yield Finding(None, "a different ETag for different jobs", f"{tag} for both", message)


FIRST_BYTE: Final = "bytes=0-0"
MADE_UP_VALIDATOR: Final = '"no-such-validator"'


def _ranged(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """Yield the GETs of the queue with a Range header, if a GET without one gets a 200."""
    for answer in conversation.answers:
        ranged = answer.request.reads and answer.response.head and answer.request.header("range")
        if ranged and conversation.served and answer.response.status not in NOT_NOW:
            yield answer, answer


@clause(
    "http.range",
    Level.MUST,
    title="A Range header is ignored or handled correctly",
    source=rfc("RFC 9110 §15.3.7", "the server generating the 206 response MUST generate a Content-Range header field"),
    why="Otherwise a client takes a part of the queue for the whole queue.",
    keeps="Range: bytes=0-0 → 200",
    breaks="Range: bytes=0-0 → 206 without Content-Range",
    needs="a GET of the queue with a Range header",
    across=_ranged,
    kinds=("no-content-range", "other-part", "other-length"),
)
def range_is_ignored_or_right(answer: Answer) -> Iterator[Finding]:
    """A 206 response has the requested bytes and a Content-Range that describes them. A multipart response is accepted."""
    if answer.response.status != PARTIAL or answer.response.media_type == "multipart/byteranges":
        return
    content_range = answer.response.header("content-range")
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", content_range or "", re.IGNORECASE)  # RFC 9110 §14.1
    if match is None:
        got = "no Content-Range" if content_range is None else printable(content_range)
        yield Finding(
            None,
            "Content-Range: bytes first-last/size",
            got,
            "The 206 response has no valid Content-Range, so it does not say which part of the body it is.",
            Cause("no-content-range"),
        )
    elif answer.request.header("range") == FIRST_BYTE and (match[1], match[2]) != ("0", "0"):
        yield Finding(
            None,
            "bytes 0-0",
            printable(match[0]),
            "The 206 response is another part of the body than the request asked for.",
            Cause("other-part"),
        )
    elif (
        answer.response.header("content-encoding") is None
        and answer.response.whole
        and answer.response.verbatim
        and int(match[2]) - int(match[1]) + 1 != answer.response.size
    ):
        yield Finding(
            None,
            f"the bytes of {match[0]}",
            f"{answer.response.size} bytes",
            "The 206 response has another number of bytes than its Content-Range says.",
            Cause("other-length"),
        )
