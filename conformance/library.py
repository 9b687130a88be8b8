"""The library: ``conformance.validate`` for a body that is there, ``conformance.check`` for a server. No pytest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from conformance.contract import BY_ID, CATALOGUE, Clause, Finding, Level
from conformance.contract.answer import Answer
from conformance.contract.skim import Skimmed
from conformance.dialect import Demand, Dialect
from conformance.exchange import Exchange, Request, Response

if TYPE_CHECKING:
    from conformance.report.model import Report

Body = bytes | bytearray | memoryview
_PLACES: Final = {name: place for place, name in enumerate(BY_ID)}
_ASKED: Final = Request("GET", "body:///api/queue", purpose="a body")


class Validator:
    """Says what breaks the contract in bodies of ``GET /api/queue``, answered with 200.

    ``dialect`` is ``cloud`` (the published document), ``oss`` (ComfyUI's own order) or ``auto`` (told by element 3 of
    the first job that tells it). ``must_only`` leaves out every `should`: then nothing inside workflows is built, and
    a body costs about as much as to read its bytes. Raises ValueError for another dialect.

    Make it once and use it from as many threads as you like: it holds nothing of any body.
    """

    def __init__(self, dialect: Dialect | str = Dialect.CLOUD, *, must_only: bool = False) -> None:
        if dialect not in set(Dialect):
            raise ValueError(f"dialect is {dialect!r}: cloud, oss or auto")
        self._demand = Demand.of(Dialect(dialect))
        self._must_only = must_only
        self._brief = None if must_only else Validator(dialect, must_only=True)

    def validate(self, body: Body) -> tuple[Finding, ...]:
        """Return the breaches, clause by clause, in the order of the catalogue; none where the body conforms.

        Each names its ``clause`` (``comfy-conformance explain`` has the reason) and ``level``, and points into the
        body. What needs headers or a clock is not asked. A body that nests deeper than is read (``json.nesting``) is
        asked every `must` all the same: none of them looks into workflows. Never raises for what stands in the body;
        TypeError where it is no bytes.
        """
        if not isinstance(body, Body):
            raise TypeError(f"body is {type(body).__name__}: give the bytes of the answer")
        content = bytes(body)
        reading = Skimmed(content, self._demand, must_only=self._must_only)
        if self._demand.open and (told := reading.order) is not None:
            reading = Skimmed(content, Demand.told_by(*told), must_only=self._must_only)
        clauses = _asked(reading.demand.dialect, reading.demand.read_as, must_only=self._must_only)
        if reading.keeps(clauses.keys()):
            return ()
        found = tuple(_findings(clauses, content, reading))
        if self._brief is None or not reading.outline.document.too_deep:
            return found
        should = (finding for finding in found if finding.level is not Level.MUST)
        return tuple(sorted((*should, *self._brief.validate(content)), key=lambda finding: _PLACES[finding.clause]))


def validate(body: Body, *, dialect: Dialect | str = Dialect.CLOUD, must_only: bool = False) -> tuple[Finding, ...]:
    """Return what breaks the contract in a body of ``GET /api/queue`` that was answered with 200: see ``Validator``."""
    return _validator(dialect, must_only=must_only).validate(body)


@cache
def _validator(dialect: Dialect | str, *, must_only: bool) -> Validator:
    return Validator(dialect, must_only=must_only)


@cache
def _asked(dialect: Dialect, read_as: Dialect, *, must_only: bool) -> Mapping[str, tuple[Clause, Level]]:
    """Return the clauses of a body, by id, with their levels under a dialect."""
    demand = Demand(dialect, read_as, "")
    levels = ((clause, clause.level_in(demand)) for clause in CATALOGUE if clause.of_body or clause.subject == "json")
    found = ((clause, level) for clause, level in levels if level is not None)
    return MappingProxyType({
        clause.id: (clause, level) for clause, level in found if level is Level.MUST or not must_only
    })  # fmt: skip


def _findings(clauses: Mapping[str, tuple[Clause, Level]], content: bytes, reading: Skimmed) -> Iterator[Finding]:
    response = Response(200, content=content, head=False)
    answer = Answer(Exchange("body", _ASKED, response), response, reading)
    for clause, level in clauses.values():
        assert clause.over is not None
        for subject in clause.over(answer.left(clause)[1]):
            for finding in clause.check(subject):
                yield finding._replace(clause=clause.id, level=level)


def check(  # noqa: PLR0913 - one parameter for each thing that may be chosen
    url: str,
    *,
    api_key: str | None = None,
    dialect: Dialect | str = Dialect.CLOUD,
    queue_path: str = "/api/queue",
    headers: Mapping[str, str] = MappingProxyType({}),
    allow_plain_http_key: bool = False,
    ca_bundle: str | Path | None = None,
    client_cert: str | Path | None = None,
    insecure: bool = False,
    redact_workflows: bool = False,
    show_workflows: bool = False,
    wait_for_items: float = 0.0,
    properties: bool = False,
    seed: int | None = None,
    deadline: float = 120.0,
) -> Report:
    """Ask a server some forty times, as ``comfy-conformance check`` does, and return the report. Nothing is written.

    ``url`` is the base URL, such as ``http://127.0.0.1:8188``, or ``embedded`` for the reference endpoint; the
    parameters are the options of that command (README has the table), ``headers`` those that a gateway wants. The
    environment is not looked at. ``report.verdict`` is the verdict, ``report.clauses`` holds the result of each clause.
    ``deadline`` and ``wait_for_items`` are in seconds. May be called where an event loop runs; it blocks all the same.

    Raises ``conformance.settings.UsageProblem`` for what cannot be run, in one line that says what to do.
    """
    from conformance import run
    from conformance.settings import make_settings

    environ = {f"headers[{name!r}]": value for name, value in headers.items()}
    if api_key is not None:
        environ["api_key"] = api_key
    settings = make_settings(
        environ, target=url, api_key_env=None if api_key is None else "api_key", no_key=api_key is None,
        header=[f"{name}=headers[{name!r}]" for name in headers], dialect=dialect, queue_path=queue_path,
        allow_plain_http_key=allow_plain_http_key, ca_bundle=ca_bundle, client_cert=client_cert, insecure=insecure,
        redact_workflows=redact_workflows, show_workflows=show_workflows,
        wait_for_items=wait_for_items, properties=properties, seed=seed, bounds={"deadline": deadline},
    )  # fmt: skip
    return run.check(settings)
