"""The library: what it finds, what it costs to import and to call, and that it keeps nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import conformance
from conformance import Finding, Level, UsageProblem, Validator, Verdict, check, validate
from conformance.contract.catalogue import BY_ID
from conformance.contract.reading.fast_job import MustProver, Prover
from helpers.answers import item, queue

GOOD = queue(item(1), item(2))
SECONDS = item(3, e4={"create_time": 1_763_913_600})


def told(findings: tuple[Finding, ...]) -> list[tuple[str, str | None]]:
    return [(finding.clause, finding.pointer) for finding in findings]


def swapped() -> list[Any]:
    number, prompt_id, graph, outputs, metadata = item(1)
    return [number, prompt_id, graph, metadata, outputs]


def test_a_conforming_body_has_no_findings() -> None:
    assert validate(GOOD) == ()
    assert validate(GOOD, must_only=True) == ()


def test_a_finding_names_its_clause_its_level_and_its_place() -> None:
    (first, second) = validate(queue(item(1), item(2), SECONDS))
    assert told((first, second)) == [
        ("item.create-time.milliseconds", "/queue_pending/2/4/create_time"),
        ("queue.pending.oldest-first", "/queue_pending/2/4/create_time"),
    ]
    assert first.level is Level.MUST
    assert first.hint == "seconds instead of milliseconds"
    assert BY_ID[first.clause].why


def test_must_only_leaves_out_what_should_be() -> None:
    body = queue(item(1, e1="2F1B0C3E-8A4D-4C55-9A6E-0D1F2B3C4D5E"), item(2, e0=0))
    assert [name for name, _ in told(validate(body))] == [
        "item.prompt-id.lower-case",
        "item.job-number.one-based",
        "queue.job-numbers.rising",
    ]
    assert [name for name, _ in told(validate(body, must_only=True))] == ["item.job-number.one-based"]


def test_each_dialect_demands_its_own_order() -> None:
    body = queue(swapped())
    assert [name for name, _ in told(validate(body))] == ["item.element-order"]
    assert validate(body, dialect="oss") == validate(body, dialect="auto") == ()


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{", b'{"queue_pending": [NaN]}', b"[" * 5000])
def test_whatever_stands_in_a_body_is_told_and_never_raised(body: bytes) -> None:
    assert validate(body)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_may_come_in_any_form(kind: type[bytearray | memoryview]) -> None:
    assert validate(kind(GOOD)) == ()


def test_what_is_no_bytes_or_no_dialect_is_refused_by_name() -> None:
    with pytest.raises(TypeError, match="body is str: give the bytes of the response body"):
        validate(GOOD.decode())  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="dialect is 'local': cloud, oss or auto"):
        Validator("local")


def test_one_validator_serves_many_threads() -> None:
    validator = Validator()
    bodies = [queue(item(1), item(2, e0=-number)) for number in range(64)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(validator.validate, bodies * 4))
    assert found == [validate(body) for body in bodies] * 4


def test_nothing_is_kept_from_one_call_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = looks_at(monkeypatch)
    for _ in range(3):
        validate(GOOD)
    assert len(looked) == 6


def looks_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note each job that is looked at, by its bytes."""
    looked: list[int] = []
    for prover in (Prover, MustProver):
        look = prover.inspect

        def noting(self: Any, element: Any, look: Any = look) -> Any:
            texts = element if isinstance(element, list) else [element]
            looked.append(sum(memoryview(text).nbytes for text in texts))
            return look(self, element)

        monkeypatch.setattr(prover, "inspect", noting)
    return looked


@pytest.mark.parametrize("must_only", [False, True])
def test_the_work_grows_with_the_jobs_and_no_faster(monkeypatch: pytest.MonkeyPatch, must_only: bool) -> None:  # noqa: FBT001
    looked = looks_at(monkeypatch)
    validator = Validator(must_only=must_only)
    work = []
    for jobs in (50, 500):
        looked.clear()
        assert validator.validate(queue(*(item(number) for number in range(1001, 1001 + jobs)))) == ()
        work.append((len(looked), sum(looked)))
    (jobs, size), (ten_times, ten_times_size) = work
    assert ten_times == 10 * jobs
    assert ten_times_size == 10 * size


