"""Fresh answers from a seed: the same again, no job twice, kept out of the way, and accused by nobody."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, islice, pairwise, repeat
from pathlib import Path
from statistics import median
from subprocess import PIPE, Popen
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, Verbosity, settings

from conformance.contract.terms import Dialect
from conformance.exchange.secrets import Secret
from conformance.judge.judge import judge
from conformance.judge.report import Status, Verdict
from conformance.reference import generated
from conformance.reference.message import IncomingRequest
from conformance.reference.server import serve
from conformance.run.one_run import check
from conformance.run.settings import Settings
from helpers.answers import broken, reads
from helpers.commands import BIN, TIMEOUT, command_line, environment, report, started
from helpers.profiles import one_in

FEW = 16
"""Answers, of several batches."""


def take(seed: int, number: int, dialect: Any = "cloud") -> list[bytes]:
    return list(islice(generated.answers(seed, dialect), number))


@cache
def drawn(dialect: str = "cloud") -> tuple[bytes, ...]:
    """Return sixty answers from seed 0: drawing takes most of the time of these tests."""
    return tuple(take(0, 3 * FEW, dialect))


def ids(body: bytes) -> set[str]:
    info = json.loads(body)
    return {item[1] for item in [*info["queue_running"], *info["queue_pending"]]}


# --- the sequence -----------------------------------------------------------------------------------------------------


def test_queues_of_many_sizes_come_and_no_job_comes_twice() -> None:
    seen = [ids(body) for body in drawn()]
    assert {0, 1, 2, 6} <= {len(each) for each in seen}
    assert sum(map(len, seen)) == len(set().union(*seen))


def test_a_seed_gives_its_answers_again_and_others_to_other_seeds() -> None:
    first, again, other = drawn()[:FEW], take(0, FEW), take(6, FEW)
    assert first == tuple(again)
    assert sum(one == two for one, two in zip(first, other, strict=True)) < FEW / 2
    assert len(set(first)) > FEW / 2


def test_what_is_drawn_for_tests_around_does_not_change_it() -> None:
    before = drawn()[:FEW]
    settings.register_profile(
        "somebody's",
        derandomize=True,
        max_examples=1,
        phases=[Phase.explicit],
        verbosity=Verbosity.verbose,
        suppress_health_check=[HealthCheck.too_slow],
    )
    usual = settings.get_current_profile_name()
    settings.load_profile("somebody's")
    try:
        assert tuple(take(0, FEW)) == before
    finally:
        settings.load_profile(usual)


@pytest.mark.parametrize("dialect", ["cloud", "oss"])
def test_no_clause_accuses_a_sequence_of_reads(dialect: str) -> None:
    is_accused_of_nothing(drawn(dialect)[:FEW], dialect)


@pytest.mark.deep
@pytest.mark.parametrize("dialect", ["cloud", "oss"])
@pytest.mark.parametrize("seed", [1, 20251123])
def test_no_clause_accuses_sequences_of_other_seeds(seed: int, dialect: str) -> None:
    is_accused_of_nothing(take(seed, 3 * FEW, dialect), dialect)


def is_accused_of_nothing(bodies: Iterable[bytes], dialect: str) -> None:
    """Assert that no clause accuses the bodies, under their dialect and under the one that is found out."""
    exchanges = reads(*bodies)
    for asked in (Dialect(dialect), Dialect.AUTO):
        judgement = judge(exchanges, asked)
        assert broken(judgement) == set()
        assert Status.ERROR not in {result.status for result in judgement.results}


def test_a_job_that_came_again_would_be_accused() -> None:
    accused = set()
    for one, two in pairwise(body for body in drawn() if ids(body)):
        info = json.loads(two)
        [*info["queue_running"], *info["queue_pending"]][0][1] = min(ids(one))
        accused |= broken(judge(reads(one, json.dumps(info).encode())))
    assert "reads.job-data" in accused


def test_a_request_waits_for_a_few_draws_only() -> None:
    """A client with a timeout of a second gets every answer. CPU time, which a busy machine does not stretch."""
    reference = serve(generate=9).reference
    seconds = []
    for _ in range(10):
        began = time.thread_time()
        reference.answer(IncomingRequest("GET", "/api/queue"))
        seconds.append(time.thread_time() - began)
    assert median(seconds) < 0.2
    assert max(seconds) < 1


# --- the endpoint -----------------------------------------------------------------------------------------------------


def test_head_tells_of_the_answer_that_the_next_get_gives() -> None:
    reference = serve(bodies=iter([b"a", b"bc", b"def"])).reference
    methods = ["GET", "HEAD", "HEAD", "OPTIONS", "GET", "HEAD", "GET"]
    replies = [reference.answer(IncomingRequest(method, "/api/queue")) for method in methods]
    assert [reply.body for reply in replies] == [b"a", b"bc", b"bc", b"", b"bc", b"def", b"def"]


def test_who_is_refused_uses_up_no_answer() -> None:
    reference = serve(bodies=iter([b"a", b"b"]), key="the-key").reference
    keys = ["the-key", "another", "the-key"]
    replies = [reference.answer(IncomingRequest("GET", "/api/queue", headers=(("X-API-Key", key),))) for key in keys]
    assert [reply.status for reply in replies] == [200, 401, 200]
    assert (replies[0].body, replies[2].body) == (b"a", b"b")


def test_faults_of_the_text_and_of_the_answer_are_told_of_fresh_answers_too() -> None:
    plain = serve(bodies=iter(drawn())).reference.answer(IncomingRequest("GET", "/api/queue"))
    marked = serve(bodies=iter(drawn()), fault="bom").reference.answer(IncomingRequest("GET", "/api/queue"))
    assert marked.body == b"\xef\xbb\xbf" + plain.body


@pytest.mark.parametrize("variant", one_in(2, ["default", "gzip", "key-enforced", "etag", "oss"]))
def test_an_honest_check_accuses_it_of_nothing(variant: str) -> None:
    bodies = None if variant == "default" else chain(drawn("oss" if variant == "oss" else "cloud"), repeat(b"{}"))
    with serve(variant, generate=11 if bodies is None else None, bodies=bodies) as endpoint:
        key = Secret(endpoint.key) if endpoint.key else None
        dialect = Dialect.OSS if variant == "oss" else Dialect.CLOUD
        found = check(Settings(target=endpoint.url, key=key, dialect=dialect))
    assert [result.id for result in found.clauses if result.evidence] == []
    assert found.verdict is not Verdict.NON_CONFORMANT
    assert found.counts.error == 0


# --- the command ------------------------------------------------------------------------------------------------------


@contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[str, str]]:
    """Yield the URL that is served, and what was said."""
    with started(folder, "comfy-conformance", "serve", "--port", "0", *arguments) as process:
        line = process.err.readline()
        yield line.split("/api/queue")[0].removeprefix("serving "), line
        process.signal(signal.SIGINT)
        assert process.end().returncode == 0


def bodies(url: str, number: int) -> list[bytes]:
    with httpx.Client(trust_env=False, timeout=TIMEOUT) as client:
        return [client.get(f"{url}/api/queue").content for _ in range(number)]


@pytest.mark.deep
@pytest.mark.parametrize("told", [False, True])
def test_hypothesis_leaves_its_tables_only_where_it_is_told(tmp_path: Path, *, told: bool) -> None:
    """In a fresh process, because a warm one has the tables already."""
    work, tables = tmp_path / "work", tmp_path / "tables"
    work.mkdir()
    told_so = {"HYPOTHESIS_STORAGE_DIRECTORY": str(tables)} if told else {}
    command = (BIN / "comfy-conformance", "serve", "--port", "0", "--generate")
    with Popen(command, cwd=work, env=environment(**told_so), stderr=PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().split("/api/queue")[0].removeprefix("serving ")
        bodies(url, 1)
        process.send_signal(signal.SIGINT)
    assert list(work.iterdir()) == []
    assert tables.exists() is told


def test_the_seed_is_printed_and_serves_the_same_again(tmp_path: Path) -> None:
    with serving(tmp_path, "--generate") as (url, line):
        first = bodies(url, 12)
    seed = re.search(r"random responses from --seed (\d+);", line)
    assert seed, line
    with serving(tmp_path, "--generate", "--seed", seed[1]) as (url, _):
        again = bodies(url, 12)
    assert first == again
    assert len(set(first)) > 6
    assert list(tmp_path.iterdir()) == []


@pytest.mark.deep
def test_the_command_check_accuses_it_of_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, "--generate", "--seed", "1") as (url, _):
        done = command_line(tmp_path, "check", url)
    assert done.returncode in (0, 10), done.stdout
    assert report(tmp_path)["verdict"] in {"conformant", "inconclusive"}
    assert [clause["id"] for clause in report(tmp_path)["clauses"] if clause["evidence"]] == []


def test_a_fault_of_what_is_listed_does_not_go_with_it(tmp_path: Path) -> None:
    done = command_line(tmp_path, "serve", "--port", "0", "--generate", "--fault", "comfyui-order")
    assert done.returncode == 4
    assert "--fault comfyui-order cannot be combined with --generate" in done.stderr
