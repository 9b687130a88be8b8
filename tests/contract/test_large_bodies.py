"""Large bodies are judged in memory that does not depend on what is in them: a fragment repeated to size."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

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
import re, sys, time
from pathlib import Path
from conformance import validate
validate(b"{}")
body = Path(sys.argv[1]).read_bytes()
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) >> 10
before, began = peak(), time.process_time()
validate(body)
print(before, peak(), time.process_time() - began)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak from /proc")


class Cost(NamedTuple):
    """MiB that a process had at most before and after it judged a body, and seconds of CPU for judging."""

    before: float
    after: float
    seconds: float


def cost(name: str, size: int, tmp_path: Path) -> Cost:
    head, fragment, tail = (text.encode() for text in GRAMMAR[name])
    again = fragment * (size // len(fragment))
    path = tmp_path / "body"
    path.write_bytes(b"%b%b%b" % (head, again.removesuffix(b","), tail))
    command = (sys.executable, "-c", CHILD, str(path))
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=500)
    return Cost(*map(float, done.stdout.split()))


@linux
@pytest.mark.parametrize("name", ["array", pytest.param("broken job", marks=pytest.mark.deep), "nodes"])
def test_a_small_fragment_again_and_again_takes_bounded_memory(name: str, tmp_path: Path) -> None:
    found = cost(name, 3 << 20, tmp_path)
    assert found.after - found.before < 128


@linux
@pytest.mark.deep
@pytest.mark.parametrize("name", GRAMMAR)
def test_a_body_of_64_mib_is_judged_in_450_mib_and_a_minute(name: str, tmp_path: Path) -> None:
    found = cost(name, 63 << 20, tmp_path)
    assert found.after < 450
    assert found.seconds < 60
