"""The contract as tests in somebody else's suite: the example of the docs, and one that fails."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.contract.catalogue import CATALOGUE
from conformance.problems import UsageProblem
from conformance.testing import contract_tests
from helpers.commands import BIN, plain_pytest, run

PAGE = Path(__file__).parents[2] / "docs" / "own-tests.md"
SERVED = """
import pytest
from conformance.reference.server import serve
from conformance.testing import contract_tests

@pytest.fixture(scope="session")
def url():
    with serve(fault="sorts-by-a-parameter") as endpoint:
        yield endpoint.url
"""
FAULTY = f"""{SERVED}
@pytest.fixture
def nowhere():
    return "http://127.0.0.1:1"

test_faulty = contract_tests("url", seed=1)
test_unreachable = contract_tests("nowhere", inconclusive_ok=True, properties=0)
"""


def test_the_example_of_the_docs_passes_under_strict_markers_and_xdist(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "test_gateway.py").write_text(code, encoding="utf-8")
    chosen = "verdict or prompt-id or undeclared"
    done = run(tmp_path, BIN / "pytest", "--strict-markers", "-v", "-n", "1", "-k", chosen, "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-3000:]
    for item in ("verdict", "item.prompt-id.uuid", "GET /api/queue / undeclared query"):
        assert re.search(rf"PASSED test_gateway.py::test_queue_contract\[{re.escape(item)}\]", done.stdout)
    assert {path.name for path in tmp_path.iterdir()} - {"__pycache__"} == {"test_gateway.py"}


def test_a_breach_fails_its_clause_its_family_and_the_verdict_and_nobody_answering_is_no_pass(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(FAULTY, encoding="utf-8")
    chosen = "verdict or oldest-first or undeclared"
    done = plain_pytest(tmp_path, "-q", "-k", chosen, "-p", "no:cacheprovider")
    assert done.returncode == 1, done.stdout
    failed = re.findall(r"^FAILED test_own.py::(\S+\[[^\]]+\])", done.stdout, re.MULTILINE)
    assert failed == [
        "test_faulty[verdict]",
        "test_faulty[queue.pending.oldest-first]",
        "test_faulty[GET /api/queue / undeclared query]",
        "test_unreachable[verdict]",
    ]
    assert re.search(r"curl .*\?sort=", done.stdout)
    assert "seed 1" in done.stdout


def test_chosen_clauses_have_an_item_each_and_the_others_none(tmp_path: Path) -> None:
    code = FAULTY.replace("seed=1", 'clause=["item.prompt-id.*"], properties=0')
    (tmp_path / "test_own.py").write_text(code, encoding="utf-8")
    chosen = "test_faulty and (item or queue or verdict)"
    done = plain_pytest(tmp_path, "-v", "-k", chosen, "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    items = re.findall(r"test_faulty\[(?!GET)(\S+)\] PASSED", done.stdout)
    assert items == ["verdict", *(clause.id for clause in CATALOGUE if clause.id.startswith("item.prompt-id."))]
    with pytest.raises(UsageProblem, match=r"matches no clause: did you mean item\.array"):
        contract_tests("url", clause=["itm.array"])


def test_an_unknown_option_is_refused_where_it_is_written() -> None:
    for given, nearest in {"sede": "seed", "inconclusive": "inconclusive_ok", "deviation": "deviations"}.items():
        told = rf"contract_tests\(\) has no option '{given}': did you mean {nearest}\?"
        with pytest.raises(TypeError, match=told):
            contract_tests("url", **{given: 1})  # type: ignore[arg-type]


WAIVED = f"""{SERVED}
test_waived = contract_tests("url", seed=1, deviations="known.toml")
test_stale = contract_tests("url", deviations="stale.toml", properties=0)
"""
ENTRY = """
[[deviation]]
clause = "queue.pending.oldest-first"
place = "/queue_pending/*/4/create_time"
kind = "newest-first"
reason = "The parameter sort is ours."
issue = "https://tracker.example/1"
owner = "queue team"
since = 2026-01-01
expires = 9999-01-01
dialect = "cloud"
target = "http://127.0.0.1:*"
"""


def test_known_deviations_are_expected_failures_and_stale_ones_fail_the_verdict(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(WAIVED, encoding="utf-8")
    (tmp_path / "known.toml").write_text(ENTRY, encoding="utf-8")
    (tmp_path / "stale.toml").write_text(ENTRY, encoding="utf-8")
    done = plain_pytest(
        tmp_path, "-rfx", "-v", "-k", "verdict or oldest-first or undeclared", "-p", "no:cacheprovider", "."
    )
    outcomes = dict(re.findall(r"test_own.py::(\S+\[[^\]]+\]) ([A-Z]+)", done.stdout))
    assert outcomes == {
        "test_waived[verdict]": "PASSED",
        "test_waived[queue.pending.oldest-first]": "XFAIL",
        "test_waived[GET /api/queue / undeclared query]": "XFAIL",
        "test_stale[verdict]": "FAILED",
        "test_stale[queue.pending.oldest-first]": "PASSED",
        "test_stale[GET /api/queue / undeclared query]": "SKIPPED",
    }, done.stdout + done.stderr
    assert "waived: The parameter sort is ours (https:" in done.stdout
    assert "stale.toml has stale or expired entries" in done.stdout


def test_a_register_that_cannot_be_read_is_refused_where_it_is_written(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match=r"the register .*none\.toml cannot be read \(No such file"):
        contract_tests("url", deviations=tmp_path / "none.toml")
