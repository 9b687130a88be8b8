"""The clauses as a check of Schemathesis, for people who run ``st run`` themselves.

    SCHEMATHESIS_HOOKS=conformance.schemathesis_checks st run openapi/openapi-cloud.get-queue.yaml --url http://…

Importing this module registers the check ``QueueContract`` and what it takes to run on a live server: the published
document is read with its errata, nothing but reading leaves the process unless ``CONFORMANCE_ALLOW_WRITES=1``, every
exchange is bounded as a whole, and the key is blotted out of answers. ``docs/schemathesis.md`` says it for users.

Raises ImportError where Schemathesis is missing or is another version than the one that this was written for: two of
the classes that are wrapped here are no documented interface of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from queue import Empty, SimpleQueue
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clauses.method import NOT_IMPLEMENTED
from conformance.contract.conversation import NOT_NOW, OK, REFUSALS
from conformance.contract.terms import Demand, Dialect
from conformance.exchange.model import Credential, Exchange, Request
from conformance.exchange.model import Response as Answered
from conformance.exchange.recordings import is_queue, redact
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import SHORTEST_KEY, Secret
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult, Status
from conformance.probe.client import KEY_HEADER, SAFE_METHODS
from conformance.probe.limits import Bounds
from conformance.spec.document import load_corrected, load_document

PINNED: Final = "4.32.5"
INSTALL: Final = "pip install 'comfy-queue-conformance[properties]'"
try:
    import requests
    import schemathesis
    from requests.adapters import BaseAdapter
    from schemathesis.core import transport
    from schemathesis.core.failures import Failure, FailureGroup, ServerError, Severity
    from schemathesis.core.transport import Response
    from schemathesis.core.version import SCHEMATHESIS_VERSION
    from schemathesis.engine import observations
    from schemathesis.openapi.checks import AllowHeaderMismatch, UndefinedStatusCode
    from schemathesis.transport.requests import SameHostRedirectsSession
    from urllib3.exceptions import DecodeError, ProtocolError, ReadTimeoutError
    from urllib3.response import HTTPResponse
except ModuleNotFoundError as missing:
    raise ImportError(f"{__name__} needs Schemathesis {PINNED}: {INSTALL}") from missing
if SCHEMATHESIS_VERSION != PINNED:
    raise ImportError(f"{__name__} is for Schemathesis {PINNED}, and this is {SCHEMATHESIS_VERSION}: {INSTALL}")

if TYPE_CHECKING:
    from schemathesis.checks import CheckContext
    from schemathesis.cli import ExecutionContext
    from schemathesis.config import ProjectConfig
    from schemathesis.engine.events import EngineEvent
    from schemathesis.generation.case import Case
    from schemathesis.hooks import HookContext
    from schemathesis.schemas import BaseSchema

ALLOW_WRITES: Final = "CONFORMANCE_ALLOW_WRITES"
SCHEME: Final = "ApiKeyAuth"
"""The document's name for the key, and so the one in ``[auth.openapi.ApiKeyAuth]``."""
TOO_DEEP: Final = "nested too deep for Schemathesis"
NAMED: Final = 4
"""Clauses that the summary names where a run has not seen them."""
_PIECE: Final = 1 << 16
_BOUNDS: Final = Bounds()
_OVER_ONE_ANSWER: Final = frozenset(clause.id for clause in CATALOGUE if clause.over is not None)


# --- the check --------------------------------------------------------------------------------------------------------


class Breach(Failure):
    """A clause that an answer breaks. One for each clause, however many answers break it."""

    code: ClassVar[str] = "QC"
    checks: ClassVar[tuple[str, ...]] = ("QueueContract",)
    kind_title: ClassVar[str] = "Contract of GET /api/queue broken"

    __slots__ = ("clause",)

    def __init__(self, found: ClauseResult, case: Case[Any]) -> None:
        severity = Severity.HIGH if found.status is Status.FAIL else Severity.LOW
        super().__init__(
            operation=case.operation.label, title=f"{found.id} ({found.level}): {found.title}",
            message="\n".join(_told(found)), case_id=case.id, severity=severity,
        )  # fmt: skip
        self.clause = found.id

    @property
    def _unique_key(self) -> str:
        return self.clause


