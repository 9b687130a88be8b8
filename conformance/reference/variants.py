"""Variants of the reference endpoint. All conform, each in a different way, so each must get the verdict conformant."""

from __future__ import annotations

import json
import re
import time
import uuid
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from conformance.reference.board import Board, InBetween, Oss, SeveralWorkers, SharedBoard, Slow
from conformance.reference.door import Door
from conformance.reference.message import IncomingRequest, Reply, Twist, items
from conformance.reference.queue import Queue, QueueItem
from conformance.reference.tolerances import TABLE, common
from conformance.reference.tolerances.row import each_job

Function = TypeVar("Function", bound=Callable[..., Any])


PLAIN: Final = Twist()
OPEN: Final = Door()


@dataclass(frozen=True)
class Variant:
    """One way to conform.

    ``waiting`` and ``running`` are numbers of jobs, ``period`` is in seconds from one new job to the next. ``still``
    means that the queue never changes. ``dialect`` is the order of the elements of a job. A variant with a ``board``
    accepts jobs and lists only the submitted ones. ``door`` limits which requests are accepted.
    """

    name: str
    summary: str
    twist: Twist = PLAIN
    waiting: int = 6
    running: int = 1
    period: float = 0.1
    still: bool = False
    prefix: str = ""
    needs_key: bool = False
    key: str | None = None
    """The key that the endpoint requires, if the variant needs a particular key."""
    dialect: str = "cloud"
    board: type[Board] | None = None
    door: Door = OPEN


VARIANTS: Final[dict[str, Variant]] = {
    variant.name: variant
    for variant in (
        Variant("default", "One job runs, six are pending, and ten new jobs arrive each second."),
        Variant("empty-queue", "No job is running or pending.", waiting=0, running=0),
        Variant("nothing-waits", "One job runs and none is pending.", waiting=0),
        Variant("nothing-runs", "Jobs are pending and none runs.", running=0),
        Variant("standing-still", "The queue never changes.", still=True),
        Variant("fast-moving", "A new job arrives every ten milliseconds.", period=0.01),
        Variant("several-running", "Three jobs run at once.", running=3),
        Variant("hundreds-of-jobs", "Three hundred jobs are pending.", waiting=300),
        Variant(
            "hundreds-standing-still",
            "Two hundred jobs are pending, and the queue never changes.",
            waiting=200,
            still=True,
        ),
        Variant("prefix-path", "The API is below a path prefix.", prefix="/some/prefix"),
        Variant("key-enforced", "Requests without the key are refused.", needs_key=True),
        Variant(
            "takes-jobs", "The server accepts jobs and runs one at a time. The queue is empty at first.", board=Board
        ),
        Variant("takes-slow-jobs", "The server accepts jobs. Each runs for seconds.", board=Slow),
        Variant("takes-jobs-on-three-workers", "The server accepts jobs and runs three at once.", board=SeveralWorkers),
        Variant(
            "takes-jobs-of-others-too",
            "The server accepts jobs, while another user submits fourteen a second.",
            board=SharedBoard,
        ),
        Variant(
            "takes-jobs-and-loses-sight", "For 0.3 seconds after its start, a job is in neither list.", board=InBetween
        ),
    )
}


def _enter(function: Callable[..., Any], twist: Twist, setting: dict[str, Any]) -> None:
    """Add a variant. The function's name and docstring become those of the variant."""
    name = function.__name__.strip("_").replace("_", "-")
    assert name not in VARIANTS, name
    VARIANTS[name] = Variant(name, (function.__doc__ or "").partition("\n")[0], twist, **setting)


def _stage(stage: str) -> Callable[..., Callable[[Function], Function]]:
    """Return a decorator that makes a variant of a function for one stage of a response (see ``Twist``)."""

    def decorator(**setting: Any) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            _enter(function, Twist(**{stage: function}), setting)
            return function

        return register

    return decorator


_lists, _writes, _replies = _stage("lists"), _stage("writes"), _stage("replies")


def _each(**setting: Any) -> Callable[[Callable[[QueueItem], object]], Callable[[QueueItem], object]]:
    """Return a decorator that adds a variant.

    The decorated function changes one job in place; it is called for every job.
    """

    def register(function: Callable[[QueueItem], object]) -> Callable[[QueueItem], object]:
        _enter(function, each_job(function), setting)
        return function

    return register


def _rename(item: QueueItem, name: Callable[[str], str]) -> None:
    """Give every node of a job's workflow a new id: in the graph, in its links and in the output node ids."""
    for node in item[2].values():
        for key, value in node["inputs"].items():
            if isinstance(value, list):
                node["inputs"][key] = [name(value[0]), value[1]]
    item[2] = {name(key): node for key, node in item[2].items()}
    item[3] = [name(key) for key in item[3]]


# --- jobs -------------------------------------------------------------------------------------------------------------


@_lists()
def idle_then_busy(queue: Queue, ask: IncomingRequest) -> Queue:
    """The queue is empty for the first five GETs, and has jobs from then on."""
    return {"queue_running": [], "queue_pending": []} if ask.read <= 5 else queue


