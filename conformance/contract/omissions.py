"""Known facts about the endpoint that are not clauses, each with the reason."""

from __future__ import annotations

from typing import Final

TOLERANCE: Final = (
    "a tolerance, not a demand: shown by a conforming variant of the reference endpoint that no clause accuses"
)
INFORMATION: Final = "information, not a rule: nothing in the document or an RFC is broken either way"

LEFT_OUT: Final[dict[str, tuple[str, str]]] = {
    "ENV-08": ("unknown top-level members are tolerated", TOLERANCE),
    "ENV-09": (
        "the body validates against the published schema",
        "the published oneOf rejects every real job: an erratum of the document, which never decides a verdict",
    ),
    "ENV-10": (
        "the body validates against the repaired schema",
        "the same rules as the item clauses, said by another tool",
    ),
    "ENV-11": (
        "the body validates against upstream's later schema",
        "its one rule, five elements, is item.five-elements",
    ),
    "ENV-12": ("the body validates against a strict positional schema", "the same rules as the item clauses"),
    "TUP-03": (
        "every element is an integer, string, object or array of strings",
        "follows from the clauses of the five positions, which say which of them it must be",
    ),
    "TUP-13": (
        "prompt_id is not the nil UUID; version and variant bits",
        "the document says UUID, and RFC 9562 counts the nil UUID and every version among them",
    ),
    "TUP-26": ("further metadata members are tolerated", TOLERANCE),
    "REF-06": (
        "job_number equals the index in the list",
        "the document does not say whether running jobs count: gaps are fine",
    ),
    "REF-08": ("queue_running is no longer than the plan's concurrency", INFORMATION),
    "REF-15": (
        "GET /api/jobs gives the same create_time",
        "the document says seconds there, and servers send milliseconds: the one or the other breaks nothing here",
    ),
    "REF-16": ("/queue and /api/queue agree", "the document names /api/queue alone; --queue-path checks the other"),
    "JSN-09": (
        "integers beyond 2^53 survive as digits",
        "RFC 8259 §6 lets a reader take them for doubles: none is submitted",
    ),
    "HTT-11": (
        "a body on GET causes no 5xx",
        "RFC 9110 §9.3.1 tells clients not to send one; proxies may take it for smuggling",
    ),
    "HTT-16": ("the answer comes within the time budget", "no time is promised; the report shows p50 and p95"),
    "HTT-17": ("http redirects to https or refuses", "asks another origin than the target"),
    "HTT-18": (
        "parallel reads all conform",
        "no rule of its own: four reads are sent at once, and judged like all others",
    ),
    "HTT-19": (
        "a second request on the connection works",
        "a server may close at any time (RFC 9112 §9.5); a request lost to it is sent again, both attempts are in the ledger",
    ),
    "MTH-03": (
        "PUT, PATCH and DELETE are refused",
        "not sent with leave to write either: a DELETE that is heeded could empty the queue",
    ),
    "MTH-07": ("TRACE does not echo request headers", "not sent, with leave to write or without"),
    "MTH-08": ("an unknown method is refused", "not sent, with leave to write or without"),
    "MTH-10": ("method override headers are ignored", "where they are not, asking would write"),
    "AUT-08": ("a key in query, cookie or body is not accepted", "would put the user's key where servers log it"),
    "AUT-10": ("OPTIONS needs no key", INFORMATION),
    "AUT-11": ("two users see disjoint queues", "needs a second user's key"),
    "ERR-07": ("further members of an error are tolerated", TOLERANCE),
    "ERR-08": ("code is a stable token", "the document gives code no vocabulary and no form"),
    "ERR-12": ("429 makes a run inconclusive", "a rule for the verdict, and kept there"),
    "ERR-16": ("an unknown path below the queue is 404", "OpenAPI says nothing of paths that a document does not name"),
    "COR-03": ("cross-origin refusals are 4xx", INFORMATION),
    "LIF-22": (
        "the suite leaves the queue as it found it",
        "a rule for the suite, and kept there: see docs/populate.md",
    ),
    "PRI-03": ("Server and X-Powered-By versions", "every answer's headers stand in the report"),
    "DOC-01": (
        "the vendored YAML is valid OpenAPI 3.0.3",
        "of the document, not of a server: tests/spec/test_document.py",
    ),
    "DOC-02": ("the vendored excerpt equals upstream", "of the document: a comparison needs the network"),
    "DOC-03": (
        "the branches of oneOf exclude each other",
        "a known defect of the document: tests/spec/test_document.py",
    ),
    "DOC-04": ("the prose example passes the schema", "a known defect of the document: tests/spec/test_document.py"),
    "DOC-05": ("secured operations declare 401", "a known defect of the document: tests/spec/test_document.py"),
    "DOC-06": ("500 is not described as 400", "a known defect of the document: tests/spec/test_document.py"),
    "DOC-07": ("both lists are required", "a known defect of the document: tests/spec/test_document.py"),
}
"""By the id of the fact: what it says, and why it is not a clause."""
