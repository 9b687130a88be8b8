"""Handmade bodies of queues, from typical to odd, and what the clauses find in them: to compare the ways of reading."""

from __future__ import annotations

from typing import Final

from conformance.contract.ask import subjects_by_clause
from conformance.contract.catalogue import CATALOGUE
from conformance.contract.clause import Finding
from conformance.contract.conversation import Answer
from conformance.contract.reading.body import Reading
from helpers.answers import read

ID: Final = b'"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e"'
GRAPH: Final = b'{"9":{"class_type":"S","inputs":{}}}'
SHORT: Final = b'{"9":{"class_type":""}}'
"""What is left of ``GRAPH`` for the clauses."""
TIME: Final = b'{"create_time":1763913600000}'


def job(
    number: bytes = b"1", name: bytes = ID, graph: bytes = GRAPH, outputs: bytes = b'["9"]', data: bytes = TIME
) -> bytes:
    """Return a job in the order of the OpenAPI document."""
    return b"[%b,%b,%b,%b,%b]" % (number, name, graph, outputs, data)


def oss(
    number: bytes = b"1", name: bytes = ID, graph: bytes = GRAPH, outputs: bytes = b'["9"]', data: bytes = TIME
) -> bytes:
    """Return a job in ComfyUI's order."""
    return job(number, name, graph, data, outputs)


def body(*pending: bytes, running: tuple[bytes, ...] = (), more: bytes = b"") -> bytes:
    return b'{"queue_running":[%b],"queue_pending":[%b]%b}' % (b",".join(running), b",".join(pending), more)


EMPTY: Final = body()

PROVEN: Final = [
    job(),
    job(number=b"9007199254740991"),
    job(graph=b'{"9":{"class_type":"S","inputs":{}},"8":{"class_type":"T","inputs":{"a":["9",0],"b":1,"c":"x"}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":["9",0]},"_meta":{"title":"x"}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"_meta":{}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"_meta":{"a":"x","b":"y"}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"x":1}}'),
    job(graph=b'{"9":{"class_type":"S"}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":{"b":[1]}},"x":{"y":2}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":7}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":{}}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":["8",0,0],"b":["8",true],"c":[8,0],"d":["8"],"e":["8","0"]}}}'),
    job(graph=b'{"a":1}'),
    job(graph=b'{"a":{"b":["c",0]}}', outputs=b'["7","8"]'),
    job(graph=b'{"9":{"class_type":"S","inputs":{}},"8":{"class_type":"S","inputs":{}}}', outputs=b'["8","9"]'),
    job(data=b'{"create_time":1000000000000}'),
    job(data=b'{"create_time":99999999999999}'),
    job(data=b'{"create_time":1763913600000,"x":1,"y":{"z":[{"u":2}]}}'),
    job(graph=b'{ "9" : {"class_type" :"S","inputs"\n:\t{}}}'),
    job(graph=rb'{"9":{"class_type":"a\":b","inputs":{"\"":"\\"}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":%b}}}' % (b"[" * 97 + b"]" * 97)),
    job(data=b'{"create_time":1763913600000,"x":%b}' % (b"[" * 99 + b"]" * 99)),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":%b}}}' % (b"7" * 308)),
]
"""Jobs that keep every clause."""

GRAPHLESS: Final = b'[1,"x",{},["9"]]'
TAKES: Final = b'"2f1b0c3e-8a4d-4c55-9a6e-0d1f2b3c4d5e\\n"'

REMAINS: Final = [
    # The number.
    *(
        job(number=number)
        for number in (b"0", b"-1", b"9007199254740992", b"1.0", b"1.5", b'"1"', b"null", b"true", b"[]")
    ),
    job(number=b'{"a":1,"a":1}'),
    # The id.
    *(job(name=name) for name in (ID.upper(), ID[:-2] + b'"', b'"a' + ID[1:], TAKES, b"1", b"null", b"{}", b'{"a":1}')),
    # The output node ids.
    *(job(outputs=ids) for ids in (b"[]", b'["9","9"]', b'[""]', b"[9]", b'["8"]', b'["9","8"]', b'"9"', b"null")),
    job(outputs=b'[{"a":1,"a":1}]'),
    # The metadata.
    *(
        job(data=data)
        for data in (
            b'{"create_time":999999999999}',
            b'{"create_time":100000000000000}',
            b'{"create_time":1763913600000.0}',
            b'{"create_time":"1763913600000"}',
            b'{"create_time":null}',
            b"{}",
            b"[]",
            b"null",
            b'{"create_time":1763913600000,"api_key_comfy_org":"k"}',
            b'{"create_time":1763913600000,"x":%b}' % (b"[" * 100 + b"]" * 100),
            b'{"create_time":1763913600000,"x":%b}' % (b"7" * 400),
        )
    ),
]
"""Jobs with a right workflow and another element that the fast path cannot prove."""

