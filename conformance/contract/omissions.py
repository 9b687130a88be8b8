"""What is no clause, and why: every row of what is known of the endpoint is a clause or stands here.

The ids are those of the first catalogue of facts, kept so that a reader can see that none was lost.
"""

from __future__ import annotations

from typing import Final

WRITES: Final = "needs to write: a default run only reads"
TOLERANCE: Final = (
    "a tolerance, not a demand: shown by a conforming variant of the reference endpoint that no clause accuses"
)
INFORMATION: Final = "information, not a rule: nothing in the document or an RFC is broken either way"
OTHER_OPERATION: Final = "speaks of another operation than GET /api/queue"

CLAUSES_OF: Final[dict[str, tuple[str, ...]]] = {
    "ENV-01": ("status.served", "status.steady"), "ENV-02": ("envelope.object", "envelope.not-an-error"),
    "ENV-03": ("envelope.queue-running.array",), "ENV-04": ("envelope.queue-pending.array",),
    "ENV-05": ("envelope.queue-running.array", "envelope.queue-pending.array"), "ENV-06": ("envelope.both-lists",),
    "ENV-07": ("envelope.both-lists", "envelope.queue-running.array", "envelope.queue-pending.array"),
    "TUP-01": ("item.array",), "TUP-02": ("item.five-elements",),
    "TUP-04": ("item.job-number.number", "item.prompt-id.string", "item.workflow.object", "item.output-node-ids.array",
               "item.metadata.object"),
    "TUP-05": ("item.job-number.number",), "TUP-06": ("item.job-number.integer",), "TUP-07": ("item.job-number.plain",),
    "TUP-08": ("item.job-number.one-based",), "TUP-09": ("item.job-number.safe",), "TUP-10": ("item.prompt-id.string",),
    "TUP-11": ("item.prompt-id.uuid",), "TUP-12": ("item.prompt-id.lower-case",), "TUP-14": ("item.workflow.object",),
    "TUP-15": ("item.workflow.not-empty",), "TUP-16": ("workflow.class-types", "workflow.links"),
    "TUP-17": ("item.output-node-ids.array",), "TUP-18": ("item.output-node-ids.strings",),
    "TUP-19": ("item.output-node-ids.distinct", "item.output-node-ids.not-blank"),
    "TUP-20": ("item.output-node-ids.not-empty",), "TUP-21": ("item.metadata.object",),
    "TUP-22": ("item.create-time.present",), "TUP-23": ("item.create-time.number", "item.create-time.whole"),
    "TUP-24": ("item.create-time.milliseconds",), "TUP-25": ("item.create-time.past",),
    "TUP-27": ("item.element-order",), "TUP-28": ("queue.one-order", "item.element-order"), "TUP-29": ("item.five-elements",),
    "REF-01": ("queue.prompt-ids.distinct",), "REF-02": ("queue.prompt-ids.distinct",),
    "REF-03": ("queue.pending.oldest-first",), "REF-04": ("queue.job-numbers.distinct",),
    "REF-05": ("queue.job-numbers.rising",), "REF-07": ("workflow.output-nodes",), "REF-09": ("reads.job-data",),
    "REF-10": ("reads.job-data",), "REF-11": ("reads.order",),
    "JSN-01": ("json.well-formed",), "JSN-02": ("json.finite-numbers",), "JSN-03": ("json.utf-8", "json.no-bom"),
    "JSN-04": ("json.distinct-names",), "JSN-05": ("json.paired-surrogates",), "JSN-06": ("json.single-text",),
    "JSN-07": ("json.control-characters",), "JSN-10": ("json.nesting", "json.number-range"),
    "HTT-01": ("http.content-type",), "HTT-02": ("http.charset",), "HTT-03": ("http.content-type", "error.content-type"),
    "HTT-04": ("http.framing", "framing.content-length", "framing.line-folding", "framing.status-no-content"),
    "HTT-05": ("http.coding-asked", "http.coding-decodes"), "HTT-06": ("http.vary",),
    "HTT-07": ("http.date",), "HTT-08": ("http.accept", "reads.steady"), "HTT-09": ("http.accept",),
    "HTT-10": ("http.query", "reads.steady"), "HTT-12": ("http.not-modified",), "HTT-13": ("http.range",),
    "HTT-14": ("reads.safe", "reads.steady"), "HTT-15": ("status.served", "status.steady"),
    "MTH-01": ("method.head",), "MTH-02": ("method.head", "framing.head-no-content"), "MTH-04": ("method.allow-on-405",),
    "MTH-05": ("method.allow-get",), "MTH-06": ("method.options", "method.options-allow"), "MTH-09": ("error.other-status",),
    "AUT-01": ("auth.key-required",), "AUT-02": ("auth.wrong-key",), "AUT-03": ("auth.empty-key",), "AUT-04": ("auth.status",),
    "AUT-05": ("auth.challenge",), "AUT-06": ("auth.error-response",), "AUT-07": ("auth.header-name",),
    "AUT-09": ("auth.key-not-echoed",), "AUT-12": ("caching.lifetime",), "AUT-13": ("auth.head",),
    "ERR-01": ("error.object",), "ERR-02": ("error.object",), "ERR-03": ("error.content-type",), "ERR-04": ("error.code",),
    "ERR-05": ("error.message",), "ERR-06": ("error.not-empty",), "ERR-09": ("error.no-internals",),
    "ERR-10": ("error.other-status", "auth.error-response"), "ERR-11": ("error.retry-after",),
    "ERR-13": ("error.bad-header", "error.optional-header"), "ERR-17": ("error.no-queue",),
    "CAC-01": ("caching.shared",), "CAC-02": ("caching.lifetime",), "CAC-03": ("caching.age",),
    "COR-01": ("cors.credentials",), "COR-02": ("cors.vary-origin",),
    "PRI-01": ("privacy.credentials",), "PRI-02": ("auth.key-not-echoed",),
}  # fmt: skip
"""Which clauses hold a row. Where two rows are one rule they name one clause."""

