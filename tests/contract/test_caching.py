"""For how long, and for whom, a cache may keep an answer."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.exchange.headers import Headers
from conformance.exchange.model import Exchange
from helpers.answers import asked, got, queue, read, said

DATE = ("Date", "Sun, 23 Nov 2025 16:00:00 GMT")
PLAIN = (("Content-Type", "application/json"), DATE)


def answered(*fields: tuple[str, str], status: int = 200, **request: Any) -> Exchange:
    return read(queue(), status=status, headers=(*PLAIN, *fields), **request)


NOBODY = "no Cache-Control"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((), [NOBODY]),
        ((("Cache-Control", "no-store"),), []),
        ((("Cache-Control", "Private"),), []),
        ((("Cache-Control", "no-cache"),), []),
        ((("Cache-Control", "public, max-age=5"),), ["public, max-age=5"]),
        ((("Cache-Control", "max-age=0"),), ["max-age=0"]),
        ((("Cache-Control", "must-revalidate"),), ["must-revalidate"]),
        ((("Cache-Control", "max-age=0, must-revalidate"),), []),
        ((("Cache-Control", "s-maxage=0"), ("Cache-Control", "proxy-revalidate")), []),
        ((("Vary", "X-API-Key"),), []),
        ((("Vary", "*"),), []),
        ((("Vary", "Accept"),), [NOBODY]),
        ((("Cache-Control", "public"), ("Vary", "Accept, X-Api-Key")), []),
    ],
)
def test_shared_caches_are_told_not_to_keep_the_queue(fields: Headers, found: list[str]) -> None:
    assert got(said("caching.shared", answered(*fields))) == found


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ((), []),
        ((("Cache-Control", "max-age=10"),), []),
        ((("Cache-Control", "max-age=11"),), ["max-age=11"]),
        ((("Cache-Control", 'max-age="11"'),), ['max-age="11"']),
        ((("Cache-Control", "max-age="),), []),
        ((("Cache-Control", "max-age=00000000000000010"),), []),
        ((("Cache-Control", "max-age=00000000000000011"),), ["max-age=00000000000000011"]),
        ((("Cache-Control", "s-maxage=3600, max-age=0"),), ["s-maxage=3600"]),
        ((("Cache-Control", "s-maxage=3600, max-age=3600"),), ["s-maxage=3600", "max-age=3600"]),
        ((("Cache-Control", "no-store, max-age=3600"),), []),
        ((("Cache-Control", "no-cache, max-age=3600"),), []),
        ((("Cache-Control", "x-max-age=3600"),), []),
        ((("Expires", "Sun, 23 Nov 2025 16:00:10 GMT"),), []),
        ((("Expires", "Sun, 23 Nov 2025 16:00:11 GMT"),), ["11 s ahead"]),
        ((("Expires", "Sun, 23 Nov 2025 17:00:00 GMT"),), ["3,600 s ahead"]),
        ((("Expires", "Fri, 23 Nov 2125 16:00:00 GMT"),), ["3,155,673,600 s ahead"]),
        ((("Expires", "Sun, 23 Nov 2025 15:00:00 GMT"),), []),
        ((("Expires", "0"),), []),
        ((("Cache-Control", "max-age=0"), ("Expires", "Sun, 23 Nov 2025 17:00:00 GMT")), []),
        ((("Cache-Control", "public"), ("Expires", "Sun, 23 Nov 2025 17:00:00 GMT")), ["3,600 s ahead"]),
    ],
)
def test_no_answer_is_fresh_for_long(fields: Headers, found: list[str]) -> None:
    assert got(said("caching.lifetime", answered(*fields))) == found


def test_where_nobody_knows_the_time_expires_says_nothing() -> None:
    timed = asked(200, queue(), ("Expires", "Sun, 23 Nov 2025 17:00:00 GMT"))
    assert timed.response is not None
    bare = Exchange("x1", timed.request, type(timed.response)(200, (("Expires", "Sun, 23 Nov 2025 17:00:00 GMT"),)))
    assert got(said("caching.lifetime", bare)) == []


@pytest.mark.parametrize("status", [404, 500])
def test_an_error_is_not_to_be_kept_either(status: int) -> None:
    assert got(said("caching.lifetime", answered(("Cache-Control", "max-age=60"), status=status))) == ["max-age=60"]


def test_other_methods_and_resources_may_be_kept() -> None:
    fields = ("Cache-Control", "max-age=60")
    for method in ("HEAD", "CONNECT"):
        assert said("caching.lifetime", asked(200, b"", fields, method=method)) is None
    assert said("caching.lifetime", answered(fields, to_queue=False)) is None


@pytest.mark.parametrize(
    ("age", "found"),
    [
        (None, []),
        ("0", []),
        ("10", []),
        ("11", ["11"]),
        ("000000000010", []),
        ("0000000000010", ["0000000000010"]),
        ("-1", ["-1"]),
        ("", [""]),
        ("soon", ["soon"]),
        ("٣", ["٣"]),
    ],
)
def test_no_answer_comes_old_out_of_a_cache(age: str | None, found: list[str]) -> None:
    fields = () if age is None else (("Age", age),)
    assert got(said("caching.age", answered(*fields))) == found
