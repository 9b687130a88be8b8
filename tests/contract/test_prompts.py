"""The prompts that a run submitted, read from its requests and the responses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.contract.prompts import json_object, submitted_twice
from conformance.exchange.model import Operation
from helpers.conversations import A, B, Talk


@pytest.mark.parametrize(
    ("body", "found"), [(b'{"a": 1}', {"a": 1}), (b"[]", {}), (b"no", {}), (b"\xff", {}), (b"[" * 200_000, {})]
)
def test_a_body_that_is_not_a_json_object_is_read_as_an_empty_one(body: bytes, found: dict[str, Any]) -> None:
    assert json_object(body) == found


@pytest.mark.parametrize(
    ("named", "status", "assigned", "found"),
    [
        (A, 200, A, {A}),
        (A.upper(), 200, A, {A}),
        (A, 200, A.upper(), {A}),
        (A, 200, B, set()),
        (B, 200, A, set()),
        (A, 199, A, set()),
        (A, 201, A, set()),
        (A, 400, A, set()),
        (None, 200, None, set()),
        (1, 200, A, set()),
        (A, 200, 1, set()),
    ],
)
def test_a_prompt_is_submitted_twice_if_the_server_accepts_the_id_in_the_request(
    named: Any, status: int, assigned: Any, found: set[str]
) -> None:
    talk = Talk().post(Operation.SUBMIT, {"prompt_id": named}, status, {"prompt_id": assigned})
    assert submitted_twice(talk.exchanges) == found


def test_only_answered_submissions_count() -> None:
    talk = Talk().post(Operation.MANAGE, {"prompt_id": A}, answer={"prompt_id": A})
    talk.post(Operation.SUBMIT, {"prompt_id": B}, answer={"prompt_id": B})
    assert submitted_twice(talk.exchanges) == {B}
    assert submitted_twice([replace(talk.exchanges[1], response=None), talk.exchanges[0]]) == set()
