"""The families of generated requests as items of pytest: how they pass, fail, are skipped and selected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from conformance.reference.server import serve
from conformance.spec.document import DOCUMENT_SHA256
from helpers.commands import GENERATED, TWO_WORKERS, report, suite, whole_suite

FAMILIES = (
    "undeclared query",
    "content negotiation",
    "conditions and ranges",
    "origins",
    "caching and harmless headers",
    "sequences",
)


def lines_of(output: str, family: str) -> list[str]:
    return [line for line in output.splitlines() if f"::test_property[GET /api/queue / {family}]" in line]


def test_each_family_is_an_item_that_says_how_many_requests_kept_every_clause(tmp_path: Path) -> None:
    with serve() as endpoint:
        done = suite(tmp_path, "--target", endpoint.url, "--seed", "5", "-v", "--strict-markers")
    assert done.returncode == 0, done.stdout
    for family in FAMILIES:
        (line,) = lines_of(done.stdout, family)
        assert re.search(r"PASSED \d+ requests, seed 5, no clause broken", line), line
    (line,) = lines_of(done.stdout, "declared parameters")
    assert "SKIPPED" in line
    told = rf"60 requests that Schemathesis 4\.\S+ generates from the vendored document, SHA-256 {DOCUMENT_SHA256}"
    assert re.search(told, done.stdout)


def test_an_item_fails_with_the_smallest_request_and_the_others_pass(tmp_path: Path) -> None:
    with serve(fault="counts-from-zero-when-not-cached") as endpoint:
        done = suite(tmp_path, "--target", endpoint.url, "--seed", "5", "-v")
    assert done.returncode == 1
    failed = re.findall(r"^FAILED \S+::(\S+\[[^\]]+\])", done.stdout, re.MULTILINE)
    assert failed == [
        "test_clause[item.job-number.one-based]",
        "test_property[GET /api/queue / caching and harmless headers]",
    ]
    shown = done.stdout.partition("test_property[GET /api/queue / caching and harmless headers] ____")[2]
    assert re.search(r"item\.job-number\.one-based: \d+ of \d+ requests, seed 5", shown)
    assert "smallest request that shows it (5 of 5 times; a plain read in between: 0 of 5):" in shown
    assert re.search(r"curl .*-H 'Cache-Control: no-cache' http://127.0.0.1:\d+/api/queue$", shown, re.MULTILINE)
    (broken,) = [each for each in report(tmp_path)["properties"]["families"] if each["broken"]]
    assert broken["name"] == "caching and harmless headers"


@pytest.mark.parametrize(
    ("options", "passed"),
    [
        (["-m", "property"], True),
        (["--properties", "0", "-m", "property"], False),
        (["-m", "property", *TWO_WORKERS], True),
    ],
)
def test_items_are_selected_by_their_marker_and_skipped_without_requests(
    tmp_path: Path, options: list[str], *, passed: bool
) -> None:
    with serve() as endpoint:
        done = suite(tmp_path, "--target", endpoint.url, "-q", "-p", "no:cacheprovider", GENERATED, *options)
    told = re.findall(r"(\d+) (passed|skipped)", done.stdout)
    expected = {"passed": len(FAMILIES), "skipped": 1} if passed else {"skipped": len(FAMILIES) + 1}
    assert {word: int(number) for number, word in told} == expected, done.stdout
    assert (tmp_path / "reports" / "latest" / "compliance.json").exists() is passed
    if passed:
        written = report(tmp_path)
        assert (written["run"]["partial"], written["run"]["selected"]) == (True, "-m 'property'")
        assert written["properties"]["examples"] > 0


def test_the_plugin_of_schemathesis_changes_nothing(tmp_path: Path) -> None:
    outcomes = []
    with serve() as endpoint:
        for plugin in ([], ["-p", "no:schemathesis"]):
            options = ("--seed", "5", "-v", "-p", "no:cacheprovider", *plugin)
            done = whole_suite(tmp_path, "--target", endpoint.url, *options)
            found = re.findall(r"::(test_\w+\[[^\]]+\]) (PASSED|FAILED|SKIPPED|WARNED)", done.stdout)
            outcomes.append(
                (done.returncode, [(name, word) for name, word in found if "test_property" in name or "item." in name])
            )
    assert outcomes[0] == outcomes[1]
    assert len(outcomes[0][1]) > 20
