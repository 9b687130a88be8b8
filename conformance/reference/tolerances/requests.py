"""What a conforming server may send for errors, other methods, and missing or wrong keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from conformance.reference.message import IncomingRequest, Reply, Twist
from conformance.reference.queue import QueueItem
from conformance.reference.tolerances.http import compressed
from conformance.reference.tolerances.row import Row, add_inputs, add_metadata, each_job, set_fields


def _error(status: int, value: object, **fields: str) -> Twist:
    """Return a change that replaces the body of each response with this ``status`` by ``value`` as JSON.

    ``fields`` are header fields to set in these responses.
    """

    def change(reply: Reply, _ask: IncomingRequest) -> Reply:
        return reply.json(status, value).having(None, **fields) if reply.status == status else reply

    return Twist(replies=change)


def _refusal(status: int, where: Callable[[IncomingRequest], bool] = lambda _: True) -> Twist:
    """Return a Twist that changes each 401 to ``status`` without a WWW-Authenticate, if ``where(request)`` is true."""

    def change(reply: Reply, ask: IncomingRequest) -> Reply:
        refused = reply.status == 401 and where(ask)
        return reply.error(status, "This key is not valid.").having(www_authenticate=None) if refused else reply

    return Twist(replies=change)


def answer_options(status: int, **fields: str | None) -> Twist:
    """Respond to OPTIONS with another status and other header fields."""

    def change(reply: Reply, ask: IncomingRequest) -> Reply:
        if ask.method != "OPTIONS" or reply.status != 204:
            return reply
        answered = reply.error(status, "Use GET.") if status >= 400 else replace(reply, status=status)
        return answered.having(None, **fields)

    return Twist(replies=change)


def _to(status: int, message: str, where: Callable[[IncomingRequest], bool], **fields: str) -> Twist:
    """Return a Twist that responds with an error to each GET request for which ``where(request)`` is true."""

    def change(reply: Reply, ask: IncomingRequest) -> Reply:
        changed = reply.status == 200 and ask.method == "GET" and where(ask)
        return reply.error(status, message, **fields) if changed else reply

    return Twist(replies=change)


def _without_origin(ask: IncomingRequest) -> IncomingRequest:
    return replace(ask, headers=tuple(field for field in ask.headers if field[0].lower() != "origin"))


def _saying(text: str) -> Twist:
    """Return a Twist that puts ``text`` into every workflow: a node's title, and the name and value of an input."""

    def change(item: QueueItem) -> None:
        item[2]["3"]["_meta"]["title"] = f"a photo of {text}, in the style of {text}"
        item[2]["3"]["inputs"] |= {"text": text, text: 1}

    return each_job(change)


def _key(name: str, key: str, summary: str, twist: Twist | None = None) -> Row:
    said = _saying(key) if twist is None else twist
    return Row(name, summary, said, {"needs_key": True, "key": key})


_DETAILS: Final = {"code": "BAD_REQUEST", "message": "Origin is malformed."}