WORKFLOWS: Final = [
    (b"{}", b"{}"),
    (b'{"9":{"class_type":1}}', b'{"9":{"class_type":1}}'),
    (b'{"9":{"class_type":"S"},"8":{}}', b'{"9":{"class_type":""},"8":{}}'),
    (b'{"9":{"class_type":"S"},"8":7}', b'{"9":{"class_type":""},"8":7}'),
    (
        b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":["8",0]}}}',
        b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":["8",0]}}}',
    ),
    (
        b'{"9":{"class_type":"S","inputs":{"a":["8",0]}},"7":{"class_type":"S","inputs":{}}}',
        b'{"9":{"class_type":"S","inputs":{"a":["8",0]}},"7":{"class_type":""}}',
    ),
    (
        b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":["8",0]}},"7":{"class_type":"S","inputs":{"a":["9",0]}}}',
        b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":["8",0]}},"7":{"class_type":""}}',
    ),
    (
        b'{"9":{"class_type":"S","inputs":{"a":["8",0],"b":{}}},"7":{"class_type":"S"}}',
        b'{"9":{"class_type":"S","inputs":{"a":["8",0],"b":{}}},"7":{"class_type":""}}',
    ),
]
"""Workflows that break a clause, and their faulty nodes, which the clauses still check."""

