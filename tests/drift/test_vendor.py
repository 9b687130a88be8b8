"""``tools/vendor.py`` replaces the vendored document."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from vendor import Unvendored, main, revendor

from conformance.drift.published import read
from conformance.spec.document import (
    DOCUMENT_SHA256,
    document_bytes,
    load_document,
)
from helpers.commands import BIN, run
from helpers.published_documents import Serving, http, whole

ROOT = Path(__file__).parents[2]


def vendor(*arguments: str | Path) -> Result:
    """Call ``tools/vendor.py`` within this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


# Vendoring


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Copy of what a checkout has of the document and its tests."""
    for name in ("openapi", "conformance"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/spec/test_document.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def files(checkout: Path) -> dict[str, bytes]:
    """Return all files by name."""
    return {str(path.relative_to(checkout)): path.read_bytes() for path in checkout.rglob("*") if path.is_file()}


def test_what_is_published_is_vendored_and_the_tests_say_what_to_look_at(serving: Serving, checkout: Path) -> None:
    document = load_document()
    document["paths"]["/api/queue"]["get"]["responses"]["500"]["description"] = "Internal server error"
    url, _ = serving(http(whole(document)))
    before = files(checkout)
    result = vendor("--url", url, checkout)
    assert result.exit_code == 0
    assert "next, run pytest tests/spec/test_document.py" in result.stdout
    after = files(checkout)
    vendored = after["openapi/openapi-cloud.get-queue.yaml"]
    assert yaml.safe_load(vendored) == document
    digest = hashlib.sha256(vendored).hexdigest()
    assert {name for name in after if before.get(name) != after[name]} == {
        "openapi/openapi-cloud.get-queue.yaml",
        "openapi/openapi-cloud.get-queue.yaml.sha256",
        "openapi/PROVENANCE.md",
        "conformance/spec/document.py",
    }
    assert f"- Published at: <{url}>".encode() in after["openapi/PROVENANCE.md"]
    for name in (
        "openapi/openapi-cloud.get-queue.yaml.sha256",
        "openapi/PROVENANCE.md",
        "conformance/spec/document.py",
    ):
        assert digest.encode() in after[name]
        assert DOCUMENT_SHA256.encode() not in after[name]
    tests = run(
        checkout,
        BIN / "pytest",
        "-p",
        "xdist.plugin",
        "-n0",
        "-q",
        "-p",
        "no:cacheprovider",
        PYTHONPATH=str(checkout),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    failed = {line.partition("::")[2].partition(" ")[0] for line in tests.stdout.splitlines() if "FAILED" in line[:6]}
    assert failed == {"test_the_published_description_of_500_is_that_of_400"}
    assert "Delete this test and the action 'responses.server-error'" in tests.stdout


def test_the_provenance_has_the_day(checkout: Path) -> None:
    published = read(document_bytes().replace(b"Job UUID", b"Job name"))
    revendor(checkout, published, url="http://t/", today=date(2027, 1, 2))
    assert "- Vendored: 2027-01-02.\n" in (checkout / "openapi/PROVENANCE.md").read_text("utf-8")


def test_without_drift_nothing_is_written(serving: Serving, checkout: Path) -> None:
    url, _ = serving(http(whole(load_document())))
    before = files(checkout)
    result = vendor("--url", url, checkout)
    assert (result.exit_code, result.stdout) == (0, "no drift: nothing was written\n")
    assert files(checkout) == before


def test_nothing_is_vendored_where_the_operation_is_gone(serving: Serving, checkout: Path) -> None:
    document = load_document()
    del document["paths"]["/api/queue"]
    url, _ = serving(http(yaml.safe_dump(document)))
    before = files(checkout)
    result = vendor("--url", url, checkout)
    assert result.exit_code == 1
    assert "no GET /api/queue any more: there is nothing to vendor" in result.stderr
    assert files(checkout) == before


def test_nothing_is_vendored_if_the_document_cannot_be_read(serving: Serving, checkout: Path) -> None:
    url, _ = serving(http(b"not found", status="404 Not Found"))
    before = files(checkout)
    result = vendor("--url", url, checkout)
    assert result.exit_code == 1
    (told,) = result.stderr.splitlines()
    assert told.startswith(f"Error: not compared: {url}: ")
    assert files(checkout) == before


def test_what_is_no_checkout_or_was_edited_is_left_alone(checkout: Path, tmp_path: Path) -> None:
    published = read(document_bytes().replace(b"Job UUID", b"Job name"))
    with pytest.raises(Unvendored, match=r"is not a checkout of this project: it has no openapi/PROVENANCE\.md"):
        revendor(tmp_path / "conformance", published, url="http://t/", today=date(2027, 1, 2))
    module = checkout / "conformance/spec/document.py"
    module.write_text(module.read_text("utf-8").replace(DOCUMENT_SHA256, "0" * 64), encoding="utf-8")
    before = files(checkout)
    with pytest.raises(Unvendored, match="has 0 matches of"):
        revendor(checkout, published, url="http://t/", today=date(2027, 1, 2))
    assert files(checkout) == before