@_each(still=True, waiting=15)
def every_uuid_version(item: QueueItem) -> None:
    """The prompt ids are UUIDs of all versions from 1 to 8."""
    item[1] = f"{item[1][:14]}{item[0] % 8 + 1}{item[1][15:]}"


@_each()
def unicode(item: QueueItem) -> None:
    """Titles, node ids and output ids contain text from every plane of Unicode, and every kind of JSON escape."""
    planes = "".join(chr((plane << 16) + 0xFFF0 + 0xD) for plane in range(17))
    item[2]["3"]["_meta"]["title"] = f'日本 ünï 👩‍🚀 \u202e{planes}\u2028\u2029\ufeff\x7f\x00\x1b[31m<b>&"\\/\b\f\n\r\t'
    _rename(item, lambda name: f"узел 😀 /~{name}")


@_each()
def deep_workflow(item: QueueItem) -> None:
    """A workflow is nested a hundred levels deep."""
    value: list[Any] = []
    for _ in range(93):  # the body, its list, the item, the workflow, the node and its inputs are six more levels
        value = [value]
    item[2]["3"]["inputs"]["nested"] = value


@_each()
def composite_node_ids(item: QueueItem) -> None:
    """Node ids are those of nodes in subgraphs, such as 12:3."""
    _rename(item, lambda name: f"12:{name}")


@_each()
def editor_workflow(item: QueueItem) -> None:
    """The workflow is the editor's graph, with arrays of nodes and of links."""
    nodes = [{"id": int(name), "type": node["class_type"], "pos": [0, 0]} for name, node in item[2].items()]
    links = [[1, 3, 0, 4, 0, "IMAGE"], [2, 4, 0, 7, 0, "IMAGE"], [3, 4, 0, 9, 0, "IMAGE"]]
    item[2] = {"last_node_id": 9, "last_link_id": 3, "nodes": nodes, "links": links, "groups": [], "version": 0.4}


# --- JSON text --------------------------------------------------------------------------------------------------------


@_writes()
def pretty_printed(body: bytes) -> bytes:
    """The JSON text is indented, with white space of every kind around it."""
    return b" \r\n\t" + json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode() + b"\n\r\n\t "


@_writes()
def ascii_escapes(body: bytes) -> bytes:
    """All non-ASCII characters and slashes are escaped, astral characters as surrogate pairs."""
    text = json.dumps(json.loads(body.replace(b'"Save Image"', '"Sä/ve 😀"'.encode())))
    return text.replace("/", "\\/").encode()


@_writes()
def members_in_reverse(body: bytes) -> bytes:
    """The members of every object are in reverse order."""
    return json.dumps(json.loads(body, object_pairs_hook=lambda pairs: dict(reversed(pairs)))).encode()


# --- HTTP -------------------------------------------------------------------------------------------------------------


def _ok(reply: Reply) -> bool:
    return reply.status == 200


@_replies()
def _deflate(reply: Reply, ask: IncomingRequest) -> Reply:
    """Responses are compressed with deflate (zlib format) for clients that accept it."""
    if not _ok(reply):
        return reply
    varied = reply.having(vary="Origin, Accept-Encoding")
    return varied.having(zlib.compress(reply.body), content_encoding="deflate") if ask.accepts("deflate") else varied


