"""The clauses as a Schemathesis check, for your own ``st run``.

    SCHEMATHESIS_HOOKS=conformance.schemathesis_checks st run "$(comfy-conformance clauses --document)" --url http://…

Importing this module registers the check ``QueueContract`` and some hooks: the published document is read with its
errata, undeclared methods that write are not generated, and the key is redacted in responses. It uses only documented
features of Schemathesis, so it can neither limit a response nor guarantee that nothing is written
(docs/schemathesis.md).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final

import schemathesis
from schemathesis.core.failures import Failure, FailureGroup, ServerError, Severity
from schemathesis.openapi.checks import AllowHeaderMismatch, UndefinedStatusCode

from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clauses.method import NOT_IMPLEMENTED
from conformance.contract.conversation import NOT_NOW, OK, REFUSALS
from conformance.contract.terms import Dialect
from conformance.exchange.generated import Received, exchange_of, redactor_of
from conformance.exchange.secrets import KEY_HEADER
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult, Status
from conformance.probe.requests import SAFE_METHODS
from conformance.render.st import Tally, summary, told
from conformance.spec.document import mend

if TYPE_CHECKING:
    from schemathesis import Case, Response
    from schemathesis.checks import CheckContext

SCHEME: Final = "ApiKeyAuth"
"""The document's name for the key, as in ``[auth.openapi.ApiKeyAuth]``."""
_OVER_ONE_ANSWER: Final = frozenset(clause.id for clause in CATALOGUE if clause.over is not None)


class Breach(Failure):
    """A clause that a response breaks. There is one for each clause, however many responses break it."""

    code: ClassVar[str] = "QC"
    checks: ClassVar[tuple[str, ...]] = ("QueueContract",)
    kind_title: ClassVar[str] = "Contract of GET /api/queue broken"

    __slots__ = ("clause",)

    def __init__(self, found: ClauseResult, case: Case[Any]) -> None:
        severity = Severity.HIGH if found.status is Status.FAIL else Severity.LOW
        title, message = f"{found.id} ({found.level}: {found.title})", "\n".join(told(found))
        super().__init__(
            operation=case.operation.label, title=title, message=message, case_id=case.id, severity=severity
        )
        self.clause = found.id

    @property
    def _unique_key(self) -> str:
        return self.clause


TALLY: Final = Tally()


KEPT: Final = 64
"""Responses that repeat a key and are not judged yet: one for each worker of Schemathesis."""
_RECEIVED: Final[dict[int, Received]] = {}


@schemathesis.check
class QueueContract:
    """Judges each response of the queue by every clause about single responses.

    ``[checks.QueueContract]`` of ``schemathesis.toml`` sets ``fail_on_should`` (a broken ``should`` fails too) and
    ``dialect`` (``cloud``, ``oss`` or ``auto``). Raises ValueError for another dialect.
    """

    def __init__(self, dialect: str = Dialect.CLOUD, fail_on_should: bool = False) -> None:  # noqa: FBT001, FBT002 - Schemathesis passes both by name
        self._dialect = Dialect(dialect)
        self._failing = {Status.FAIL, Status.WARN} if fail_on_should else {Status.FAIL}

    def after_response(self, _ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
        """Judge one response. Returns True for a skipped response of another operation.

        Raises FailureGroup with a ``Breach`` for each clause, and RuntimeError if the suite itself fails.
        """
        received = _RECEIVED.pop(id(response), None) or Received(response, response.content, response.headers)
        exchange = exchange_of(received, case.id, key_of(case.operation.schema.config, case))
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
        """Raise AssertionError if the queue was never shown, because Schemathesis would report a pass."""
        if TALLY.judged and not TALLY.served:
            raise AssertionError("No read was answered 200, so nothing was checked. Is a key required?")


def key_of(config: Any, case: Case[Any] | None = None) -> str | None:
    """Return the user's key from ``-H``, ``headers`` or ``[auth.openapi.ApiKeyAuth]``."""
    for name, value in config.headers_for(operation=None if case is None else case.operation).items():
        if name.lower() == KEY_HEADER.lower():
            return str(value)
    key = getattr(config.auth.openapi.schemes.get(SCHEME), "api_key", None)
    return str(key) if key else None


@schemathesis.hook
def after_call(_context: Any, case: Case[Any], response: Response) -> None:
    """Redact the user's key in a response before Schemathesis shows it. The response is judged as received."""
    redactor = redactor_of(key_of(case.operation.schema.config, case))
    received = Received(response, response.content or b"", response.headers)
    response.content = redactor.content(received.content)
    response.headers = {name: [redactor.text(value) for value in values] for name, values in received.headers.items()}
    if (response.content, response.headers) != received[1:]:
        while len(_RECEIVED) >= KEPT:  # responses of other operations are not judged
            _RECEIVED.pop(next(iter(_RECEIVED)), None)
        _RECEIVED[id(response)] = received


@schemathesis.hook
def before_load_schema(_context: Any, raw_schema: dict[str, Any]) -> None:
    """Correct the published document, or a larger one with the same description of the queue, by the errata.

    The body of a refusal is not described, because it is an ErrorResponse only by a ``should``.
    """
    mend(raw_schema, {str(status): {"description": "Refused"} for status in REFUSALS})


@schemathesis.hook
def after_load_schema(_context: Any, schema: Any) -> None:
    """Generate no method that writes, and demand no authentication if no key was given."""
    coverage = schema.config.phases.coverage
    coverage.unexpected_methods = coverage.unexpected_methods & {method.lower() for method in SAFE_METHODS}
    if key_of(schema.config) is None:
        schema.raw_schema.pop("security", None)


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, _case: Case[Any], response: Response) -> bool:
    """Drop failures of built-in checks that do not break the contract."""
    if isinstance(failure, AllowHeaderMismatch):  # the document is an excerpt, and ComfyUI accepts POST there too
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


if "schemathesis.cli" in sys.modules:  # pytest loads hooks too, without the command line
    _add_to_summary()