def test_of_many_good_jobs_and_one_bad_the_bad_one_alone_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    parse = conformance.contract.reading.body.parse  # type: ignore[attr-defined]

    def noting(body: bytes) -> Any:
        built.append(len(body))
        return parse(body)

    monkeypatch.setattr("conformance.contract.reading.body.parse", noting)
    body = queue(*(item(number) for number in range(1, 1001)), item(1001, e0=0))
    assert [name for name, _ in told(validate(body))] == ["item.job-number.one-based", "queue.job-numbers.rising"]
    assert sum(built) < len(body) / 20


MEMORY = """
import json, sys
from pathlib import Path
from conformance import Validator

def peak():
    if sys.platform == "linux":  # ru_maxrss begins with what the parent held
        return 1024 * int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

read = {reader}
read(b'{{"queue_running":[],"queue_pending":[]}}')
body = Path(sys.argv[1]).read_bytes()
before = peak()
found = read(body)
print(peak() - before)
"""


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = {
        str(number): {"class_type": "KSampler", "inputs": {"text": "a cat, é " * 20, "model": ["1", 0]}}
        for number in range(1, 61)
    }
    path = tmp_path_factory.mktemp("large") / "queue.json"
    path.write_bytes(queue(*(item(number, e2=nodes, e3=["9"]) for number in range(1, 1501))))
    assert validate(path.read_bytes(), must_only=True) == ()
    return path


def memory_above(body: Path, reader: str) -> int:
    """Return by how many bytes the peak of a process grows while it reads a body that it holds."""
    command = [sys.executable, "-c", MEMORY.format(reader=reader), str(body)]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=120).stdout)


unless_windows = pytest.mark.skipif(sys.platform == "win32", reason="the peak of a process is not told there")


@unless_windows
def test_what_must_be_takes_at_most_half_the_memory_of_the_body(large: Path) -> None:
    size = large.stat().st_size
    assert size > 20_000_000
    assert memory_above(large, "Validator(must_only=True).validate") <= size / 2


@unless_windows
@pytest.mark.parametrize("reader", ["json.loads", "lambda body: [body.decode(), body.decode()]"])
def test_more_memory_than_that_would_be_seen(large: Path, reader: str) -> None:
    assert memory_above(large, reader) > large.stat().st_size / 2


def test_importing_the_package_loads_its_version_only() -> None:
    script = "import sys, conformance; print(sorted(name for name in sys.modules if name.startswith('conformance.')))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "['conformance.version']"


def test_to_validate_loads_nothing_that_asks_or_reports() -> None:
    script = (
        "import sys, conformance; conformance.validate(b'{}')\n"
        "heavy = {'httpx', 'aiohttp', 'pytest', 'jinja2', 'hypothesis', 'schemathesis', 'yaml', 'asyncio', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_no_other() -> None:
    assert {name: getattr(conformance, name) for name in conformance.__all__}
    assert set(conformance.__all__) <= set(dir(conformance))
    with pytest.raises(AttributeError, match="module 'conformance' has no attribute 'nothing'"):
        _ = conformance.nothing


def test_a_server_is_checked_without_a_file_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFORMANCE_TARGET", "http://127.0.0.1:1")
    report = check("embedded")
    assert report.verdict is Verdict.CONFORMANT
    assert report.clause("item.prompt-id.uuid").judged
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_checked_is_refused_in_one_line() -> None:
    with pytest.raises(UsageProblem, match="not an http or https URL"):
        check("ftp://127.0.0.1")
    with pytest.raises(UsageProblem, match="api_key"):
        check("http://127.0.0.1:1", api_key="a b")


def test_a_key_and_headers_reach_the_settings_and_no_report() -> None:
    report = check(
        "http://127.0.0.1:1", api_key="sesame-4711", headers={"Authorization": "Bearer sesame-4712"}, deadline=5
    )
    assert report.verdict is Verdict.INCONCLUSIVE
    assert "sesame" not in json.dumps(report.run.options)
