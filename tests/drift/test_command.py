"""``comfy-conformance drift`` tells changes with an exit status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import Result

from conformance.spec.document import (
    DOCUMENT_SHA256,
    document_bytes,
    load_corrected,
    load_document,
)
from helpers import cli_runner
from helpers.commands import NOWHERE
from helpers.published_documents import ITEM, Serving, http, whole


def call(*arguments: str | Path) -> Result:
    """Call the verb within this process."""
    return cli_runner.call("drift", *arguments)


def test_no_drift_is_0_and_drift_is_1(serving: Serving) -> None:
    same, _ = serving(http(whole(load_document())))
    other, _ = serving(http(document_bytes().replace(b"Job UUID", b"Job name")))
    result = call("--url", same, "-q")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("No drift: ")
    result = call("--url", other)
    assert result.exit_code == 1
    assert f"changed {ITEM}/description" in result.stdout
    assert "quoted by item.prompt-id.uuid" in result.stdout
    assert result.stdout.splitlines()[-1] == "Drift: 1 change, 4 clauses quote removed text"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"", "403 Forbidden"), "the response has status 403"),
        (
            http("<html>::error::x"),
            "it is not an OpenAPI document: give the --url of one, or of a page that contains one",
        ),
        (None, "Connection refused"),
    ],
    ids=["refused", "no document", "offline"],
)
def test_where_nothing_is_known_it_is_11_and_one_line(serving: Serving, answer: bytes | None, why: str) -> None:
    url = NOWHERE if answer is None else serving(answer)[0]
    result = call("--url", url)
    assert result.exit_code == 11
    assert result.stdout == ""
    assert result.stderr == f"not compared: {url}: {why}\n"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (["--url", "openapi.yaml"], "--url: openapi.yaml is not an http or https URL: give https://openapi.yaml"),
        (["--url", __file__], "is a file, and only http and https are supported: run"),
        (["--url", "file:///openapi.yaml"], "is a file, and only http and https are supported: run"),
        (["--url", "docs.comfy.org/openapi"], "give https://docs.comfy.org/openapi"),
        (["--url", "http://[::1"], "is not a valid URL"),
        (["--url", "https://t/a?b=c"], "contains a query, a fragment or spaces"),
        (["--url", "http://127.0.0.1:8188/api/queue"], "is the queue itself: give the address of the OpenAPI document"),
        (["--url", ""], "--url is empty"),
        (["--url", "embedded"], "embedded is not an http or https URL"),
        (["--url", "http://user:password@t/"], "--url contains a user name or password"),
        (["--proxy-env", "UNSET_PROXY"], "UNSET_PROXY, which is not an http or https URL"),
    ],
)
def test_what_was_typed_wrong_is_4(typed: list[str], why: str) -> None:
    cli_runner.is_refused(call(*typed), why)


@pytest.mark.parametrize(
    "answer", [None, http("<html>"), http("", "404 Not Found"), http("", "302 Found", "Location: https://t.invalid/")]
)
def test_where_the_usual_place_has_no_document_another_can_be_named(
    serving: Serving, monkeypatch: pytest.MonkeyPatch, answer: bytes | None
) -> None:
    monkeypatch.setattr("conformance.drift.differences.PUBLISHED_AT", NOWHERE if answer is None else serving(answer)[0])
    result = call()
    assert result.exit_code == 11
    (told,) = result.stderr.splitlines()
    assert told.endswith(": name another address of the document with --url")
    assert "give the --url of one" not in told


def test_programs_and_pages_get_the_same(serving: Serving) -> None:
    url, _ = serving(http(yaml.safe_dump(load_corrected())))
    found = json.loads(call("--url", url, "--format", "json").stdout)
    assert found["drift"] is True
    assert found["published"]["url"] == url
    assert found["vendored"] == {"sha256": DOCUMENT_SHA256}
    assert {each["state"] for each in found["errata"]} == {"mended"}
    assert {change["kind"] for change in found["changes"]} == {"added", "removed", "changed"}
    page = call("--url", url, "--format", "markdown").stdout
    assert page.startswith("## ❗ Drift: ")
    assert "| removed | `/components/schemas/QueueItem/items/oneOf` |" in page