LEFT_OUT: Final[dict[str, tuple[str, str]]] = {
    "ENV-08": ("unknown top-level members are tolerated", TOLERANCE),
    "ENV-09": ("the body validates against the published schema",
               "the published oneOf rejects every real job: an erratum of the document, which never decides a verdict"),
    "ENV-10": ("the body validates against the repaired schema", "the same rules as the item clauses, said by another tool"),
    "ENV-11": ("the body validates against upstream's later schema", "its one rule, five elements, is item.five-elements"),
    "ENV-12": ("the body validates against a strict positional schema", "the same rules as the item clauses"),
    "TUP-03": ("every element is an integer, string, object or array of strings",
               "follows from the clauses of the five positions, which say which of them it must be"),
    "TUP-13": ("prompt_id is not the nil UUID; version and variant bits",
               "the document says UUID, and RFC 9562 counts the nil UUID and every version among them"),
    "TUP-26": ("further metadata members are tolerated", TOLERANCE),
    "REF-06": ("job_number equals the index in the list", "the document does not say whether running jobs count: gaps are fine"),
    "REF-08": ("queue_running is no longer than the plan's concurrency", INFORMATION),
    "REF-12": ("GET /api/prompt counts the same jobs", OTHER_OPERATION), "REF-13": ("GET /api/jobs lists the same ids", OTHER_OPERATION),
    "REF-14": ("GET /api/jobs gives the same status", OTHER_OPERATION), "REF-15": ("GET /api/jobs gives the same create_time", OTHER_OPERATION),
    "REF-16": ("/queue and /api/queue agree", "the document names /api/queue alone; --queue-path checks the other"),
    "JSN-08": ("text of every plane survives the round trip", WRITES), "JSN-09": ("large integers survive as digits", WRITES),
    "HTT-11": ("a body on GET causes no 5xx", "RFC 9110 §9.3.1 tells clients not to send one; proxies may take it for smuggling"),
    "HTT-16": ("the answer comes within the time budget", "no time is promised; the report shows p50 and p95"),
    "HTT-17": ("http redirects to https or refuses", "asks another origin than the target"),
    "HTT-18": ("parallel reads all conform", "no rule of its own: four reads are sent at once, and judged like all others"),
    "HTT-19": ("a second request on the connection works",
               "a server may close at any time (RFC 9112 §9.5); a request lost to it is sent again, both attempts are in the ledger"),
    "MTH-03": ("PUT, PATCH and DELETE are refused", WRITES),
    "MTH-07": ("TRACE does not echo request headers", "only GET, HEAD and OPTIONS are sent"),
    "MTH-08": ("an unknown method is refused", "only GET, HEAD and OPTIONS are sent"),
    "MTH-10": ("method override headers are ignored", "where they are not, asking would write"),
    "AUT-08": ("a key in query, cookie or body is not accepted", "would put the user's key where servers log it"),
    "AUT-10": ("OPTIONS needs no key", INFORMATION), "AUT-11": ("two users see disjoint queues", "needs a second user's key"),
    "ERR-07": ("further members of an error are tolerated", TOLERANCE),
    "ERR-08": ("code is a stable token", "the document gives code no vocabulary and no form"),
    "ERR-12": ("429 makes a run inconclusive", "a rule for the verdict, and kept there"),
    "ERR-14": ("a malformed POST body gives 400", WRITES), "ERR-15": ("wrong types on POST give 400", WRITES),
    "ERR-16": ("an unknown path below the queue is 404", "OpenAPI says nothing of paths that a document does not name"),
    "CAC-04": ("a change is visible to the next read", WRITES), "COR-03": ("cross-origin refusals are 4xx", INFORMATION),
    "PRI-03": ("Server and X-Powered-By versions", "every answer's headers stand in the report"),
    "DOC-01": ("the vendored YAML is valid OpenAPI 3.0.3", "of the document, not of a server: tests/test_document.py"),
    "DOC-02": ("the vendored excerpt equals upstream", "of the document: a comparison needs the network"),
    "DOC-03": ("the branches of oneOf exclude each other", "a known defect of the document: tests/test_document.py"),
    "DOC-04": ("the prose example passes the schema", "a known defect of the document: tests/test_document.py"),
    "DOC-05": ("secured operations declare 401", "a known defect of the document: tests/test_document.py"),
    "DOC-06": ("500 is not described as 400", "a known defect of the document: tests/test_document.py"),
    "DOC-07": ("both lists are required", "a known defect of the document: tests/test_document.py"),
}  # fmt: skip
"""Rows that no clause holds: what they say, and the reason."""
