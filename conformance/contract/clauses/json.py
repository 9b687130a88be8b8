"""Clauses about JSON syntax (RFC 8259). They apply to every response body that should be JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from conformance.contract.clause import Cause, Finding, clause, inferred, rfc
from conformance.contract.conversation import DOCUMENTED, FIRST_ERROR, Answer
from conformance.contract.terms import FastPath, Level
from conformance.text.safe import printable, visible, without_credentials
from conformance.text.strict_json import NESTING_READ

NESTING_LIMIT: Final = 128
"""Levels of nesting that every common parser accepts: serde_json stops at 128, jiter at 200, Python near 1,000."""
_SHOWN: Final = 60
"""The number of characters that are shown of a body that is not JSON at all."""
_MISSING: Final = {
    "Expecting value": "no value",
    "Expecting ',' delimiter": "no comma or closing bracket",
    "Expecting ':' delimiter": "no colon",
    "Expecting property name enclosed in double quotes": "no name in double quotes",
    "Unterminated string starting": "a string without an end",
    "Invalid \\escape": "an invalid escape",
}
"""By the message of Python's JSON parser: the same in plain words."""
A_BODY: Final = "a body that is JSON, or should be"
_RE_ENCODED: Final = Cause(
    "", "if the body is from a file, a Windows shell may have re-encoded it (curl -o writes a body unchanged)"
)
NOT_JSON: Final = ("text/html", "application/xhtml+xml", "application/xml", "text/xml", "text/csv")
"""Media types of bodies that are not meant to be JSON. For these only the Content-Type is reported, not the JSON
syntax.
"""


def json_texts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body must be JSON: a 200 with the queue, or a 400 or 500 labelled application/json."""
    if answer.shows_queue or (answer.response.status in DOCUMENTED and _is_labelled_error(answer)):
        other_format = answer.response.media_type in NOT_JSON and not answer.document.read
        if answer.response.coding_error is None and not other_format:
            yield answer


def other_json_texts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if it is an error labelled application/json whose status the OpenAPI document does not describe."""
    if answer.response.status not in DOCUMENTED and _is_labelled_error(answer) and answer.response.coding_error is None:
        yield answer


def labelled_texts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body must be JSON, or if it is an undescribed error labelled application/json."""
    yield from json_texts(answer)
    yield from other_json_texts(answer)


def _is_labelled_error(answer: Answer) -> bool:
    response = answer.response
    labelled = response.status >= FIRST_ERROR and response.media_type == "application/json"
    return labelled and response.whole and bool(response.size) and answer.request.method == "GET"


def read_texts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body must be JSON and could be parsed."""
    return (text for text in json_texts(answer) if text.document.read)


def read_parts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body must be JSON and could be parsed, in part if a recorder cut it off."""
    yield from read_texts(answer)
    if answer.shows_part:
        yield answer


def labelled_parts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body could be parsed: the queue, whole or cut off, or an error labelled application/json."""
    yield from read_parts(answer)
    yield from (text for text in other_json_texts(answer) if text.document.read)


def sent_texts(answer: Answer) -> Iterator[Answer]:
    """Yield the response if its body must be JSON and its exact bytes are known. Some recorders re-encode bodies."""
    return (text for text in json_texts(answer) if text.response.verbatim)


@clause(
    "json.well-formed",
    Level.MUST,
    fast=FastPath.BODY,
    title="The body is well-formed JSON",
    source=rfc("RFC 8259 §2", "A JSON text is a serialized value."),
    why="A strict parser cannot read anything from such a body.",
    keeps='{"queue_running": []}',
    breaks='{"queue_running": [],}',
    needs=A_BODY,
    over=json_texts,
    kinds=("web-page", "python-repr"),
)
def well_formed(answer: Answer) -> Iterator[Finding]:
    """The body follows the grammar of RFC 8259. Violations that parsers often tolerate have separate clauses."""
    if answer.document.malformed is not None:
        content = answer.response.content
        yield Finding(
            "", "a JSON text", _got(answer.document.malformed, content), "The body is not JSON.", _looks_like(content)
        )


