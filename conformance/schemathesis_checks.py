"""The clauses as a check of Schemathesis, for people who run ``st run`` themselves.

    SCHEMATHESIS_HOOKS=conformance.schemathesis_checks st run "$(comfy-conformance clauses --document)" --url http://…

Importing this module registers the check ``QueueContract`` and hooks: the published document is read with its errata,
methods that nobody declared are not made up if they write, and the key is blotted out of responses. It uses only what
Schemathesis documents: it can neither bound a response nor promise that nothing is written (docs/schemathesis.md).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import schemathesis
from schemathesis.core.failures import Failure, FailureGroup, ServerError, Severity
from schemathesis.openapi.checks import AllowHeaderMismatch, UndefinedStatusCode

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clauses.method import NOT_IMPLEMENTED
from conformance.contract.conversation import NOT_NOW, OK, REFUSALS
from conformance.contract.terms import Dialect
from conformance.exchange.model import Credential, Exchange, Request
from conformance.exchange.model import Response as Answered
from conformance.exchange.recordings import is_queue, redact
from conformance.exchange.redactor import Redactor
from conformance.exchange.secrets import SHORTEST_KEY, Secret
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult, Status
from conformance.probe.client import KEY_HEADER
from conformance.probe.requests import SAFE_METHODS
from conformance.render.st import Tally, summary, told
from conformance.spec.document import mend

if TYPE_CHECKING:
    from schemathesis import Case, Response
    from schemathesis.checks import CheckContext

SCHEME: Final = "ApiKeyAuth"
"""The document's name for the key, and so the one in ``[auth.openapi.ApiKeyAuth]``."""
_OVER_ONE_ANSWER: Final = frozenset(clause.id for clause in CATALOGUE if clause.over is not None)


class Breach(Failure):
    """A clause that an answer breaks. One for each clause, however many answers break it."""

    code: ClassVar[str] = "QC"
    checks: ClassVar[tuple[str, ...]] = ("QueueContract",)
    kind_title: ClassVar[str] = "Contract of GET /api/queue broken"

    __slots__ = ("clause",)

    def __init__(self, found: ClauseResult, case: Case[Any]) -> None:
        severity = Severity.HIGH if found.status is Status.FAIL else Severity.LOW
        title, message = f"{found.id} ({found.level}): {found.title}", "\n".join(told(found))
        super().__init__(
            operation=case.operation.label, title=title, message=message, case_id=case.id, severity=severity
        )
        self.clause = found.id

    @property
    def _unique_key(self) -> str:
        return self.clause


TALLY: Final = Tally()


class _Received(NamedTuple):
    """A response as it was received, which is kept alive so that its ``id`` stays its own."""

    response: Response
    content: bytes
    headers: Mapping[str, list[str]]


KEPT: Final = 64
"""Responses that repeat a key and wait to be judged: one for each worker of Schemathesis."""
_RECEIVED: Final[dict[int, _Received]] = {}


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
    sent = tuple(
        (str(name), value.decode("latin-1") if isinstance(value, bytes) else value)
        for name, value in asked.headers.items()
    )
    given = key_of(case.operation.schema.config, case)
    url, credential = asked.url or "", _credential(asked.headers.get(KEY_HEADER), given)
    shown = Redactor(_secret(given)).text(url)
    request = Request(asked.method or case.method, shown, redact(sent), "st run", credential, is_queue(url))
    received = _RECEIVED.pop(id(response), None) or _Received(response, response.content, response.headers)
    headers = tuple((name, value) for name, values in received.headers.items() for value in values)
    redactor = Redactor(_secret(given))
    answered = Answered(
        response.status_code,
        headers,
        received.content,
        http_version=f"HTTP/{response.http_version}",
        echoes=redactor.echoes(headers, received.content),
    )
    started = time.time() - response.elapsed
    return Exchange(case.id, request, answered, started=started, elapsed=response.elapsed, redactor=redactor)


def _credential(sent: object, given: str | None) -> Credential:
    """Tell the user's key from the ones that Schemathesis makes up. Where none was given, all are as good."""
    if given is None or (sent is not None and sent == given):
        return Credential.GIVEN
    if sent is None:
        return Credential.NONE
    return Credential.WRONG if sent else Credential.EMPTY


def key_of(config: Any, case: Case[Any] | None = None) -> str | None:
    """Return the key that the user gave, by ``-H``, ``headers`` or ``[auth.openapi.ApiKeyAuth]``."""
    for name, value in config.headers_for(operation=None if case is None else case.operation).items():
        if name.lower() == KEY_HEADER.lower():
            return str(value)
    key = getattr(config.auth.openapi.schemes.get(SCHEME), "api_key", None)
    return str(key) if key else None


def _secret(key: str | None) -> Secret | None:
    return Secret(key) if key is not None and len(key) >= SHORTEST_KEY else None


@schemathesis.hook
def after_call(_context: Any, case: Case[Any], response: Response) -> None:
    """Take the user's key out of a response that repeats it, before Schemathesis shows it. It is judged as received."""
    redactor = Redactor(_secret(key_of(case.operation.schema.config, case)))
    received = _Received(response, response.content or b"", response.headers)
    response.content = redactor.content(received.content)
    response.headers = {name: [redactor.text(value) for value in values] for name, values in received.headers.items()}
    if (response.content, response.headers) != received[1:]:
        while len(_RECEIVED) >= KEPT:  # responses of other operations, which are not judged
            _RECEIVED.pop(next(iter(_RECEIVED)), None)
        _RECEIVED[id(response)] = received


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """Mend the published document, or a larger one that says the same of the queue, by its errata.

    A refusal is described without its body: that it is an ErrorResponse is a ``should``.
    """
    mend(raw_schema, {str(status): {"description": "Refused"} for status in REFUSALS})


@schemathesis.hook
def after_load_schema(_context: Any, schema: Any) -> None:
    """Make up no method that writes; ask for no authentication if no key was given."""
    coverage = schema.config.phases.coverage
    coverage.unexpected_methods = coverage.unexpected_methods & {method.lower() for method in SAFE_METHODS}
    if key_of(schema.config) is None:
        schema.raw_schema.pop("security", None)


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, _case: Case[Any], response: Response) -> bool:
    """Drop what built-in checks hold against a server that keeps the contract."""
    if isinstance(failure, AllowHeaderMismatch):  # the document is an excerpt: ComfyUI takes POST there too
        return bool(failure.missing_methods)
    if isinstance(failure, ServerError | UndefinedStatusCode):
        status = response.status_code
        return status not in NOT_NOW and not (status == NOT_IMPLEMENTED and response.request.method == "OPTIONS")
    return True


def _add_to_summary() -> None:
    from schemathesis import cli
    from schemathesis.engine.events import EngineFinished

    class Summary(cli.EventHandler[Any]):
        def handle_event(self, ctx: Any, event: Any) -> None:
            if isinstance(event, EngineFinished):
                for line in summary(TALLY):
                    ctx.add_summary_line(line)

    cli.handler()(Summary)


if "schemathesis.cli" in sys.modules:  # pytest loads hooks too, and has no use for the command line
    _add_to_summary()
