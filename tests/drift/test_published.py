"""The document is found in the published page, and an excerpt is made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from conformance.drift.differences import ErratumState, compare
from conformance.drift.published import NoDocument, excerpt, read
from conformance.spec.document import (
    OpenApiDocument,
    document_bytes,
    load_document,
)
from helpers.published_documents import whole


@pytest.mark.parametrize(
    "page",
    [
        document_bytes().decode(),
        whole(load_document()),
        json.dumps(load_document()),
        f"# Queue\n\n```bash\ncurl\n```\n\n````yaml openapi.yaml get /api/queue\n{document_bytes().decode()}````\n",
    ],
    ids=["excerpt", "whole", "JSON", "Markdown"],
)
def test_the_document_is_found_in_whatever_form_it_is_published(page: str) -> None:
    published = read(page.encode())
    drift = compare(published.document, url="http://t/", content=page.encode())
    assert not drift.found
    assert (drift.changes, drift.lost) == ((), ())
    assert {state for _, state in drift.errata} == {ErratumState.STANDS}


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (b"", "not an OpenAPI document"),
        (b"<!DOCTYPE html><html><body>not found</body></html>", "not an OpenAPI document|neither YAML nor JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"openapi: 3.0.3\npaths: []\n", "not an OpenAPI document"),
        (b"a: [b", "neither YAML nor JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"x: &x [1, 2]\nopenapi: 3.0.3\npaths: {a: *x}\n", "aliases"),
        (b"openapi: 3.0.3\npaths: {}\nx: 2026-99-99\n", "neither YAML nor JSON"),
        (b"openapi: 3.0.3\npaths: {}\nx: !!python/object/apply:os.system [id]\n", "neither YAML nor JSON"),
        (b"# Page\n\n```yaml\nopenapi: 3.0.3\n", "neither|no OpenAPI"),
    ],
    ids=["empty", "HTML", "UTF-16", "no paths", "broken", "deep", "aliases", "no date", "code", "open fence"],
)
def test_what_is_no_document_is_not_taken_for_one(page: bytes, why: str) -> None:
    with pytest.raises(NoDocument, match=why):
        read(page)


def test_statuses_that_are_written_as_numbers_are_the_same_statuses() -> None:
    page = document_bytes().replace(b"'200':", b"200:").replace(b"'500':", b"500:")
    assert page != document_bytes()
    assert not compare(read(page).document, url="", content=b"").found


def test_an_excerpt_is_the_publishers_own_lines() -> None:
    page = whole(load_document())
    text = excerpt(read(page.encode()))
    assert set(text.splitlines()) < set(page.splitlines())
    assert text.startswith("# Comfy\n")
    assert yaml.safe_load(text) == load_document()


def test_an_excerpt_of_an_excerpt_is_the_same_to_the_byte() -> None:
    assert excerpt(read(document_bytes())).encode() == document_bytes()


def test_an_excerpt_holds_what_the_operation_refers_to_also_by_way_of_others() -> None:
    def widened(document: OpenApiDocument) -> OpenApiDocument:
        schemas = document["components"]["schemas"]
        schemas["Metadata"] = {"$ref": "#/components/schemas/Times"}
        schemas["Times"] = {"allOf": [{"$ref": "#/components/schemas/Metadata"}]}
        schemas["QueueItem"]["items"]["oneOf"][4] = {"$ref": "#/components/schemas/Metadata"}
        return document

    found = yaml.safe_load(excerpt(read(whole(widened(load_document())).encode())))
    assert set(found["components"]["schemas"]) == {"QueueInfo", "QueueItem", "ErrorResponse", "Metadata", "Times"}


def test_an_excerpt_of_what_is_written_on_one_line_is_written_anew() -> None:
    text = excerpt(read(json.dumps(yaml.safe_load(whole(load_document()))).encode()))
    assert yaml.safe_load(text) == load_document()


@pytest.mark.parametrize("components", [[], "none", {"schemas": []}, {"securitySchemes": 1}, None])
def test_an_excerpt_of_what_is_odd_is_no_error(components: Any) -> None:
    page = yaml.safe_dump({"openapi": "3.0.3", "paths": {"/api/queue": {"get": {}}}, "components": components})
    assert yaml.safe_load(excerpt(read(page.encode())))["paths"] == {"/api/queue": {"get": {}}}