def _got(malformed: str, content: bytes) -> str:
    """Return the start of a body that is not JSON at all; else what is missing or wrong, and where."""
    if malformed.endswith("(character 0)"):
        return _start_of(content)
    what, at, place = malformed.partition(" at line ")
    return printable(f"{_MISSING.get(what, what)}{at}{place}")


def _start_of(content: bytes) -> str:
    """Return the start of a body as printable text. Credentials are masked before the text is cut."""
    text = without_credentials(content[:4_000].decode(errors="replace"))
    start = visible(text[:_SHOWN])
    return start if len(text) <= _SHOWN else f"{start}…"


def _looks_like(content: bytes) -> Cause | None:
    start = content[:200].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html")):
        return Cause("web-page", "a web page: a proxy, a login page or the frontend responds instead of the queue")
    if start.startswith((b"{'", b"[{'", b"[('")):
        return Cause("python-repr", "the output of Python's repr instead of JSON")
    return None


@clause(
    "json.finite-numbers",
    Level.MUST,
    fast=FastPath.BODY,
    title="The body has no NaN and no Infinity",
    source=rfc(
        "RFC 8259 §6",
        "Numeric values that cannot be represented in the grammar below (such as Infinity and NaN) are not permitted.",
    ),
    why="JSON.parse in JavaScript and every strict parser reject the whole response.",
    keeps="1.5",
    breaks="NaN",
    needs=A_BODY,
    over=read_parts,
    kinds=("python-json",),
)
def finite_numbers(answer: Answer) -> Iterator[Finding]:
    """The body does not contain NaN, Infinity or -Infinity."""
    for flaw in answer.document.non_finite:
        yield Finding(
            flaw.pointer,
            "a JSON number",
            flaw.got,
            f"{flaw.got} is not valid JSON.",
            Cause("python-json", "Python's json.dumps writes such values unless allow_nan=False is set"),
        )


@clause(
    "json.utf-8",
    Level.MUST,
    fast=FastPath.BODY,
    title="The body is UTF-8",
    source=rfc(
        "RFC 8259 §8.1",
        "JSON text exchanged between systems that are not part of a closed ecosystem MUST be encoded using UTF-8",
    ),
    why="Parsers assume UTF-8, whatever the charset parameter says.",
    keeps="caf\\xc3\\xa9",
    breaks="caf\\xe9",
    needs=A_BODY,
    over=sent_texts,
)
def utf_8(answer: Answer) -> Iterator[Finding]:
    """The bytes of the body are valid UTF-8."""
    if answer.document.not_utf8 is not None:
        hint = _RE_ENCODED if answer.response.content.startswith((b"\xff\xfe", b"\xfe\xff")) else None
        yield Finding("", "UTF-8", answer.document.not_utf8, "The body is not UTF-8.", hint)


@clause(
    "json.no-bom",
    Level.MUST,
    fast=FastPath.BODY,
    title="The body has no byte order mark",
    source=rfc(
        "RFC 8259 §8.1",
        "Implementations MUST NOT add a byte order mark (U+FEFF) to the beginning of a networked-transmitted JSON text.",
    ),
    why="Strict parsers reject the mark, because it is not part of the JSON value.",
    keeps='{"queue_running": []}',
    breaks='\\xef\\xbb\\xbf{"queue_running": []}',
    needs=A_BODY,
    over=sent_texts,
)
def no_bom(answer: Answer) -> Iterator[Finding]:
    """The body does not start with U+FEFF."""
    if answer.document.bom:
        yield Finding("", "no byte order mark", "EF BB BF", "The body starts with a byte order mark.", _RE_ENCODED)


@clause(
    "json.single-text",
    Level.MUST,
    fast=FastPath.BODY,
    title="Nothing follows the JSON value in the body",
    source=rfc("RFC 8259 §2", "JSON-text = ws value ws"),
    why="Strict parsers reject the response. Lenient ones hide an error after the value.",
    keeps='{"queue_running": []}',
    breaks='{"queue_running": []}{"error": "…"}',
    needs=A_BODY,
    over=read_texts,
)
def single_text(answer: Answer) -> Iterator[Finding]:
    """Only white space follows the JSON value in the body."""
    rest = answer.document.trailing
    if rest is not None:
        yield Finding("", "one JSON text", rest, "There is more text after the JSON value.")


