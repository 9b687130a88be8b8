"""The README and the pages for users keep what they say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.cli import VERBS
from conformance.cli.check import check
from conformance.judge.report import Verdict
from conformance.reference.server import serve
from conformance.render.advice import REMEDIES
from helpers.answers import item, queue

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LIBRARY = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
CONDUCT = (ROOT / "docs" / "conduct.md").read_text(encoding="utf-8")


def test_the_readme_has_at_most_900_words() -> None:
    assert len(README.split()) <= 900


def test_the_first_paragraph_names_the_document_and_schemathesis() -> None:
    first = README.split("\n\n")[1]
    assert "openapi-cloud.get-queue.yaml" in first
    assert "Schemathesis" in first


@pytest.mark.parametrize("page", [README, CONDUCT], ids=["README", "conduct"])
def test_a_tunnel_is_said_to_be_loopback_and_one_request_to_ask_as_a_browser(page: str) -> None:
    text = " ".join(page.split())
    assert "One request imitates a browser (with the key)" in text
    assert "--rate-limit" in text.partition("A tunnel to production")[2]
    assert "--show-workflows" in text


def test_the_page_of_options_lists_every_option_of_check_and_no_other() -> None:
    options = {name for parameter in check.params for name in parameter.opts if name.startswith("--")}
    page = (ROOT / "docs/options.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE)) == options


def test_the_output_says_what_a_run_says_about_a_stock_comfyui() -> None:
    assert f"What to do    {REMEDIES['comfyui-order']}" in README


def test_every_verb_is_shown() -> None:
    assert set(re.findall(r"^    (?:\S+=\S+ )?comfy-conformance (\w+)", README, re.MULTILINE)) == set(VERBS)


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def run_code(page: str, number: int, *, body: bytes = b"", url: str = "") -> dict[str, Any]:
    """Run one of the blocks of Python, on a body or against an endpoint that is there; return what it names."""
    code = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[number]
    names: dict[str, Any] = {"body": body}
    exec(code.replace("http://127.0.0.1:8188", url), names)  # noqa: S102 - it is our own
    return names


def test_the_line_for_test_suites_makes_a_test() -> None:
    assert callable(run_code(README, 0)["test_queue_contract"])


@pytest.mark.parametrize(("page", "number"), [(README, 1), (LIBRARY, 0)], ids=["README", "library"])
def test_the_code_that_validates_a_body_prints_what_is_broken(
    page: str, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run_code(page, number, body=queue(item(1)))
    assert capsys.readouterr().out == ""
    run_code(page, number, body=queue(item(1, e0="1")))
    assert capsys.readouterr().out.startswith("must item.job-number.number /queue_pending/0/0 ")


def test_the_code_that_makes_a_validator_names_the_broken_clauses() -> None:
    assert run_code(LIBRARY, 1, body=queue(item(1)))["broken"] == []
    assert run_code(LIBRARY, 1, body=queue(item(1, e0="1")))["broken"] == ["item.job-number.number"]


def test_the_code_that_checks_a_server_says_which_clauses_it_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    with serve() as endpoint:
        assert run_code(LIBRARY, 2, url=endpoint.url)["report"].verdict is Verdict.CONFORMANT
    assert capsys.readouterr().out == ""
    with serve(fault="seconds") as endpoint:
        assert run_code(LIBRARY, 2, url=endpoint.url)["report"].verdict is Verdict.NON_CONFORMANT
    assert "item.create-time.milliseconds" in capsys.readouterr().out
