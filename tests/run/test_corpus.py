"""The corpus: what it holds, and that ``judge`` reports of each file what its case expects."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from conformance.cli import main
from conformance.reference.faults import FAULTS
from conformance.reference.variants import VARIANTS
from conformance.run.corpus import NAMES, write_corpus

JUDGED = ("counts-from-zero-when-not-cached", "default", "oss", "empty-queue")


@pytest.fixture(scope="module")
def names(pytestconfig: pytest.Config) -> tuple[str, ...]:
    """Return some variants and faults, all of them in the deep profile."""
    return NAMES if pytestconfig.option.deep else tuple(dict.fromkeys((*JUDGED, *NAMES[::16])))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, names: tuple[str, ...]) -> Path:
    place = tmp_path_factory.mktemp("corpus")
    assert write_corpus(place, names) == len(cases(place))
    return place


def cases(corpus: Path) -> list[dict[str, Any]]:
    index = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
    return [json.loads((corpus / name).read_text(encoding="utf-8")) for name in index["cases"]]


def test_every_variant_and_every_fault_that_one_response_shows_is_a_case(corpus: Path, names: tuple[str, ...]) -> None:
    found = {(case["kind"], case["name"]) for case in cases(corpus)}
    assert {name for kind, name in found if kind == "variant"} == set(VARIANTS) & set(names)
    faults = {name for kind, name in found if kind == "fault"}
    single = {
        name
        for name, fault in FAULTS.items()
        if name in names and fault.clause.startswith(("item.", "json.", "error.", "envelope."))
    }
    assert len(single - faults) <= len(single) // 5
    assert faults <= set(FAULTS) & set(names)
    assert len(faults) > len(names) // 5


@pytest.mark.deep
def test_the_command_writes_every_case(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["publish", "corpus", str(tmp_path)])
    assert (done.exit_code, done.output) == (0, f"{len(cases(tmp_path))} cases in {tmp_path}\n")
    assert len(cases(tmp_path)) > len(VARIANTS)


def test_every_case_keeps_the_schema_and_says_what_its_bytes_are(corpus: Path) -> None:
    validator = Draft202012Validator(json.loads((corpus / "case.schema.json").read_text(encoding="utf-8")))
    for case in cases(corpus):
        validator.validate(case)
        response = case["response"]
        whole = (corpus / response["file"]).read_bytes()
        assert whole.startswith(f"HTTP/1.1 {response['status']} ".encode()) or b"HTTP/1.0" in whole[:9]
        body = b64decode(response["body"]) if response["encoding"] == "base64" else response["body"].encode()
        coded = any(name.lower() in {"content-encoding", "transfer-encoding"} for name, _ in response["headers"])
        hidden = b"a-key-of-the-corpus" in whole  # recordings are read without keys
        assert coded or hidden or case["request"]["method"] == "HEAD" or whole.endswith(body)


def test_a_fault_is_expected_to_break_its_clause_and_a_variant_to_break_no_must(corpus: Path) -> None:
    for case in cases(corpus):
        broken = {entry["clause"]: entry["level"] for entry in case["expected"]["broken"]}
        if case["kind"] == "fault":
            assert FAULTS[case["name"]].clause in broken
        else:
            assert "must" not in broken.values(), case["name"]


@pytest.mark.parametrize("name", [f"{'fault' if name in FAULTS else 'variant'}-{name}" for name in JUDGED])
def test_judge_reports_what_the_case_expects(corpus: Path, tmp_path: Path, name: str) -> None:
    case = json.loads((corpus / f"{name}.json").read_text(encoding="utf-8"))
    file, dialect = corpus / case["response"]["file"], case["dialect"]
    CliRunner().invoke(main, ["judge", str(file), "--dialect", dialect, "--report-dir", str(tmp_path)])
    report = json.loads((tmp_path / "compliance.json").read_text(encoding="utf-8"))
    broken = [result["id"] for result in report["clauses"] if result["status"] in {"fail", "warn"}]
    assert report["verdict"] == case["expected"]["verdict"]
    assert broken == [entry["clause"] for entry in case["expected"]["broken"]]


@pytest.mark.deep
def test_the_corpus_expects_the_same_whenever_it_is_made(corpus: Path) -> None:
    from conformance.run.corpus import case_json
    from conformance.run.corpus import cases as made

    then = {f"{case['kind']}-{case['name']}": case["expected"] for case in cases(corpus)}
    assert {case.stem: json.loads(case_json(case))["expected"] for case in made()} == then


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = CliRunner().invoke(main, ["publish", "corpus", str(tmp_path / "file" / "x")])
    assert done.exit_code == 4
    assert "cannot be written" in done.output