def _told(found: ClauseResult) -> Iterator[str]:
    """Say where, what was expected and what came, why it matters and where that is said."""
    for evidence in found.evidence:
        place = "" if evidence.pointer is None else f"at {evidence.pointer or 'the top'}: "
        hint = f" ({evidence.hint})" if evidence.hint else ""
        yield f"{place}expected {evidence.expected}, got {evidence.got}. {evidence.message}{hint}"
        if evidence.more:
            yield f"and {evidence.more} more like it" + (f", the last at {evidence.last}" if evidence.last else "")
    source = found.source
    quote = f"“{source.quote}”" if source.quote else ""
    where = source.rfc or f"{source.document or ''}#{source.pointer}"
    yield f"\nWhy: {found.why}\nSource: {where} {quote}".rstrip()


@dataclass
class Tally:
    """What a run has come to so far. ``broken`` names the cases that broke a clause, ``should`` clauses so called.

    ``told`` is what an answer has shown of the dialect, for all answers after it.
    """

    judged: int = 0
    served: bool = False
    broken: dict[str, set[str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    should: set[str] = field(default_factory=set)
    told: Demand | None = None

    def note(self, found: ClauseResult, case_id: str) -> None:
        """Count a clause for one answer. Asking of the same answer again counts once."""
        if found.status is not Status.NOT_EXERCISED:
            self.seen.add(found.id)
        if found.breached:
            self.broken.setdefault(found.id, set()).add(case_id)
            if found.status is Status.WARN:
                self.should.add(found.id)


TALLY: Final = Tally()
"""Of this process: Schemathesis has one run in it."""


@schemathesis.check
class QueueContract:
    """Judges each answer of the queue by every clause that speaks of one answer.

    ``[checks.QueueContract]`` of ``schemathesis.toml`` sets ``fail_on_should`` (a breached ``should`` fails too) and
    ``dialect`` (``cloud``, ``oss`` or ``auto``). Raises ValueError for another dialect.
    """

    def __init__(self, dialect: str = Dialect.CLOUD, fail_on_should: bool = False) -> None:  # noqa: FBT001, FBT002 - Schemathesis passes both by name
        self._dialect = Dialect(dialect)
        self._failing = {Status.FAIL, Status.WARN} if fail_on_should else {Status.FAIL}

    def after_response(self, _ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
        """Judge one answer; True says that it is none of the queue's and was skipped.

        Raises FailureGroup with a ``Breach`` for each clause, and RuntimeError where the suite itself fails.
        """
        exchange = exchange_of(response, case)
        if not exchange.request.to_queue:
            return True
        judgement = judge([exchange], self._dialect, only=_OVER_ONE_ANSWER, told=TALLY.told)
        if not judgement.demand.open:
            TALLY.told = judgement.demand
        TALLY.judged += 1
        TALLY.served |= exchange.request.reads and response.status_code == OK
        for found in judgement.results:
            TALLY.note(found, case.id)
        breaches = [Breach(found, case) for found in judgement.results if found.status in self._failing]
        if breaches:
            raise FailureGroup(breaches)
        for found in judgement.results:
            if found.status is Status.ERROR:
                raise RuntimeError(f"{found.id}: {found.reason}")
        return None

    def after_run(self, _ctx: CheckContext) -> None:
        """Raise AssertionError where the queue was never shown: Schemathesis would call that a pass."""
        if TALLY.judged and not TALLY.served:
            raise AssertionError("No read was answered 200: nothing can be said of the queue. Is a key wanted?")


def exchange_of(response: Response, case: Case[Any]) -> Exchange:
    """Return what was asked and answered, without any key."""
    asked = response.request
    sent = tuple((str(name), _text(value)) for name, value in asked.headers.items())
    given = key_of(case.operation.schema.config, case)
    request = Request(
        asked.method or case.method, Redactor(_secret(given)).text(asked.url or ""), redact(sent), "st run",
        _credential(asked.headers.get(KEY_HEADER), given), is_queue(asked.url or ""),
    )  # fmt: skip
    headers = tuple((name, value) for name, values in response.headers.items() for value in values)
    answered = Answered(response.status_code, headers, response.content, http_version=f"HTTP/{response.http_version}")
    return Exchange(case.id, request, answered, started=time.time() - response.elapsed, elapsed=response.elapsed)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _credential(sent: str | bytes | None, given: str | None) -> Credential:
    """Tell the user's key from the ones that Schemathesis makes up. Where none was given, all are as good."""
    if given is None or (sent is not None and _text(sent) == given):
        return Credential.GIVEN
    if sent is None:
        return Credential.NONE
    return Credential.WRONG if sent else Credential.EMPTY


# --- the key ----------------------------------------------------------------------------------------------------------


def key_of(config: ProjectConfig, case: Case[Any] | None = None) -> str | None:
    """Return the key that the user gave, by ``-H``, ``headers`` or ``[auth.openapi.ApiKeyAuth]``."""
    for name, value in config.headers_for(operation=None if case is None else case.operation).items():
        if name.lower() == KEY_HEADER.lower():
            return value
    key = getattr(config.auth.openapi.schemes.get(SCHEME), "api_key", None)
    return str(key) if key else None


def _secret(key: str | None) -> Secret | None:
    return Secret(key) if key is not None and len(key) >= SHORTEST_KEY else None


@schemathesis.hook
def after_call(_context: HookContext, case: Case[Any], response: Response) -> None:
    """Blot the user's key out of an answer that repeats it, before anything is shown or kept."""
    redactor = Redactor(_secret(key_of(case.operation.schema.config, case)))
    response.content = redactor.content(response.content or b"")
    response.headers = {name: [redactor.text(value) for value in values] for name, values in response.headers.items()}


# --- the document -----------------------------------------------------------------------------------------------------


@schemathesis.hook
def before_load_schema(_context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Mend the published document, or a larger one that says the same of the queue, by its errata.

    A refusal is described without its body: that it is an ErrorResponse is a ``should``.
    """
    published, corrected = load_document(), load_corrected()
    for place in (("components", "schemas", "QueueItem"), ("paths", "/api/queue", "get", "responses")):
        *above, last = place
        parent = _at(raw_schema, above)
        if parent is not None and parent.get(last) == _at(published, place):
            parent[last] = _at(corrected, place)
            if last == "responses":
                parent[last] |= {str(status): {"description": "Refused"} for status in REFUSALS}


def _at(document: Any, place: tuple[str, ...] | list[str]) -> Any:
    for name in place:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


@schemathesis.hook
def after_load_schema(_context: HookContext, schema: BaseSchema) -> None:
    """Have no method made up that writes; ask for no authentication where no key was given."""
    if not _may_write():
        coverage = schema.config.phases.coverage
        coverage.unexpected_methods = coverage.unexpected_methods & {method.lower() for method in SAFE_METHODS}
    if key_of(schema.config) is None:
        schema.raw_schema.pop("security", None)


@schemathesis.hook
def filter_failure(_context: HookContext, failure: Failure, _case: Case[Any], response: Response) -> bool:
    """Drop what built-in checks hold against a server that keeps the contract."""
    if isinstance(failure, AllowHeaderMismatch):  # the document is an excerpt: ComfyUI takes POST there too
        return bool(failure.missing_methods)
    if isinstance(failure, ServerError | UndefinedStatusCode):
        status = response.status_code
        return status not in NOT_NOW and not (status == NOT_IMPLEMENTED and response.request.method == "OPTIONS")
    return TOO_DEEP not in failure.message


# --- the wire ---------------------------------------------------------------------------------------------------------


class WriteRefused(requests.RequestException):
    """A method that writes was to be sent."""


class OutOfBounds(requests.RequestException):
    """An answer is too large or takes too long as a whole."""


def _may_write() -> bool:
    return os.environ.get(ALLOW_WRITES) == "1"


class _Bounded(BaseAdapter):
    """Sends only what reads, and reads no more of the answer than the bounds allow."""

    def __init__(self, adapter: BaseAdapter) -> None:
        super().__init__()
        self._adapter = adapter

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        if request.method not in SAFE_METHODS and not _may_write():
            raise WriteRefused(f"{request.method} was not sent: it may write. {ALLOW_WRITES}=1 allows it")
        timeout = options.get("timeout")
        seconds = timeout if isinstance(timeout, int | float) else _BOUNDS.exchange_timeout
        began = time.monotonic()
        outcome: SimpleQueue[requests.Response | Exception] = SimpleQueue()

        def ask() -> None:
            try:
                response = self._adapter.send(request, **{**options, "stream": True})
                response.raw = _read(response, began, seconds)
                outcome.put(response)
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                outcome.put(error)

        Thread(target=ask, daemon=True).start()  # a head that comes byte by byte outlasts every time-out of a read
        try:
            found = outcome.get(timeout=seconds)
        except Empty:
            found = OutOfBounds(f"no whole answer within {seconds:g} s", request=request)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        self._adapter.close()


def _read(response: requests.Response, began: float, seconds: float) -> HTTPResponse:
    """Return the body, whole. Raises what ``requests`` raises, and OutOfBounds."""
    raw: HTTPResponse = response.raw
    content = bytearray()
    try:
        while piece := raw.read1(_PIECE, decode_content=True):
            content += piece
            if len(content) > _BOUNDS.max_body:
                raise OutOfBounds(f"the body is larger than {_BOUNDS.max_body:,} bytes", request=response.request)
            if time.monotonic() - began > seconds:
                raise OutOfBounds(f"no whole answer within {seconds:g} s", request=response.request)
    except ReadTimeoutError as error:
        raise requests.ReadTimeout(error, request=response.request) from error
    except ProtocolError as error:
        raise requests.exceptions.ChunkedEncodingError(error, request=response.request) from error
    except DecodeError as error:
        raise requests.exceptions.ContentDecodingError(error, request=response.request) from error
    finally:
        if not raw.closed:  # neither read to its end nor of any more use
            raw.close()
    whole = HTTPResponse(
        BytesIO(content), raw.headers, raw.status, raw.version, reason=raw.reason, preload_content=False,
        enforce_content_length=False,
    )  # fmt: skip
    whole.CONTENT_DECODERS = []  # it is decoded already
    return whole


_adapter_of = SameHostRedirectsSession.get_adapter


def _bounded_adapter_of(session: requests.Session, url: str) -> BaseAdapter:
    return _Bounded(_adapter_of(session, url))


def _loads(text: str | bytes) -> Any:
    """Parse, or say that the nesting is too deep in the way that Schemathesis expects."""
    try:
        return json.loads(text)
    except RecursionError:
        raise json.JSONDecodeError(TOO_DEEP, "", 0) from None


# All of Schemathesis' sessions derive from this class, and nobody else's do.
SameHostRedirectsSession.get_adapter = _bounded_adapter_of  # type: ignore[assignment, method-assign]
# The two modules that parse answers.
for _module in (transport, observations):
    vars(_module)["json"] = SimpleNamespace(loads=_loads, JSONDecodeError=json.JSONDecodeError)


# --- the last lines of st run -----------------------------------------------------------------------------------------


def summary() -> Iterator[str]:
    """Say what was judged, what a ``should`` found that fails nobody, and what was not seen."""
    yield f"Queue contract: {TALLY.judged} answers judged by the clauses that speak of one answer."
    if TALLY.should:
        found = (f"{name} ({len(TALLY.broken[name])})" for name in sorted(TALLY.should))
        yield f"  ⚠️  broken, and no failure unless fail_on_should: {', '.join(found)}"
    unseen = [clause.id for clause in CATALOGUE if clause.core and clause.over and clause.id not in TALLY.seen]
    if unseen:
        rest = f" and {len(unseen) - NAMED} more" if len(unseen) > NAMED else ""
        yield f"  ⚠️  inconclusive: nothing was seen of {', '.join(unseen[:NAMED])}{rest}"


def _add_to_summary() -> None:
    from schemathesis import cli
    from schemathesis.engine.events import EngineFinished

    class Summary(cli.EventHandler[Any]):
        def handle_event(self, ctx: ExecutionContext, event: EngineEvent) -> None:
            if isinstance(event, EngineFinished):
                for line in summary():
                    ctx.add_summary_line(line)

    cli.handler()(Summary)


if "schemathesis.cli" in sys.modules:  # pytest loads hooks too, and has no use for the command line
    _add_to_summary()
