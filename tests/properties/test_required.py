"""What requests from a recording are known to have because the user's OpenAPI document declares it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.exchange.model import Exchange
from conformance.properties.required import with_declared
from conformance.spec.operation import declaring
from helpers.answers import queue, read

TEXT = {"type": "string"}
DOCUMENT = declaring(
    [
        {"in": "query", "name": "space", "required": True, "schema": TEXT},
        {"in": "header", "name": "X-Tier", "required": True, "schema": TEXT},
        {"in": "query", "name": "depth", "schema": TEXT},
    ]
)


def recorded(query: str, tier: str) -> Exchange:
    found = read(queue())
    headers = (*found.request.headers, ("X-Tier", tier))
    return replace(found, request=replace(found.request, url=f"http://t/api/queue?{query}", headers=headers))


def test_a_required_parameter_is_no_peculiarity_of_a_request() -> None:
    first, second = with_declared([recorded("space=a", "free"), recorded("space=a&depth=2", "free")], DOCUMENT)
    assert first.request.plain
    assert first.request.bare
    assert second.request.declared == ("?depth",)


@pytest.mark.parametrize("other", [("space=b", "free"), ("space=a", "paid")])
def test_one_that_differs_may_be_that_of_another_user(other: tuple[str, str]) -> None:
    found = with_declared([recorded("space=a", "free"), recorded(*other)], DOCUMENT)
    assert not any(each.request.plain and each.request.bare for each in found)


def test_without_declared_parameters_nothing_is_known() -> None:
    exchange = recorded("space=a", "free")
    assert with_declared([exchange], declaring([])) == [exchange]
