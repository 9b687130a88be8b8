"""The Kubernetes manifest in docs/ passes the schemas of Kubernetes, and its command is valid."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.cli.check import check
from conformance.version import __version__
from helpers.programs import LINTERS, missing

MANIFEST = Path(__file__).parents[2] / "docs/fleet.kubernetes.yaml"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))
OLDEST = "1.31"
"""backoffLimitPerIndex is on by default since 1.29, podFailurePolicy is stable since 1.31."""


@pytest.fixture
def kubernetes_validate() -> Any:
    try:
        return importlib.import_module("kubernetes_validate")
    except ModuleNotFoundError:
        missing("kubernetes-validate", LINTERS)


@pytest.mark.parametrize("version", [OLDEST, None], ids=["oldest", "newest"])
def test_each_document_keeps_the_schema_of_kubernetes(kubernetes_validate: Any, version: str | None) -> None:
    assert [document["kind"] for document in DOCUMENTS] == ["CronJob", "PersistentVolumeClaim"]
    for document in DOCUMENTS:
        kubernetes_validate.validate(document, version or kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("wrong", [{"completionMod": "Indexed"}, {"completions": "sixteen"}])
def test_the_schema_sees_what_is_wrong(kubernetes_validate: Any, wrong: dict[str, object]) -> None:
    document = copy.deepcopy(DOCUMENTS[0])
    document["spec"]["jobTemplate"]["spec"] |= wrong
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, OLDEST, strict=True)


def test_its_command_is_one_of_ours_and_its_parts_are_as_many_as_its_pods() -> None:
    job = DOCUMENTS[0]["spec"]["jobTemplate"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    assert container["image"] == f"comfy-conformance:{__version__}"
    assert [*container["command"], container["args"][0]] == ["comfy-conformance", "check"]
    arguments = [argument.replace("$(JOB_COMPLETION_INDEX)", "3") for argument in container["args"][1:]]
    given = check.make_context("check", arguments).params
    assert given["part"] == f"3/{job['completions']}"
    assert job["parallelism"] == job["completions"]
    assert given["resume"] is True