ROWS: Final = (
    # errors
    Row(
        "empty-lists-in-an-error",
        "An error contains two empty lists.",
        _error(400, {**_DETAILS, "queue_running": [], "queue_pending": []}),
    ),
    Row(
        "field-names-in-an-error",
        "An error has a member that maps field names to messages.",
        _error(400, {**_DETAILS, "details": {"queue_pending": ["unknown", "not a filter"]}}),
    ),
    Row(
        "field-errors-as-objects",
        "An error has a member that maps field names to objects.",
        _error(400, {**_DETAILS, "errors": {"queue_running": [{"msg": "unknown", "type": "extra"}]}}),
    ),
    Row(
        "counts-in-an-error",
        "An error has members that state the lengths of the two lists.",
        _error(400, {**_DETAILS, "queue_running": 0, "queue_pending": 3}),
    ),
    Row(
        "error-with-trace-id",
        "An error has an id for support.",
        _error(400, {**_DETAILS, "trace_id": "4bf92f3577b34da6"}),
    ),
    Row(
        "error-in-another-language",
        "The message of an error is not in English.",
        _error(400, {**_DETAILS, "message": "リクエストが不正です"}),
    ),
    Row("garbled-origin-ignored", "A malformed Origin is ignored.", Twist(hears=_without_origin)),
    Row(
        "foreign-origin-refused",
        "A request from another origin gets a 403.",
        _to(403, "This origin is not allowed.", lambda ask: (ask.header("origin") or "").startswith("https://")),
    ),
    Row(
        "csv-refused",
        "A request that accepts only CSV gets a 406.",
        _to(406, "Only JSON is available.", lambda ask: ask.header("accept") == "text/csv"),
    ),
    Row(
        "query-refused",
        "An undeclared parameter gets a 400.",
        _to(400, "Parameters are not supported.", lambda ask: bool(ask.query)),
    ),
    # methods
    Row("options-200", "OPTIONS gets a 200 with Allow.", answer_options(200, content_type="text/plain")),
    Row("options-404", "OPTIONS gets a 404.", answer_options(404, allow=None)),
    Row("options-403", "OPTIONS is refused.", answer_options(403, allow=None)),
    Row(
        "options-preflight",
        "OPTIONS responds to a CORS preflight.",
        answer_options(204, allow=None, access_control_allow_methods="GET, HEAD"),
    ),
    Row(
        "allow-in-another-order",
        "Allow lists methods that the suite does not use.",
        answer_options(204, allow="POST,OPTIONS , HEAD, GET, PURGE"),
    ),
    # refusals
    Row("refuses-with-403", "A missing or wrong key gets a 403.", _refusal(403), {"needs_key": True}),
    Row(
        "no-key-401-wrong-key-403",
        "A missing key gets a 401, a wrong key a 403.",
        _refusal(403, lambda ask: bool(ask.header("x-api-key"))),
        {"needs_key": True},
    ),
    Row(
        "no-key-403-wrong-key-401",
        "A missing key gets a 403, a wrong key a 401.",
        _refusal(403, lambda ask: not ask.header("x-api-key")),
        {"needs_key": True},
    ),
    Row(
        "several-challenges",
        "The WWW-Authenticate of a 401 names several schemes.",
        set_fields((401,), www_authenticate='Bearer realm="a", ApiKey realm="b"'),
        {"needs_key": True},
    ),
    Row(
        "refusal-with-details",
        "A refusal has more members than code and message.",
        _error(401, {"code": "UNAUTHORIZED", "message": "No.", "docs": "https://docs.invalid"}),
        {"needs_key": True},
    ),
    # keys
    _key("key-castle", "castle", "The key is a word that occurs in workflows."),
    _key("key-queue", "queue", "The API key is the word queue, which occurs in queue_running and queue_pending."),
    _key("key-create-time", "create_time", "The key is the name of a member of every job."),
    _key("key-1234", "1234", "The key is a number that occurs in jobs.", add_metadata(batch=1234, note="1234")),
    _key("key-json", "json", "The key is a word in the media type."),
    _key("key-gzip", "gzip", "The key is the name of a content coding.", compressed()),
    _key(
        "key-of-zeros",
        "0000000000000000",
        "The key consists of zeros and also occurs in numbers.",
        add_inputs(seed=10**17),
    ),
    _key(
        "key-without-letters", "8675-3090-0000-1234", "The key has no letter, so its case cannot be swapped.", Twist()
    ),
    _key("key-in-base64", "c29tZS1sb25nLWtleS1vZi1taW5lIQ==", "The key is padded base64.", Twist()),
    _key(
        "key-of-words",
        "masterpiece-best-quality-key",
        "The key begins with words that occur in prompts.",
        _saying("masterpiece-best-quality"),
    ),
    _key("long-key", "k7" * 300, "The key has 600 characters.", Twist()),
)
