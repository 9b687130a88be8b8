"""Large bodies are judged in memory that does not depend on what is in them: a fragment repeated to size."""

from __future__ import annotations

import cProfile
import subprocess
import sys
from itertools import count, takewhile
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.recordings import read
from conformance.judge.judge import judge
from conformance.text.json_runs import RUN

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
    "equal lists": ("{", '"queue_pending":[],', "}"),
    "equal lists with a job": ("{", '"queue_pending":[0],', "}"),
    "both lists": ("{", '"queue_pending":[],"queue_running":[0],', "}"),
    "lists with escapes": ("{", r'"\u0071ueue_pending":[],"queue_pendin\u0067":[0],', "}"),
    "lists and spaces": ("{", '\n "queue_pending" : [ ] ,', "}"),
    "lists and names": ("{", '"queue_pending":[],"a":1,', "}"),
    "deep lists": ("{", f'"queue_pending":{"[" * 12}{"]" * 12},', "}"),
    "lists in metadata": (f'{HEAD}[1,"{ID}",{{}},[],{{"create_time":1,', '"queue_pending":[],', "}]]}"),
    "nodes": (f'{HEAD}[1,"{ID}",{{', '"1":{},', '},["1"],{"create_time":1700000000000}]]}'),
    "outputs": (f'{HEAD}[1,"{ID}",{{"1":{{}}}},[', '"1",', '],{"create_time":1700000000000}]]}'),
    "elements": (f'{HEAD}[1,"{ID}",{{"1":{{}}}},["1"],{{"create_time":1700000000000}},', "1,", "]]}"),
    "nesting": (HEAD, "[", ""),
}
TINY: Final = {
    "null": (HEAD, "null,", "]}"),
    "array": (HEAD, "[],", "]}"),
    "array of one": (HEAD, "[1],", "]}"),
    "object": (HEAD, "{},", "]}"),
    "member": (HEAD, '{"a":1},', "]}"),
    "repeated name": (HEAD, '{"a":1,"a":1},', "]}"),
    "NaN": (HEAD, "NaN,", "]}"),
    "broken job": (HEAD, '[0,"a",{},[],{}],', "]}"),
    "job with an id": (HEAD, f'[0,"{ID}",{{}},[],{{}}],', "]}"),
    "different numbers": (HEAD, "[%d],", "]}"),
    "different jobs": (HEAD, '[%d,"a",{},[],{}],', "]}"),
}
"""Elements of a list that are too small to be valid jobs. ``%d`` is the number of the element."""
CHILD: Final = """
import re, sys, time
from pathlib import Path
from conformance import validate
from conformance.contract.terms import Dialect
from conformance.exchange.recordings import read_file
from conformance.judge.judge import judge
validate(b"{}")
path = Path(sys.argv[1])
body = path.read_bytes() if sys.argv[2] == "validate" else None
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10
before, began = peak(), time.process_time()
validate(body) if body else judge(read_file(path), Dialect.CLOUD)
print(before, peak(), time.process_time() - began)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")


class Cost(NamedTuple):
    """MiB that a process had at most before and after it judged a body, and seconds of CPU for judging."""

    before: float
    after: float
    seconds: float


def body_of(kind: tuple[str, str, str], size: int) -> bytes:
    head, fragment, tail = (text.encode() for text in kind)
    if b"%d" in fragment:
        ends = count(0, len(fragment) + 5)
        again = b"".join(fragment % number for number, _ in enumerate(takewhile(size.__gt__, ends)))
    else:
        again = fragment * (size // len(fragment))
    return b"%b%b%b" % (head, again.removesuffix(b","), tail)


def cost(kind: tuple[str, str, str], size: int, tmp_path: Path, by: str = "validate") -> Cost:
    path = tmp_path / "body.json"
    path.write_bytes(body_of(kind, size))
    command = (sys.executable, "-c", CHILD, str(path), by)
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=500)
    return Cost(*map(float, done.stdout.split()))


def calls_for(body: bytes) -> int:
    """Return how many functions are called to read and judge a recorded body, as a measure of the work."""
    profile = cProfile.Profile()
    profile.enable()
    judge(read(body, name="body.json"), Dialect.CLOUD)
    profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize(("name", "bound"), [("NaN", 15), ("array of one", 1.5), ("different jobs", 24)])
def test_a_tiny_job_that_is_only_counted_takes_few_steps(
    name: str, bound: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conformance.contract.reading.large_jobs.ASKED", -1)
    body = body_of(TINY[name], RUN * 5 // 4)
    assert calls_for(body) < bound * (body.count(b",") / max(1, TINY[name][1].count(",")))


def test_a_repeated_list_takes_few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.contract.reading.large.MEMBERS", 9)
    body = body_of(GRAMMAR["lists with escapes"], RUN * 5 // 4)
    assert calls_for(body) < 6 * body.count(b":")


@linux
@pytest.mark.parametrize("name", ["array", pytest.param("broken job", marks=pytest.mark.deep), "nodes"])
def test_a_small_fragment_again_and_again_takes_bounded_memory(name: str, tmp_path: Path) -> None:
    found = cost(GRAMMAR[name], 3 << 20, tmp_path)
    assert found.after - found.before < 128


@linux
@pytest.mark.deep
@pytest.mark.parametrize("name", GRAMMAR)
def test_a_body_of_64_mib_is_judged_in_450_mib_and_a_minute(name: str, tmp_path: Path) -> None:
    found = cost(GRAMMAR[name], 63 << 20, tmp_path)
    assert found.after < 450
    assert found.seconds < 60


@linux
@pytest.mark.deep
@pytest.mark.parametrize("name", TINY)
def test_a_recording_of_63_mib_of_tiny_jobs_is_judged_in_450_mib_and_a_minute(name: str, tmp_path: Path) -> None:
    found = cost(TINY[name], 63 << 20, tmp_path, "judge")
    assert found.after < 450
    assert found.seconds < 60