@clause(
    "json.control-characters",
    Level.MUST,
    fast=FastPath.BODY,
    title="Control characters in strings are escaped",
    source=rfc("RFC 8259 §7", "the control characters (U+0000 through U+001F)"),
    why="Strict parsers reject the whole response.",
    keeps='"a\\nb"',
    breaks='"a<line feed>b"',
    needs=A_BODY,
    over=read_parts,
)
def control_characters(answer: Answer) -> Iterator[Finding]:
    """No string contains an unescaped U+0000 to U+001F."""
    got = answer.document.control_character
    if got is not None:
        yield Finding("", "an escape such as \\n", got, "A string contains an unescaped control character.")


@clause(
    "json.distinct-names",
    Level.SHOULD,
    fast=FastPath.BODY,
    title="No name appears twice in an object",
    source=rfc("RFC 8259 §4", "The names within an object SHOULD be unique."),
    why="Parsers differ in which of the two values they use.",
    keeps='{"a": 1}',
    breaks='{"a": 1, "a": 2}',
    needs=A_BODY,
    over=labelled_parts,
)
def distinct_names(answer: Answer) -> Iterator[Finding]:
    """Member names are unique within each object."""
    for flaw in answer.document.repeated_names:
        yield Finding(
            flaw.pointer, "each name once", printable(flaw.got), "This name appears more than once in its object."
        )


@clause(
    "json.paired-surrogates",
    Level.SHOULD,
    fast=FastPath.BODY,
    title="Surrogate escapes (\\ud800 to \\udfff) come in pairs",
    source=inferred(
        rfc(
            "RFC 8259 §8.2", "the behavior of software that receives JSON texts containing such values is unpredictable"
        ),
        "The RFC warns about these values, but does not forbid them.",
    ),
    why="Half of a pair is not a character. Databases, Rust and strict parsers fail on such text.",
    keeps='"\\ud83d\\ude00"',
    breaks='"\\ud800"',
    needs=A_BODY,
    over=labelled_parts,
)
def paired_surrogates(answer: Answer) -> Iterator[Finding]:
    """Every surrogate escape is part of a pair."""
    for flaw in answer.document.lone_surrogates:
        yield Finding(
            flaw.pointer, "whole characters", printable(flaw.got), "A string contains half of a surrogate pair."
        )


@clause(
    "json.number-range",
    Level.SHOULD,
    fast=FastPath.BODY,
    title="Numbers fit into a double",
    source=inferred(
        rfc(
            "RFC 8259 §6",
            "good interoperability can be achieved by implementations that expect no more precision or range than these provide",
        ),
        "The RFC says which numbers are interoperable, but sets no limit.",
    ),
    why="Most parsers turn a larger number into infinity, or fail.",
    keeps="1e308",
    breaks="1e999",
    needs=A_BODY,
    over=labelled_parts,
)
def number_range(answer: Answer) -> Iterator[Finding]:
    """No number is beyond the range of IEEE 754 binary64."""
    for flaw in answer.document.out_of_range:
        yield Finding(flaw.pointer, "below 1.8e308", flaw.got, "A number is outside the range of a double.")


@clause(
    "json.nesting",
    Level.SHOULD,
    fast=FastPath.BODY,
    title=f"At most {NESTING_LIMIT} levels of nesting",
    source=inferred(
        rfc("RFC 8259 §9", "An implementation may set limits on the maximum depth of nesting."),
        "The RFC lets parsers limit the depth, but names no number.",
    ),
    why="Common parsers stop at 128 levels and refuse the response.",
    keeps="a workflow",
    breaks="a workflow nested 200,000 deep",
    needs=A_BODY,
    over=labelled_texts,
)
def nesting(answer: Answer) -> Iterator[Finding]:
    """Arrays and objects are nested no deeper than common parsers allow."""
    depth = answer.document.depth
    if depth > NESTING_LIMIT:
        unread = "; the suite did not parse it" if depth > NESTING_READ else ""
        yield Finding(
            "", f"at most {NESTING_LIMIT} levels", f"{depth:,} levels", f"The body is nested too deeply{unread}."
        )
