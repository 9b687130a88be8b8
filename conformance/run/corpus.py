"""Write a corpus of HTTP responses with expected results, to test validators and clients in any language.

It has one response of every conforming variant of the reference endpoint, and one of every fault that a single response
can show. The files are plain HTTP and JSON. The expected result is what ``comfy-conformance judge`` reports for the
response.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, NamedTuple
from urllib.parse import urlencode

from conformance.contract.terms import Dialect
from conformance.exchange.model import Credential, Exchange
from conformance.exchange.recordings import read
from conformance.judge.build import report_on_exchanges
from conformance.judge.judging import Judging
from conformance.judge.report import Report, Status
from conformance.probe.asker import READ
from conformance.probe.client import USER_AGENT
from conformance.probe.plan import AT_THE_END, VARIATIONS
from conformance.probe.requests import Ask
from conformance.properties.families import families
from conformance.reference.app import Reference
from conformance.reference.faults import FAULTS
from conformance.reference.faults.registry import Fault
from conformance.reference.message import IncomingRequest
from conformance.reference.variants import VARIANTS, Variant
from conformance.spec.document import DOCUMENT_SHA256
from conformance.spec.operation import Described, declaring
from conformance.text.files import write_whole
from conformance.version import __version__

PATH: Final = "/api/queue"
KEY: Final = "a-key-of-the-corpus"
START: Final = 1_795_000_000.25
"""The time of every response, in seconds since the epoch. It is fixed, so that two corpora can be compared."""
READS: Final = 61
"""The number of normal GET requests: enough to show a fault that occurs only now and then."""
_REQUESTS: Final = (*([READ] * READS), Ask("without the key", credential=Credential.NONE), *VARIATIONS, *AT_THE_END)
"""The requests of the fixed plan. ``_probing`` yields the further requests, which the probing overlay declares."""
SCHEMA: Final = Path(__file__).with_name("case.schema.json")
"""The JSON Schema of the JSON file of a case."""


class Case(NamedTuple):
    """One case of the corpus: a request and its response as HTTP bytes. The expected result is computed from them."""

    kind: str
    name: str
    description: str
    dialect: Dialect
    request: bytes
    response: bytes

    @property
    def stem(self) -> str:
        """The name of the case's files, without a suffix."""
        return f"{self.kind}-{self.name}"

    def exchange(self) -> Exchange:
        """Return the request and response as ``judge`` would read them from the files."""
        (exchange,) = read(self.response, name=self.stem, request=self.request)
        return exchange

    def report(self) -> Report:
        """Judge the response, and return the report."""
        return report_on_exchanges([self.exchange()], Judging(dialect=self.dialect), target=self.stem, start=START)


NAMES: Final = (*VARIANTS, *FAULTS)
"""The names of all variants and faults."""


def cases(names: Iterable[str] = NAMES) -> Iterator[Case]:
    """Yield the cases of these variants and faults. A fault has no case if no single response shows it."""
    for name in names:
        if (variant := VARIANTS.get(name)) is not None:
            request, response = next(exchanges(variant, None))
            yield Case("variant", variant.name, variant.summary, Dialect(variant.dialect), request, response)
        if (fault := FAULTS.get(name)) is not None and (found := _first_breach(fault)) is not None:
            yield found


def _first_breach(fault: Fault) -> Case | None:
    """Return the case with the first response that breaks the clause of a fault, or None if no single response does."""
    if not fault.clause or fault.inconclusive:
        return None
    seen = set()
    for request, response in exchanges(VARIANTS[fault.variant], fault):
        if (request, response) in seen:
            continue
        seen.add((request, response))
        case = Case("fault", fault.name, fault.summary, Dialect(fault.dialect), request, response)
        if case.report().clause(fault.clause).breached:
            return case
    return None


