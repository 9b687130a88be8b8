"""A breach has the same fingerprint in another job and another night, and another one for another cause."""

from __future__ import annotations

import pytest

from conformance.judge.fingerprint import fingerprint, place_pattern
from conformance.judge.report import Evidence, Fingerprint


@pytest.mark.parametrize(
    ("pointer", "pattern"),
    [
        ("", ""),
        ("/code", "/code"),
        ("/queue_pending/12/4/create_time", "/queue_pending/*/4/create_time"),
        ("/queue_running/0", "/queue_running/*"),
        ("/queue_pending/3/2", "/queue_pending/*/2"),
        ("/queue_pending/3/3/7", "/queue_pending/*/3/*"),
        ("/queue_pending/3/2/my node/inputs/x", "/queue_pending/*/2/**"),
        ("/queue_pending/3/2/a\nb", "/queue_pending/*/2/**"),
        ("/queue_pending/3/4/extra_pnginfo/workflow/nodes/3", "/queue_pending/*/4/extra_pnginfo/**"),
    ],
)
def test_a_place_loses_what_differs_from_job_to_job(pointer: str, pattern: str) -> None:
    assert place_pattern(pointer) == pattern


def test_the_words_make_no_difference_and_the_kind_does() -> None:
    first = Evidence(exchange="a", pointer="/queue_pending/0/4/create_time", expected="ms", got="1", message="m")
    again = Evidence(
        exchange="b", pointer="/queue_pending/7/4/create_time", expected="s", got="2", message="n", hint="h"
    )
    seconds = Evidence(exchange="a", pointer=first.pointer, expected="ms", got="1", message="m", kind="seconds")
    assert fingerprint(first) == fingerprint(again) == Fingerprint(place="/queue_pending/*/4/create_time")
    assert fingerprint(seconds) == Fingerprint(place="/queue_pending/*/4/create_time", kind="seconds")
