"""What requests from a recording are known to have because the user's OpenAPI document declares it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.exchange.model import Exchange
from conformance.exchange.secrets import REDACTED
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
COOKIE = declaring([{"in": "cookie", "name": "session", "required": True, "schema": TEXT}])


def recorded(query: str, *tiers: str, status: int = 200, server: str = "", **header: str) -> Exchange:
    found = read(queue(), status=status)
    headers = (*found.request.headers, *(("X-Tier", tier) for tier in tiers), *header.items())
    request = replace(found.request, url=f"http://t/api/queue?{query}", headers=headers)
    return replace(found, request=request, server=server)


def usual(exchange: Exchange) -> bool:
    return exchange.request.plain and exchange.request.bare


def test_a_required_parameter_is_no_peculiarity_of_a_request() -> None:
    first, second = with_declared([recorded("space=a", "free"), recorded("space=a&depth=2", "free")], DOCUMENT)
    assert usual(first)
    assert second.request.declared == ("?depth",)
    assert not second.request.plain


@pytest.mark.parametrize("other", [("space=b", "free"), ("space=a", "paid"), ("space=a", "free", "paid")])
def test_one_that_differs_may_be_that_of_another_user(other: tuple[str, ...]) -> None:
    found = with_declared([recorded("space=a", "free"), recorded(*other)], DOCUMENT)
    assert not any(map(usual, found))


@pytest.mark.parametrize("other", ["space=deleted", "space=", ""])
def test_a_refused_value_is_not_the_one_that_every_request_has(other: str) -> None:
    served, refused = with_declared([recorded("space=a", "free"), recorded(other, "free", status=400)], DOCUMENT)
    assert usual(served)
    assert not refused.request.plain
    (alone,) = with_declared([recorded("space=deleted", "free", status=404)], DOCUMENT)
    assert not alone.request.plain


def test_a_redacted_value_is_not_known() -> None:
    found = with_declared([recorded("", Cookie=REDACTED), recorded("", Cookie=REDACTED)], COOKIE)
    assert not any(map(usual, found))


def test_each_server_has_its_own_values() -> None:
    found = with_declared([recorded("space=a", "x", server="a"), recorded("space=b", "y", server="b")], DOCUMENT)
    assert all(map(usual, found))


def test_what_was_recorded_without_its_request_says_nothing_about_others() -> None:
    body = recorded("")
    body = replace(body, request=replace(body.request, headers=(), head=False))
    assert usual(with_declared([recorded("space=a", "free"), body], DOCUMENT)[0])


def test_without_declared_parameters_nothing_is_known() -> None:
    exchange = recorded("space=a", "free")
    assert with_declared([exchange], declaring([])) == [exchange]