def exchanges(variant: Variant, fault: Fault | None) -> Iterator[tuple[bytes, bytes]]:
    """Yield each request with the response of a variant or fault, both as HTTP bytes.

    The requests are those of the fixed plan, then one for each value that ``openapi/probing.overlay.yaml`` declares.
    """
    key = KEY if variant.needs_key else None
    reference = Reference(variant, fault, path=PATH, key=key, clock=lambda: START)
    described = declaring(() if fault is None else fault.declared)
    for request_sent in (*_REQUESTS, *_probing(described)):
        headers = [("Host", "localhost"), ("User-Agent", USER_AGENT), ("Accept", "application/json")]
        own = {name.lower() for name, _ in request_sent.headers}
        headers = [each for each in headers if each[0].lower() not in own]
        headers += [(name, value) for name, value in request_sent.headers if value is not None]
        if key is not None and request_sent.credential is Credential.GIVEN:
            headers.append(("X-API-Key", key))
        target = PATH + (f"?{request_sent.query}" if request_sent.query else "")
        text = "".join(f"{name}: {value}\r\n" for name, value in headers)
        request = f"{request_sent.method} {target} HTTP/1.1\r\n{text}\r\n".encode("latin-1")
        reply = reference.answer(IncomingRequest(request_sent.method, PATH, request_sent.query, tuple(headers)))
        yield request, reply.wire(request_sent.method)


@cache
def _probing(described: Described) -> tuple[Ask, ...]:
    """Return one request for each parameter value in ``openapi/probing.overlay.yaml``, such as a value of Accept."""
    rows = [row for each in families(described.probed, described.path) for row in each.coverage(Random(0))]  # noqa: S311 - not a secret
    return tuple(
        Ask(
            "coverage",
            headers=tuple((name, value) for (place, name), value in row.items() if place == "header"),
            query=urlencode([(name, value) for (place, name), value in row.items() if place == "query"]),
        )
        for row in rows
    )


def case_json(case: Case) -> bytes:
    """Return the content of a case's JSON file: the request, the response and the expected result."""
    exchange, report = case.exchange(), case.report()
    answered = exchange.response
    assert answered is not None
    try:
        encoding, body = "utf-8", answered.content.decode()
    except UnicodeDecodeError:
        encoding, body = "base64", b64encode(answered.content).decode()
    line, *lines = case.request.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _ = line.split(" ")
    broken = [result for result in report.clauses if result.status in (Status.FAIL, Status.WARN)]
    return _json(
        {
            "name": case.name,
            "kind": case.kind,
            "description": case.description,
            "dialect": case.dialect.value,
            "request": {"method": method, "target": target, "headers": [each.split(": ", 1) for each in lines]},
            "response": {
                "file": f"{case.stem}.http",
                "status": answered.status,
                "headers": [list(each) for each in answered.headers],
                "encoding": encoding,
                "body": body,
            },
            "expected": {
                "verdict": report.verdict.value,
                "broken": [
                    {"clause": result.id, "level": result.level, "pointers": [each.pointer for each in result.evidence]}
                    for result in broken
                ],
            },
        }
    )


def write_corpus(directory: Path, names: Iterable[str] = NAMES) -> int:
    """Write the cases into a directory and return their number. Raises OSError if a file cannot be written."""
    directory.mkdir(parents=True, exist_ok=True)
    made = list(cases(names))
    files: dict[Path, bytes] = {directory / SCHEMA.name: SCHEMA.read_bytes(), directory / "corpus.json": _index(made)}
    for case in made:
        files[directory / f"{case.stem}.json"] = case_json(case)
        files[directory / f"{case.stem}.http"] = case.response
        files[directory / f"{case.stem}.req"] = case.request
    write_whole(files)
    return len(made)


def _index(made: Sequence[Case]) -> bytes:
    description = "Each case is one .json file; the .http and .req files hold the same response and request as bytes."
    return _json(
        {
            "description": description,
            "suite_version": __version__,
            "document_sha256": DOCUMENT_SHA256,
            "cases": [f"{case.stem}.json" for case in made],
        }
    )


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