WHOLE: Final = [
    *(job(graph=graph) for graph in (b"[]", b"null", b'"x"', b"1")),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":%b}}}' % (b"7" * 309)),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":1e400}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":%b}}}' % (b"[" * 98 + b"]" * 98)),
    job(graph=b'{"9":{"class_type":"S","class_type":"S","inputs":{}}}'),
    *(job(graph=b'{"9":{%b}}' % b",".join([b'"class_type":"S"'] * number)) for number in (2, 4, 12)),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"inputs":{}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":1,"a":1}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":["9",0],"a":["9",0]}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{}},"9":{"class_type":"S","inputs":{}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"_meta":{"a":"1","a":"2"}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{},"_meta":{},"_meta":{}}}'),
    job(graph=b'{"9":{"class_type":"S","inputs":{"a":{"b":1,"b":1}}}}'),
    job(graph=b'{"9":{"class_type":"S","x":[{"b":1,"b":1}]}}'),
    job(graph=b'{"a":1,"a":1}'),
    job(data=b'{"create_time":1763913600000,"create_time":1763913600000}'),
    job(data=b'{"create_time":1763913600000,"x":{"y":1,"y":1}}'),
    job(data=b'{"create_time":1763913600000,"x":1,"x":1}'),
    GRAPHLESS.replace(b"{}", b"7"),
    *(b"[]", b"[1]", b'[1,"x"]', b"{}", b'{"a":1}', b"null", b"7", b'"x"', b"true"),
]
"""Elements that remain as they are: not a job, without a workflow, too deep, too large, or with a repeated name."""
DEEP: Final = b"[" * 101 + b"]" * 101
AS_IT_IS: Final = [
    *(b"", b"null", b"7", b'"x"', b"[]", b"{}", b'{"x":1}', b"{", b"[%b]" % job()),
    body(job(), more=b',"x":1,"x":2'),
    body(job(), more=b',"x":{"y":1,"y":2}'),
    body(job(), more=b',"queue_pending":[]'),
    body(job(), more=b',"x":%b' % DEEP),
    body(job(), more=b',"x":%b' % (b"7" * 400)),
    body(job(), more=b',"x":1e400'),
    body(job()) + b"]",
    body(job())[:-1],
    body(job()).replace(b'"S"', b'"\xff"'),
    body(job(number=b"NaN")),
]
"""Bodies that the clauses must check as a whole."""
NEXT: Final = ID.replace(b"5e", b"5f")
LATER: Final = b'{"create_time":1763913600001}'
SEVERAL: Final = {
    "distinct": body(job(), job(b"2", NEXT, data=LATER)),
    "same id": body(job(), job(b"2", data=LATER)),
    "same id, other case": body(job(), job(b"2", ID.upper(), data=LATER)),
    "same id in both lists": body(job(), running=(job(b"2"),)),
    "same number": body(job(), job(b"1", NEXT)),
    "same number in both lists": body(job(), running=(job(b"1", NEXT),)),
    "falling numbers": body(job(b"2"), job(b"1", NEXT)),
    "falling times": body(job(data=LATER), job(b"2", NEXT)),
    "falling times in both lists": body(job(), running=(job(b"2", NEXT, data=LATER),)),
    "running after pending": b'{"queue_pending":[%b],"queue_running":[%b]}' % (job(b"1"), job(b"1", NEXT)),
    "a remaining job with the same id": body(job(), job(b"0", data=LATER)),
    "a remaining job with the same number": body(job(), job(b"1", NEXT, outputs=b"[]")),
    "a remaining job with a lower number": body(job(b"2"), job(b"1", NEXT, outputs=b"[]")),
    "a remaining job with an earlier time": body(job(data=LATER), job(b"2", NEXT, outputs=b"[]")),
    "a remaining running job": body(job(b"1"), running=(job(b"1", NEXT, data=LATER, outputs=b"[]"),)),
    "a remaining job without a time": body(job(), job(b"2", NEXT, data=b"{}")),
    "a remaining job with a time in words": body(job(), job(b"2", NEXT, data=b'{"create_time":"x"}')),
    "a remaining job without a number": body(job(), job(b'"2"', NEXT)),
    "a remaining job without an id": body(job(), job(b"2", b"7")),
    "only remaining jobs": body(job(b"0"), job(b"0", NEXT)),
    "elements that are not jobs": body(b"7", job(), b"[]", b"{}"),
    "one job": body(job()),
    "one running job": body(running=(job(),)),
    "no graph": body(job(graph=b'{"a":1}')),
    "links": body(job(graph=b'{"9":{"class_type":"S","inputs":{"a":["9",0]}}}')),
    "links in an unusual node": body(job(graph=b'{"9":{"class_type":"S","inputs":{"a":["9",0],"b":{}}}}')),
    "a link to nowhere": body(job(graph=b'{"9":{"class_type":"S","inputs":{"a":["8",0]}}}')),
    "an error": b'{"code":"X","message":"m"}',
    "a list that is missing": b'{"queue_pending":[%b]}' % job(),
    "a list that is an object": b'{"queue_running":{},"queue_pending":[%b]}' % job(),
    "empty": EMPTY,
}
"""Bodies in which jobs are compared with one another."""
ALL: Final = {
    **SEVERAL,
    **{f"proven {number}": body(text) for number, text in enumerate(PROVEN)},
    **{f"remains {number}": body(text) for number, text in enumerate(REMAINS)},
    **{f"whole {number}": body(text) for number, text in enumerate(WHOLE)},
    **{f"workflow {number}": body(job(graph=graph)) for number, (graph, _) in enumerate(WORKFLOWS)},
    **{f"as it is {number}": content for number, content in enumerate(AS_IT_IS)},
}


def findings(reading: Reading) -> dict[str, tuple[bool, list[Finding]]]:
    """Return by clause whether it applies to the body, and its findings, sorted."""
    exchange = read(reading.content)
    assert exchange.response is not None
    answer = Answer(exchange, exchange.response, reading)
    clauses = [
        clause for clause in CATALOGUE if clause.fast is not None and clause.level_in(reading.demand) is not None
    ]
    found: dict[str, tuple[bool, list[Finding]]] = {}
    for each in subjects_by_clause(clauses, answer):
        exercised, before = found.get(each.clause.id, (False, []))
        parts = list(each.subjects)
        new = [finding for part in parts for finding in each.clause.check(part)]
        weighed = [finding for finding in new for _ in range(each.reading.weight(finding.pointer))]
        found[each.clause.id] = exercised or each.exercised or bool(parts), sorted([*before, *weighed], key=str)
    return found
