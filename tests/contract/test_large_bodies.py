"""Large bodies are judged in memory that does not depend on what is in them: a fragment repeated to size."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

import pytest

from conformance import validate

HEAD: Final = '{"queue_running": [], "queue_pending": ['
UNKNOWN: Final = '{"queue_running": [], "queue_pending": [], "x": ['
ID: Final = "11111111-1111-4111-8111-111111111111"
GRAMMAR: Final = {
    "null": (HEAD, "null,", "]}"),
    "array": (HEAD, "[],", "]}"),
    "object": (HEAD, "{},", "]}"),
    "broken job": (HEAD, f'[0,"{ID}",{{}},[],{{}}],', "]}"),
    "unknown objects": (UNKNOWN, "{},", "]}"),
    "unknown strings": (UNKNOWN, '"\N{GRINNING FACE}",', "]}"),
    "unknown NaN": (UNKNOWN, "NaN,", "]}"),
    "equal names": ('{"queue_running": [], "queue_pending": [], ', '"a":1,', "}"),
    "nodes": (f'{HEAD}[1,"{ID}",{{', '"1":{},', '},["1"],{"create_time":1700000000000}]]}'),
    "outputs": (f'{HEAD}[1,"{ID}",{{"1":{{}}}},[', '"1",', '],{"create_time":1700000000000}]]}'),
    "elements": (f'{HEAD}[1,"{ID}",{{"1":{{}}}},["1"],{{"create_time":1700000000000}},', "1,", "]]}"),
    "nesting": (HEAD, "[", ""),
}
CHILD: Final = """
import resource, sys
from conformance import validate
head, fragment, tail, size = *sys.argv[1:4], int(sys.argv[4])
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
validate(b"{}")
head, fragment, tail = head.encode(), fragment.encode(), tail.encode()
body = bytearray(head)
body += fragment * (size // len(fragment))
if fragment.endswith(b",") : del body[-1:]
body += tail
before = peak()
validate(bytes(body))
print(before, peak())
"""


def peak(name: str, size: int) -> tuple[int, int]:
    """Return the MiB that a process had at most before and after it judged a body."""
    command = (sys.executable, "-c", CHILD, *GRAMMAR[name], str(size))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    before, after = map(int, done.stdout.split())
    return before, after


@pytest.mark.parametrize("name", ["array", "broken job", "nodes"])
def test_a_small_fragment_again_and_again_takes_bounded_memory(name: str) -> None:
    before, after = peak(name, 3 << 20)
    assert after - before < 128


@pytest.mark.deep
@pytest.mark.parametrize("name", GRAMMAR)
def test_a_body_of_64_mib_is_judged_in_450_mib(name: str) -> None:
    _, after = peak(name, 63 << 20)
    assert after < 450


def test_findings_are_limited_and_the_last_one_says_how_many_more_there_are() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null"] * 1500)
    found = validate(body)
    assert len(found) == 1000
    assert found[-1].message.endswith("There are 500 more findings.")
    assert len(validate(body, limit=None)) == 1500


def test_a_limit_leaves_each_clause_its_first_findings() -> None:
    body = b'{"queue_running": [], "queue_pending": [%b]}' % b",".join([b"null", b"[]"] * 50)
    assert {finding.clause for finding in validate(body, limit=2)} == {"item.array", "item.five-elements"}


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        validate(b"{}", limit=0)