@_replies()
def charset_parameter(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Content-Type has a charset parameter and other letter case."""
    return reply.having(content_type="Application/JSON; Charset=UTF-8") if reply.body else reply


@_replies()
def lower_case_headers(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Header names are in lower case, as behind a proxy that speaks HTTP/2."""
    length = {} if reply.status == 204 else {"content-length": str(len(reply.body))}
    return replace(reply, headers={name.lower(): value for name, value in reply.headers.items()} | length)


@_replies()
def ids_of_answers(reply: Reply, _ask: IncomingRequest) -> Reply:
    """Each response has a unique id in a header, as behind a gateway."""
    return reply.having(x_request_id=str(uuid.uuid4()), server_timing=f"app;dur={time.perf_counter():.3f}")


@_replies()
def range_206(reply: Reply, ask: IncomingRequest) -> Reply:
    """A range request gets a 206 with the requested range."""
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", ask.header("range") or "")
    if not _ok(reply) or ask.method != "GET" or wanted is None:
        return reply.having(accept_ranges="bytes") if _ok(reply) else reply
    size = len(reply.body)
    first, last = int(wanted[1]), min(int(wanted[2] or size), size - 1)
    if first > last:
        return reply.error(416, "The range cannot be satisfied.", content_range=f"bytes */{size}")
    part = reply.having(reply.body[first : last + 1], content_range=f"bytes {first}-{last}/{size}")
    return replace(part, status=206)


@_replies()
def range_416(reply: Reply, ask: IncomingRequest) -> Reply:
    """Every range request gets a 416."""
    return reply.error(416, "Ranges are not supported.") if ask.header("range") and _ok(reply) else reply


@_replies()
def not_acceptable(reply: Reply, ask: IncomingRequest) -> Reply:
    """A request that does not accept JSON gets a 406."""
    accept = ask.members("accept") or "*/*"
    ranges = [member.strip().lower().split(";q=") for member in accept.replace("; ", ";").split(",")]
    taken = {kind: float(weight[0] if weight else 1) for kind, *weight in ranges}
    kinds = ("application/json;charset=utf-8", "application/json", "application/*", "*/*")
    refused = _ok(reply) and not next((taken[kind] for kind in kinds if kind in taken), 0)
    return reply.error(406, "Only application/json is available.") if refused else reply


@_replies()
def strict_query(reply: Reply, ask: IncomingRequest) -> Reply:
    """An undeclared query parameter gets a 400."""
    return reply.error(400, "Query parameters are not supported.") if ask.query and _ok(reply) else reply


@_replies()
def cors(reply: Reply, ask: IncomingRequest) -> Reply:
    """Every origin may read the responses, and Vary contains Origin."""
    origin = ask.header("origin")
    allowed = None if reply.status == 400 else origin
    return reply.having(
        vary="Accept, Origin", access_control_allow_credentials="true", access_control_allow_origin=allowed
    )


@_replies()
def html_elsewhere(reply: Reply, ask: IncomingRequest) -> Reply:
    """Error responses that the document does not describe are HTML pages, as a gateway sends them."""
    if reply.status not in {404, 405} and not (ask.method == "OPTIONS" and reply.status == 204):
        return reply
    other = reply.having(b"<html><h1>Not here</h1></html>", content_type="text/html", allow="GET, HEAD")
    return replace(other, status=405 if reply.status == 204 else reply.status)


@_replies()
def busy_at_first(reply: Reply, ask: IncomingRequest) -> Reply:
    """The first GET gets a 503 with a Retry-After of 0."""
    first = _ok(reply) and ask.method == "GET" and ask.read == 1
    return reply.error(503, "Try again later.", retry_after="0") if first else reply


# --- variants of more than one stage ----------------------------------------------------------------------------------


def _extra_lists(queue: Queue, _ask: IncomingRequest) -> Queue:
    for item in items(queue):
        item[4] |= {"priority": 3, "client_id": None, "labels": ["a"], "code": "A1", "message": {"create_time": "no"}}
    return {"paused": False, "limits": {"running": 1, "pending": None}, **queue}


def _extra_replies(reply: Reply, _ask: IncomingRequest) -> Reply:
    if reply.status < 400:
        return reply
    return reply.json(reply.status, json.loads(reply.body) | {"details": {"hint": None}, "request_id": 7})


VARIANTS["extra-members"] = Variant(
    "extra-members",
    "The body, metadata and errors have additional members.",
    Twist(lists=_extra_lists, replies=_extra_replies),
)


def _oss_lists(queue: Queue, _ask: IncomingRequest) -> Queue:
    """Return items as ``[number, prompt_id, prompt, extra_data, outputs_to_execute]``, numbered from 0."""
    for item in items(queue):
        item[0], item[3], item[4] = item[0] - 1, {"client_id": "5c2f", **item[4]}, item[3]
    return queue


def _oss_replies(reply: Reply, ask: IncomingRequest) -> Reply:
    if ask.method == "OPTIONS" and reply.status == 204:
        return replace(reply, status=200)
    if reply.status == 400:  # ComfyUI refuses an unknown origin with an empty 403
        return replace(reply.having(b"", content_type=None), status=403)
    if reply.status in {404, 405}:
        text = f"{reply.status}: Not for ComfyUI"
        return reply.having(text.encode(), content_type="text/plain; charset=utf-8")
    return reply.having(content_type="application/json; charset=utf-8")


VARIANTS["oss"] = Variant(
    "oss",
    "Items are in ComfyUI's own order and numbered from 0. No key is required.",
    Twist(
        hears=IncomingRequest.with_key,
        lists=_oss_lists,
        writes=lambda body: json.dumps(json.loads(body)).encode(),
        replies=_oss_replies,
    ),
    dialect="oss",
)


def _oss_jobs_replies(reply: Reply, ask: IncomingRequest) -> Reply:
    if ask.method != "POST":
        return _oss_replies(reply, ask)
    if reply.status == 400 and ask.path.endswith("/queue"):
        return reply.having(b"400: Bad Request", content_type="text/plain; charset=utf-8")
    return reply.having(content_type="application/json; charset=utf-8") if reply.body else reply


VARIANTS["oss-takes-jobs"] = Variant(
    "oss-takes-jobs",
    "The server accepts jobs as ComfyUI does: number and front change the order, a delete gets an empty body.",
    Twist(hears=IncomingRequest.with_key, replies=_oss_jobs_replies),
    dialect="oss",
    board=Oss,
)


VARIANTS.update({row.name: Variant(row.name, row.summary, row.twist, **row.settings) for row in (*common.ROWS, *TABLE)})
