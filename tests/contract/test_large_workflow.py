"""A workflow that is too large to be parsed is shortened, and every clause has the same result for the short one."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from conformance.contract.reading.large_workflow import NODES, dense_workflow, without_long_strings
from helpers.windows import WINDOW, make_windows_small

NODE: Final = '{"class_type":"A"}'
SOUND: Final = {"class_type": ""}


def link(name: str) -> str:
    return f'{{"class_type":"A","inputs":{{"x":["{name}",0]}}}}'


@pytest.mark.parametrize(
    ("workflow", "outputs", "found"),
    [
        ("{}", [], {}),
        ('{"a":1}', [], {"": 0}),
        ('{"a":{"b":1}}', ["a"], {"": 0}),
        (f'{{"1":{NODE},"2":{NODE},"3":{NODE}}}', [], {"1": SOUND}),
        (f'{{"1":{NODE},"2":{NODE},"3":{NODE}}}', ["3", "7"], {"1": SOUND, "3": SOUND}),
        (f'{{"1":{NODE},"2":{{}},"3":7}}', [], {"1": SOUND, "2": {}, "3": 7}),
        ('{"1":{"class_type":2},"2":{"class_type":"A"}}', [], {"1": {"class_type": 2}}),
        (
            f'{{"1":{NODE},"2":{link("3")},"3":{link("1")}}}',
            [],
            {"1": SOUND, "2": {**SOUND, "inputs": {"x": ["3", 0]}}, "3": SOUND},
        ),
        (
            f'{{"1":{NODE},"2":{link("z")},"3":{link("1")}}}',
            [],
            {"1": SOUND, "2": {**SOUND, "inputs": {"x": ["z", 0]}}},
        ),
        (
            f'{{"1":{NODE},"2":{link("1")},"3":{link("z")},"4":{link("y")}}}',
            [],
            {
                "1": SOUND,
                "2": {**SOUND, "inputs": {"x": ["1", 0]}},
                "3": {**SOUND, "inputs": {"x": ["z", 0]}},
                "4": {**SOUND, "inputs": {"x": ["y", 0]}},
            },
        ),
        (
            '{"1":{"class_type":"A","inputs":{"a":1,"b":["1",0],"c":["z",0],"d":["z",1]}}}',
            [],
            {"1": {**SOUND, "inputs": {"b": ["1", 0], "c": ["z", 0], "d": ["z", 1]}}},
        ),
        (
            '{"1":{"class_type":"A"},"2":{"inputs":{"x":["z",0]}},"3":{"class_type":3,"inputs":[]}}',
            [],
            {"1": SOUND, "2": {"inputs": {"x": ["z", 0]}}, "3": {"class_type": 3, "inputs": []}},
        ),
    ],
)
def test_the_nodes_that_clauses_need_are_kept(workflow: str, outputs: list[str], found: dict[str, Any]) -> None:
    text, whole = dense_workflow(f"  {workflow}, 5".encode(), 2, outputs)
    assert (json.loads(text), whole) == (found, True)


def nodes(number: int, text: str = "{}") -> str:
    return ",".join(f'"n{at}":{text}' for at in range(number))


@pytest.mark.parametrize(
    ("workflow", "whole"),
    [
        (f'{{"1":{NODE},{nodes(1000)}}}', True),
        (f'{{"1":{NODE},{nodes(1001)}}}', False),
        (f'{{"1":{NODE},{nodes(1000, link("z"))}}}', True),
        (f'{{"1":{NODE},{nodes(1001, link("z"))}}}', False),
        (f'{{"1":{NODE},"2":{{"x":NaN}}}}', False),
        (f'{{"1":{NODE},"2":"{"x" * 3 * WINDOW}"}}', True),
        (f'{{"1":{NODE},"2":[{"1," * 2 * WINDOW}1]}}', False),
        (f'{{"1":{NODE},"2":[{"1," * 2 * WINDOW}1],"3":{NODE}}}', False),
    ],
    ids=["1000 faults", "1001 faults", "1000 links", "1001 links", "NaN", "long string", "large node", "node after it"],
)
def test_a_workflow_with_too_many_faults_or_too_large_nodes_is_given_up(
    workflow: str, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    make_windows_small(monkeypatch)
    text, found = dense_workflow(workflow.encode(), 0, [])
    assert found is whole
    assert whole or text == b'{"":0}'


@pytest.mark.parametrize(("number", "whole"), [(3, True), (4, False)])
def test_a_workflow_with_too_many_nodes_is_given_up(
    number: int, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    assert NODES == 500_000
    monkeypatch.setattr("conformance.contract.reading.large_workflow.NODES", 3)
    assert dense_workflow(f"{{{nodes(number, NODE)}}}".encode(), 0, [])[1] is whole
    linked = ",".join(f'"x{at}":["n{at}",0]' for at in range(number))
    graph = f'{{"1":{{"class_type":"A","inputs":{{{linked}}}}}}}'
    assert dense_workflow(graph.encode(), 0, [])[1] is whole


def test_a_large_faulty_node_is_kept_without_its_contents() -> None:
    small, large = (json.dumps({"x": "y" * size}, separators=(",", ":")) for size in (4088, 4089))
    assert len(small) == 4096
    text, _ = dense_workflow(f'{{"1":{NODE},"2":{small},"3":{large}}}'.encode(), 0, [])
    assert json.loads(text) == {"1": SOUND, "2": json.loads(small), "3": {"…": "…"}}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b'"%b"' % (b"x" * 1000), b'"%b"' % (b"x" * 1000)),
        (b'"%b"' % (b"x" * 1001), b'"(long)"'),
        (b'{"a":"%b","b":"y"}' % (b"x" * 1001), b'{"a":"(long)","b":"y"}'),
        (b"1" * (1 << 20), b"1" * (1 << 20)),
        (b"1" * ((1 << 20) + 1), None),
        (b'""' * (1 << 16), b'""' * (1 << 16)),
        (b'""' * ((1 << 16) + 1), None),
        (rb'"a\\"', b'"a__"'),
        (rb'"a\"b"', b'"a__b"'),
        (rb'"%b\"","c"' % (b"x" * 1000), b'"(long)","c"'),
    ],
    ids=range(10),
)
def test_long_strings_are_left_out(text: bytes, found: bytes | None) -> None:
    assert without_long_strings(b"[" + text + b"]", 1, len(text) + 1) == found
