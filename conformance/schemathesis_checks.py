"""The contract of ``GET /api/queue`` as a Schemathesis check, for your own ``st run``.

    SCHEMATHESIS_HOOKS=conformance.schemathesis_checks st run "$(comfy-conformance clauses --document)" --url http://…

Importing this module registers the check ``QueueContract`` and some hooks. The hooks correct known errors in the
published OpenAPI document, generate no undeclared methods that change data (such as POST), and redact the API key in
responses. The module uses only documented features of Schemathesis. Therefore it cannot limit the size or duration of a
response, and it cannot guarantee that nothing on the server changes (docs/schemathesis.md).
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
from conformance.exchange.from_schemathesis import Received, exchange_of, redactor_of
from conformance.exchange.secrets import KEY_HEADER
from conformance.judge.judge import judge
from conformance.judge.report import ClauseResult, Status
from conformance.probe.requests import SAFE_METHODS
from conformance.render.st import Tally, finding_lines, summary
from conformance.spec.document import apply_errata

if TYPE_CHECKING:
    from schemathesis import Case, Response
    from schemathesis.checks import CheckContext

SCHEME: Final = "ApiKeyAuth"
"""The name of the security scheme for the key in the OpenAPI document, as in ``[auth.openapi.ApiKeyAuth]``."""
_ABOUT_ONE_RESPONSE: Final = frozenset(clause.id for clause in CATALOGUE if clause.over is not None)


class Breach(Failure):
    """A failure for Schemathesis: a response broke a clause.

    However many responses break the clause, Schemathesis lists one failure.
    """

    code: ClassVar[str] = "QC"
    checks: ClassVar[tuple[str, ...]] = ("QueueContract",)
    kind_title: ClassVar[str] = "Contract of GET /api/queue broken"

    __slots__ = ("clause",)

    def __init__(self, found: ClauseResult, case: Case[Any]) -> None:
        severity = Severity.HIGH if found.status is Status.FAIL else Severity.LOW
        title, message = f"{found.id} ({found.level}: {found.title})", "\n".join(finding_lines(found))
        super().__init__(
            operation=case.operation.label, title=title, message=message, case_id=case.id, severity=severity
        )
        self.clause = found.id

    @property
    def _unique_key(self) -> str:
        return self.clause


TALLY: Final = Tally()


KEPT: Final = 64
"""Maximum number of entries in ``_RECEIVED``: one for each worker that Schemathesis can have."""
_RECEIVED: Final[dict[int, Received]] = {}
"""Responses before the redaction of the key, by the ``id()`` of the response object. Each is removed once it is
checked.
"""


@schemathesis.check
class QueueContract:
    """Checks each response of ``GET /api/queue`` against every clause that concerns a single response.

    ``[checks.QueueContract]`` of ``schemathesis.toml`` sets ``fail_on_should`` (a broken ``should`` fails too) and
    ``dialect`` (``cloud``, ``oss`` or ``auto``). Raises ValueError for another dialect.
    """

    def __init__(self, dialect: str = Dialect.CLOUD, fail_on_should: bool = False) -> None:  # noqa: FBT001, FBT002 - Schemathesis passes both by name
        self._dialect = Dialect(dialect)
        self._failing = {Status.FAIL, Status.WARN} if fail_on_should else {Status.FAIL}

    def after_response(self, _ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
        """Check one response. Returns True, which means skipped, for a response of another operation.

        Raises FailureGroup with a ``Breach`` for each broken clause, and RuntimeError if the suite itself fails.
        """
        received = _RECEIVED.pop(id(response), None) or Received(response, response.content, response.headers)
        exchange = exchange_of(received, case.id, key_of(case.operation.schema.config, case))
        if not exchange.request.to_queue:
            return True
        judgement = judge([exchange], self._dialect, only=_ABOUT_ONE_RESPONSE, detected=TALLY.demand)
        if not judgement.demand.open:
            TALLY.demand = judgement.demand
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
        """Raise AssertionError if no GET got a 200 response. Schemathesis would otherwise report a pass."""
        if TALLY.judged and not TALLY.served:
            raise AssertionError("No GET got a 200 response, so nothing was checked. Does the server require a key?")


def key_of(config: Any, case: Case[Any] | None = None) -> str | None:
    """Return the API key that the user set with ``-H``, ``headers`` or ``[auth.openapi.ApiKeyAuth]``, or None."""
    for name, value in config.headers_for(operation=None if case is None else case.operation).items():
        if name.lower() == KEY_HEADER.lower():
            return str(value)
    key = getattr(config.auth.openapi.schemes.get(SCHEME), "api_key", None)
    return str(key) if key else None


@schemathesis.hook
def after_call(_context: Any, case: Case[Any], response: Response) -> None:
    """Redact the user's key in a response before Schemathesis shows it. The clauses still see the original response."""
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
    """Correct known errors in the OpenAPI document before Schemathesis reads it.

    The document may be the published one, or a larger one with the same description of the queue. The bodies of 401 and
    403 responses are left undescribed, because only a ``should`` clause requires them to be an ErrorResponse.
    """
    apply_errata(raw_schema, {str(status): {"description": "Refused"} for status in REFUSALS})


@schemathesis.hook
def after_load_schema(_context: Any, schema: Any) -> None:
    """Generate only methods that change nothing, and require no authentication if the user gave no key."""
    coverage = schema.config.phases.coverage
    coverage.unexpected_methods = coverage.unexpected_methods & {method.lower() for method in SAFE_METHODS}
    if key_of(schema.config) is None:
        schema.raw_schema.pop("security", None)


@schemathesis.hook
def filter_failure(_context: Any, failure: Failure, _case: Case[Any], response: Response) -> bool:
    """Drop failures that Schemathesis's own checks report although the contract allows the response."""
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


if "schemathesis.cli" in sys.modules:  # pytest also loads hooks, but not the command line
    _add_to_summary()
