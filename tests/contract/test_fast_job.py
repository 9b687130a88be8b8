"""What the fast path keeps of a job that it inspected."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pytest
from msgspec import Raw

from conformance.contract.reading.body import PLACES
from conformance.contract.reading.fast import FastReading
from conformance.contract.reading.fast_job import must_prover, prover, without_refused
from conformance.contract.reading.memory import Located, Remembered
from conformance.contract.terms import Demand, Dialect
from helpers.queue_bodies import GRAPH, ID, body, job, oss

CLOUD: Final = Demand.of(Dialect.CLOUD)
OSS: Final = Demand.of(Dialect.OSS)
LINKED: Final = b'{"9":{"class_type":"S","inputs":{"a":["9",0]}}}'


@pytest.mark.parametrize(
    ("text", "demand", "elements"),
    [
        (job(b"7", outputs=b'["9"]'), CLOUD, [7, ID, {}, ["9"], {"create_time": 1763913600000}]),
        (oss(b"-7"), OSS, [-7, ID, {}, {"create_time": 1763913600000}, ["9"]]),
        (oss(b"0.1"), OSS, [Decimal("0.1"), ID, {}, {"create_time": 1763913600000}, ["9"]]),
    ],
)
def test_a_proven_job_has_its_elements_but_no_workflow(text: bytes, demand: Demand, elements: list[Any]) -> None:
    (found,) = FastReading(body(text), demand).jobs
    assert found.elements == [*elements[:1], json.loads(ID), *elements[2:]]
    assert (found.pointer, found.pending, found.order) == ("/queue_pending/0", True, demand.read_as)
    place = 4 if demand is CLOUD else 3
    assert found.create_time == Located(f"/queue_pending/0/{place}/create_time", 1763913600000)
    for name in ("another", "no_such_name"):
        with pytest.raises(AttributeError, match=name):
            getattr(found, name)


@pytest.mark.parametrize(("order", "make"), [(Dialect.CLOUD, job), (Dialect.OSS, oss)])
def test_the_facts_of_a_proven_job_are_the_texts_of_its_elements(order: Dialect, make: Callable[..., bytes]) -> None:
    inspection = prover(order, huge=False).inspect(Raw(make(graph=GRAPH, outputs=b'["9"]')))
    facts = inspection.facts(order)
    outputs, metadata = PLACES[order]
    assert facts.workflow == Located("/2", Remembered(text=Raw(GRAPH)))
    assert facts.output_node_ids == Located(f"/{outputs}", Remembered(text=Raw(b'["9"]')))
    assert facts.create_time == Located(f"/{metadata}/create_time", 1763913600000)
    assert inspection.facts(order) is facts


def test_an_inspection_has_the_text_of_its_element() -> None:
    inspect = prover(Dialect.CLOUD, huge=False).inspect
    for text, elements in ((job(), 5), (b"[1]", 1), (b"[ ]", 0)):
        found = inspect(Raw(text))
        assert (found.is_array, found.size, len(found.texts or ())) == (True, len(text), elements)
    for text in (b"{}", b"7", b'"["'):
        found = inspect(Raw(text))
        assert (found.is_array, found.size, found.texts) == (False, len(text), None)
    split = [Raw(b"1")]
    found = must_prover(Dialect.CLOUD).inspect(split)
    assert (found.is_array, found.size, found.texts) == (True, 0, split)
    found = must_prover(Dialect.CLOUD).inspect({"a": Raw(b"1")})
    assert (found.is_array, found.size, found.texts) == (False, 0, None)


def test_an_element_is_refused_if_it_cannot_be_proven_whatever_its_workflow_is() -> None:
    fine, other, wrong = (Raw(text) for text in (job(), job(graph=b"[]"), job(number=b"0")))
    others, refused = without_refused(
        prover(Dialect.CLOUD, huge=False), [(3, fine), (5, wrong), (6, Raw(b"7")), (7, other)], pending=True
    )
    assert others == [(3, fine), (7, other)]
    assert [(found.pending, found.place, found.inspection.remaining) for found in refused] == [
        (True, 5, b""),
        (True, 6, b""),
    ]


def test_an_inspection_is_the_same_for_an_element_with_the_same_text() -> None:
    inspection = prover(Dialect.CLOUD, huge=False).inspect(Raw(job(graph=LINKED)))
    inspection.key = b"k"
    element = Raw(job(graph=LINKED))
    copy = inspection.with_element(element)
    assert copy.element is element
    names = [name for name in inspection.__struct_fields__ if name not in {"element", "kept"}]
    assert [getattr(copy, name) for name in names] == [getattr(inspection, name) for name in names]
    assert (copy.number, copy.outputs, copy.members, copy.graph, copy.linked) == (1, ["9"], 5, True, True)
    assert copy.kept is None
