"""Conditional and range requests (RFC 9110): 304 and 206, and the entity tags that they depend on."""

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
    title="304 answers only a validator that the server has sent",
    source=rfc(
        "RFC 9110 §15.4.5",
        "would have resulted in a 200 (OK) response if it were not for the fact that the condition evaluated to false",
    ),
    why="A client keeps an old queue for ever.",
    keeps='If-None-Match: "no-such-validator" → 200',
    breaks='If-None-Match: "no-such-validator" → 304',
    needs="a read with If-None-Match",
    over=_conditional,
)
def not_modified_needs_a_match(answer: Answer) -> Iterator[Finding]:
    """A made-up entity tag gets no 304."""
    if answer.response.status == NOT_MODIFIED and MADE_UP_VALIDATOR in (answer.request.header("if-none-match") or ""):
        yield Finding(None, "200", "304", "304 for an entity tag that the server has never sent.")


def _tagged(answer: Answer) -> Iterator[str]:
    for found in heads(answer):
        if found.request.to_queue:
            yield from found.response.lines("etag")


@clause(
    "http.etag",
    Level.MUST,
    title="An ETag is quoted",
    source=rfc("RFC 9110 §8.8.3", "entity-tag = [ weak ] opaque-tag"),
    why="Clients and caches that parse it take it for none, and transfer the whole queue each time.",
    keeps='ETag: "33a64df5"',
    breaks="ETag: 33a64df5",
    needs="an answer with ETag",
    over=_tagged,
)
def etag_is_quoted(tag: str) -> Iterator[Finding]:
    """ETag is a quoted string without spaces, with W/ before it if it is weak."""
    if not ENTITY_TAG.fullmatch(tag.strip()):
        yield Finding(
            None,
            'an entity tag in quotes, such as "33a64df5"',
            printable(tag) or "an empty ETag",
            "ETag is not an entity tag.",
        )


ENTITY_TAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')


def _not_modified(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """Each 304 to a read, if every 200 with its headers carried an ETag."""
    reads = [answer for answer in conversation.answers if answer.request.reads and answer.response.head]
    shown = [answer for answer in reads if answer.response.status == OK]
    if shown and all(answer.response.header("etag") is not None for answer in shown):
        yield from ((answer, answer) for answer in reads if answer.response.status == NOT_MODIFIED)


@clause(
    "http.not-modified-etag",
    Level.MUST,
    title="A 304 carries the ETag of the 200",
    source=rfc(
        "RFC 9110 §15.4.5",
        "The server generating a 304 response MUST generate any of the following header fields that would have been sent in a 200 (OK) response to the same request",
    ),
    why="A cache does not know which of the responses that it holds is still right.",
    keeps='304, ETag: "33a64df5"',
    breaks="304 without ETag",
    needs="a read that is answered 304, by a server whose every 200 has an ETag",
    across=_not_modified,
)
def not_modified_carries_the_etag(answer: Answer) -> Iterator[Finding]:
    """A 304 has an ETag, as each 200 has."""
    if answer.response.header("etag") is None:
        yield Finding(None, "the ETag of the 200", "no ETag", "A 304 does not say which response is still right.")


def _strongly_tagged(conversation: Conversation) -> Iterator[tuple[Answer, list[Answer]]]:
    """The reads of each strong ETag, by content coding, if there are several."""
    groups: dict[tuple[str, str], list[Answer]] = {}
    for answer in conversation.reads:
        tag = (answer.response.header("etag") or "").strip()
        if tag.startswith('"') and ENTITY_TAG.fullmatch(tag):
            coding = ", ".join(answer.response.values("content-encoding"))
            groups.setdefault((tag, coding), []).append(answer)
    for group in groups.values():
        if len(group) > 1:
            yield group[-1], group


@clause(
    "http.etag-changes",
    Level.SHOULD,
    title="The ETag changes with the jobs",
    source=rfc(
        "RFC 9110 §8.8.1",
        "A strong validator is representation metadata that changes value whenever a change occurs to the representation data that would be observable in the content of a 200 (OK) response to GET.",
    ),
    why="A client that polls with If-None-Match is told 304 and never sees a new job, nor that one has ended.",
    keeps='ETag: "a" with jobs 1 and 2, ETag: "b" with jobs 2 and 3',
    breaks='ETag: "a" with jobs 1 and 2, and ETag: "a" with jobs 2 and 3',
    needs="two reads with the same strong ETag",
    across=_strongly_tagged,
)
def etag_changes_with_the_jobs(group: list[Answer]) -> Iterator[Finding]:
    """Reads with one strong ETag list the same jobs."""
    first = group[0].summary.ids
    for answer in group[1:]:
        if answer.summary.ids != first:
            tag = printable((answer.response.header("etag") or "").strip())
            got = f"{tag} with {len(answer.summary.ids - first)} other jobs"
            told = f"One ETag for two queues: a client that asks with If-None-Match: {tag} never sees what changed."
            yield Finding(None, "another ETag for other jobs", got, told)
            return


FIRST_BYTE: Final = "bytes=0-0"
MADE_UP_VALIDATOR: Final = '"no-such-validator"'


def _ranged(conversation: Conversation) -> Iterator[tuple[Answer, Answer]]:
    """The reads with Range, where the queue is served without."""
    for answer in conversation.answers:
        asked = answer.request.reads and answer.response.head and answer.request.header("range")
        if asked and conversation.served and answer.response.status not in NOT_NOW:
            yield answer, answer


@clause(
    "http.range",
    Level.MUST,
    title="A Range is ignored or honoured correctly",
    source=rfc("RFC 9110 §15.3.7", "the server generating the 206 response MUST generate a Content-Range header field"),
    why="A client takes a piece for the whole.",
    keeps="Range: bytes=0-0 → 200",
    breaks="Range: bytes=0-0 → 206 without Content-Range",
    needs="a read with Range",
    across=_ranged,
    kinds=("no-content-range", "other-part", "other-length"),
)
def range_is_ignored_or_right(answer: Answer) -> Iterator[Finding]:
    """A 206 has Content-Range, for what was asked, and as many bytes as it names (or comes in parts)."""
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
            "A 206 does not say which part it is.",
            Cause("no-content-range"),
        )
    elif answer.request.header("range") == FIRST_BYTE and (match[1], match[2]) != ("0", "0"):
        yield Finding(
            None, "bytes 0-0", printable(match[0]), "A 206 is another part than was asked for.", Cause("other-part")
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
            "A 206 is not the part that it names.",
            Cause("other-length"),
        )
