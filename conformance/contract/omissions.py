"""Possible requirements on the endpoint that the suite does not check, each with the reason."""

from __future__ import annotations

from typing import Final

TOLERANCE: Final = "allowed, not required: the suite accepts servers that do so, and its tests show that"
INFORMATION: Final = "neither the OpenAPI document nor an RFC requires or forbids it"

LEFT_OUT: Final[dict[str, tuple[str, str]]] = {
    "ENV-08": ("unknown top-level members are tolerated", TOLERANCE),
    "ENV-09": (
        "the body validates against the published schema",
        "the published oneOf rejects every real job: a mistake in the OpenAPI document, which never decides a verdict",
    ),
    "ENV-10": (
        "the body validates against the repaired schema",
        "the schema has the same rules as the item clauses; responses to generated requests are also checked against it",
    ),
    "ENV-11": (
        "the body validates against upstream's later schema",
        "the only rule of that schema, five elements, is the clause item.five-elements",
    ),
    "ENV-12": ("each element of a job is valid by a schema for its position", "the same rules as the item clauses"),
    "TUP-03": (
        "every element is an integer, string, object or array of strings",
        "follows from the clauses of the five positions, which are stricter",
    ),
    "TUP-13": (
        "prompt_id is not the nil UUID, and has valid version and variant bits",
        "the OpenAPI document says UUID, and RFC 9562 includes the nil UUID and every version",
    ),
    "TUP-26": ("further metadata members are tolerated", TOLERANCE),
    "REF-06": (
        "job_number equals the index in the list",
        "the OpenAPI document does not say whether running jobs count, so gaps are allowed",
    ),
    "REF-08": ("queue_running has at most as many jobs as the plan's concurrency", INFORMATION),
    "REF-15": (
        "GET /api/jobs gives the same create_time",
        "the OpenAPI document says seconds for GET /api/jobs, and servers send milliseconds: no rule of the queue decides it",
    ),
    "REF-16": (
        "/queue and /api/queue agree",
        "the OpenAPI document names only /api/queue; use --queue-path to check the other",
    ),
    "JSN-09": (
        "integers beyond 2^53 in a submitted workflow are listed with the same digits",
        "RFC 8259 §6 lets a server read them as doubles, so the suite submits none",
    ),
    "HTT-11": (
        "a body on GET causes no 5xx",
        "RFC 9110 §9.3.1 tells clients not to send a body with GET; proxies may take it for request smuggling",
    ),
    "HTT-16": (
        "the response arrives within a time budget",
        "the OpenAPI document sets no time limit; the report shows the median and the 95th percentile",
    ),
    "HTT-17": (
        "http redirects to https or refuses",
        "checking this would send requests to another origin than the target",
    ),
    "HTT-18": (
        "parallel reads all conform",
        "not a separate rule: the suite sends four GETs at once and checks their responses like all others",
    ),
    "HTT-19": (
        "a second request on the connection works",
        "a server may close at any time (RFC 9112 §9.5); a lost request is sent again, and the report lists both attempts",
    ),
    "MTH-03": (
        "PUT, PATCH and DELETE are refused",
        "never sent, not even with --allow-writes: a server that obeys DELETE could empty the queue",
    ),
    "MTH-07": ("TRACE does not echo request headers", "never sent, not even with --allow-writes"),
    "MTH-08": ("an unknown method is refused", "never sent, not even with --allow-writes"),
    "MTH-10": ("method override headers are ignored", "a server that obeys such headers would change its queue"),
    "AUT-08": (
        "a key in query, cookie or body is not accepted",
        "checking this would put the user's key where servers log it",
    ),
    "AUT-10": ("OPTIONS needs no key", INFORMATION),
    "AUT-11": ("two users see disjoint queues", "needs a second user's key"),
    "ERR-07": ("further members of an error are tolerated", TOLERANCE),
    "ERR-08": ("code is a stable token", "the OpenAPI document defines neither values nor a format for code"),
    "ERR-12": ("429 makes a run inconclusive", "a rule of the verdict: see docs/rulings.md"),
    "ERR-16": (
        "an unknown path below the queue is 404",
        "OpenAPI says nothing about paths that are not in the document",
    ),
    "COR-03": ("cross-origin refusals are 4xx", INFORMATION),
    "LIF-22": (
        "the suite leaves the queue as it found it",
        "a rule for the suite, not for the server: see docs/populate.md",
    ),
    "PRI-03": ("Server and X-Powered-By versions", "the report lists the headers of every response"),
    "DOC-01": (
        "the vendored YAML is valid OpenAPI 3.0.3",
        "about the OpenAPI document, not the server: tests/spec/test_document.py checks it",
    ),
    "DOC-02": (
        "the vendored excerpt equals upstream",
        "about the OpenAPI document, not the server: `comfy-conformance drift` checks it",
    ),
    "DOC-03": (
        "the branches of oneOf exclude each other",
        "a known defect of the OpenAPI document: tests/spec/test_document.py shows it",
    ),
    "DOC-04": (
        "the example in the description of QueueItem is valid by its schema",
        "a known defect of the OpenAPI document: tests/spec/test_document.py shows it",
    ),
    "DOC-05": (
        "secured operations declare 401",
        "a known defect of the OpenAPI document: tests/spec/test_document.py shows it",
    ),
    "DOC-06": (
        "500 is not described as 400",
        "a known defect of the OpenAPI document: tests/spec/test_document.py shows it",
    ),
    "DOC-07": (
        "both lists are required",
        "a known defect of the OpenAPI document: tests/spec/test_document.py shows it",
    ),
}
"""By id: the possible requirement, and why it is not a clause."""
