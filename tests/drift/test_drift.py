"""Drift: the published document is fetched within bounds, read as data, compared, told and vendored."""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from jsonpath_ng.ext.parser import parse as jsonpath
from vendor import Unvendored, main, revendor

from conformance.drift.changes import ABSENT, Drift, ErratumState, compare
from conformance.drift.fetch import NotFetched, fetch
from conformance.drift.published import NoDocument, excerpt, read
from conformance.render import drift as told
from conformance.spec.document import (
    DOCUMENT_SHA256,
    Document,
    document_bytes,
    errata,
    load_corrected,
    load_document,
    resolve,
)
from helpers import cli_runner
from helpers.commands import BIN, NOWHERE, run
from helpers.servers import listening, saying

ROOT = Path(__file__).parents[2]
ITEM = "/components/schemas/QueueItem"
GET = "/paths/~1api~1queue/get"


def whole(document: Document) -> str:
    """Write a document as its publisher does: among other operations and schemas, with a comment."""
    larger = copy.deepcopy(document)
    larger["paths"] = {
        "/api/upload": {"post": {"responses": {}}},
        **{path: {**operations, "put": {"responses": {}}} for path, operations in document["paths"].items()},
        "/api/userdata": {"get": {"responses": {}}},
    }
    larger["components"]["schemas"] = {"Job": {"type": "object"}, **document["components"]["schemas"], "Last": {}}
    return "# Comfy\n" + yaml.safe_dump(larger, sort_keys=False)


def drifted(change: Callable[[Document], object]) -> Drift:
    """Compare a document that was changed in one thing."""
    document = load_document()
    change(document)
    return compare(document, url="http://t/", content=b"")


def reworded(document: Document, before: str, after: str) -> None:
    """Change the words of QueueItem's description."""
    schema = document["components"]["schemas"]["QueueItem"]
    assert before in schema["description"]
    schema["description"] = schema["description"].replace(before, after)


# Fetching


@pytest.fixture
def serving() -> Iterator[Callable[..., tuple[str, list[bytes]]]]:
    """Start servers that give one answer each; what they hear is returned with their URL."""
    with ExitStack() as stack:

        def start(answer: bytes | Callable[[bytes], bytes]) -> tuple[str, list[bytes]]:
            heard: list[bytes] = []
            port = stack.enter_context(
                listening(saying((lambda _: answer) if isinstance(answer, bytes) else answer, heard))
            )
            return f"http://127.0.0.1:{port}/openapi.yaml", heard

        yield start


def http(content: bytes | str = b"", status: str = "200 OK", *fields: str) -> bytes:
    """Return an answer as bytes."""
    body = content.encode() if isinstance(content, str) else content
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join([*head, "", ""]).encode() + body


Serving = Callable[..., tuple[str, list[bytes]]]


def test_a_page_comes_whole_and_nothing_of_ours_is_sent_but_a_name(
    serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMFY_API_KEY", "a-key-of-somebody")
    monkeypatch.setenv("HTTP_PROXY", NOWHERE)
    url, heard = serving(http(b"page"))
    assert fetch(url) == b"page"
    (head,) = heard
    names = {field.partition(b":")[0].lower() for field in head.split(b"\r\n")[1:] if field}
    assert names == {b"host", b"accept", b"accept-encoding", b"connection", b"user-agent"}
    assert b"comfy-queue-conformance/" in head


def test_a_page_that_comes_compressed_is_read(serving: Serving) -> None:
    url, _ = serving(http(gzip.compress(b"page"), "200 OK", "Content-Encoding: gzip"))
    assert fetch(url) == b"page"


@pytest.mark.parametrize("fields", [(), ("Content-Encoding: gzip",)])
def test_a_page_that_is_too_large_is_not_read_to_its_end(serving: Serving, fields: tuple[str, ...]) -> None:
    content = b"x" * 3000
    url, _ = serving(http(gzip.compress(content) if fields else content, "200 OK", *fields))
    with pytest.raises(NotFetched, match="larger than 2,000 bytes"):
        fetch(url, max_bytes=2000)
    assert fetch(url, max_bytes=3000) == content


def test_a_page_that_does_not_come_in_time_is_not_waited_for(serving: Serving) -> None:
    url, _ = serving(http(b"", "200 OK").replace(b"Content-Length: 0", b"Content-Length: 9"))
    with pytest.raises(NotFetched, match=r"no complete response within 0\.2 s"):
        fetch(url, seconds=0.2)


def test_a_redirect_within_the_origin_is_followed(serving: Serving) -> None:
    url, heard = serving(
        lambda head: http(b"page") if b"/there" in head else http(b"", "308 Permanent Redirect", "Location: /there")
    )
    assert fetch(url) == b"page"
    assert len(heard) == 2


def test_another_origin_is_not_asked(serving: Serving) -> None:
    other, heard = serving(http(b"page"))
    url, _ = serving(http(b"", "302 Found", f"Location: {other}"))
    with pytest.raises(NotFetched, match="redirects to another origin"):
        fetch(url)
    assert heard == []


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"", "302 Found", "Location: /again"), "more than 5 redirects"),
        (http(b"", "404 Not Found"), "has status 404"),
        (http(b"no gzip", "200 OK", "Content-Encoding: gzip"), "gzip"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "illegal status line"),
        (http(b"", "302 Found", "Location: http://[::1"), "Invalid"),
    ],
)
def test_what_is_no_page_is_said_in_a_few_words(serving: Serving, answer: bytes, why: str) -> None:
    url, _ = serving(answer)
    with pytest.raises(NotFetched, match=why):
        fetch(url)


# Reading


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
    def widened(document: Document) -> Document:
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


# Comparing


def test_prose_that_is_wrapped_anew_is_no_drift() -> None:
    assert not drifted(lambda document: reworded(document, "workflow_json, output", "workflow_json,\n   output")).found


def test_another_operation_or_schema_is_no_drift() -> None:
    def change(document: Document) -> None:
        document["paths"]["/api/queue"]["put"] = {}
        document["components"]["schemas"]["Job"] = {}
        document["info"]["version"] = "2.0.0"

    assert not drifted(change).found


@pytest.mark.parametrize(
    ("change", "kind", "pointer", "was", "now"),
    [
        (lambda d: d["paths"]["/api/queue"]["get"].update(deprecated=True), "added", f"{GET}/deprecated", ABSENT, True),
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"].pop("400"),
            "removed",
            f"{GET}/responses/400",
            resolve(f"{GET}/responses/400"),
            ABSENT,
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(type="object"),
            "changed",
            f"{ITEM}/type",
            "array",
            "object",
        ),
        (
            lambda d: d["components"]["schemas"]["ErrorResponse"]["required"].append("details"),
            "added",
            "/components/schemas/ErrorResponse/required/2",
            ABSENT,
            "details",
        ),
        (
            lambda d: d["components"]["schemas"].pop("QueueInfo"),
            "removed",
            "/components/schemas/QueueInfo",
            resolve("/components/schemas/QueueInfo"),
            ABSENT,
        ),
        (
            lambda d: d["components"]["schemas"]["QueueInfo"]["properties"].update({"a/b~c": True}),
            "added",
            "/components/schemas/QueueInfo/properties/a~1b~0c",
            ABSENT,
            True,
        ),
        (lambda d: d["paths"].pop("/api/queue"), "removed", GET, resolve(GET), ABSENT),
    ],
    ids=["member", "response", "type", "element", "schema", "escaped", "operation"],
)
def test_a_change_is_told_with_its_place_and_both_sides(
    change: Callable[[Document], object], kind: str, pointer: str, was: Any, now: Any
) -> None:
    (found,) = drifted(change).changes
    assert (found.kind, found.pointer, found.was, found.now) == (kind, pointer, was, now)


def test_clauses_that_quote_what_is_gone_are_named_once_for_each_sentence() -> None:
    drift = drifted(lambda document: reworded(document, "Job UUID", "Job ID"))
    assert [(lost.quote, lost.clauses) for lost in drift.lost] == [
        ("[1] prompt_id (string): Job UUID", ("item.prompt-id.uuid", "lifecycle.prompt-id-twice")),
        ("Job UUID", ("queue.prompt-ids.distinct", "reads.prompt-ids")),
    ]


def test_a_quote_about_writing_is_looked_for_where_the_document_speaks_of_it() -> None:
    def writing(says: str) -> Callable[[Document], object]:
        return lambda document: document["paths"].update({"/api/interrupt": {"post": {"description": says}}})

    def lost(says: str) -> set[str]:
        return {clause for found in drifted(writing(says)).lost for clause in found.clauses}

    kept = (
        "This will interrupt any job that is currently in 'in_progress' status. This endpoint only affects running jobs"
    )
    assert lost(kept) == {"lifecycle.interrupt.idle"}, "whose sentence stands among the responses"
    assert "lifecycle.interrupt.spares" in lost("This endpoint affects pending jobs as well.")
    assert drifted(lambda _: None).lost == ()


def test_a_quote_that_is_gone_outside_the_operation_is_drift_too() -> None:
    drift = drifted(lambda document: document.update(security=[]))
    assert drift.changes == ()
    assert drift.found
    assert "auth.key-required" in drift.lost[0].clauses


def states(drift: Drift) -> dict[str, str]:
    """Return the states of the errata that do not stand as they did."""
    return {erratum.id: state.value for erratum, state in drift.errata if state is not ErratumState.STANDS}


def test_a_document_that_follows_the_errata_mends_them_all() -> None:
    drift = compare(load_corrected(), url="", content=b"")
    assert drift.found
    assert set(states(drift).values()) == {"mended"}
    assert len(states(drift)) == len(errata())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"]["500"].update(description="Internal server error"),
            {"responses.server-error": "mended"},
        ),
        (
            lambda d: d["paths"]["/api/queue"]["get"]["responses"]["500"].update(description="Oops"),
            {"responses.server-error": "reworded"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(minItems=5, maxItems=5),
            {"queue-item.five-elements": "mended"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].update(minItems=5),
            {"queue-item.five-elements": "reworded"},
        ),
        (
            lambda d: d["components"]["schemas"]["QueueItem"].pop("items"),
            {"queue-item.any-of": "reworded", "queue-item.no-one-of": "mended"},
        ),
        (lambda d: d["paths"]["/api/queue"]["get"].update(summary="The queue"), {}),
    ],
    ids=["mended", "reworded", "both members", "one member", "place gone", "elsewhere"],
)
def test_an_erratum_is_mended_reworded_or_stands(
    change: Callable[[Document], object], expected: dict[str, str]
) -> None:
    assert states(drifted(change)) == expected


@pytest.mark.parametrize("erratum", errata(), ids=lambda erratum: str(erratum.id))
def test_the_place_of_an_erratum_is_where_a_jsonpath_finds_it(erratum: Any) -> None:
    (found,) = jsonpath(erratum.target).find(load_document())
    assert resolve(erratum.pointer) == found.value


# Telling


HOSTILE = "Job \x1b[31m\u202e::error::owned @everyone <img src=x> | `x`"


def test_what_was_published_acts_nowhere() -> None:
    drift = drifted(lambda document: reworded(document, "Job UUID", HOSTILE))
    text = "\n".join(each.text for each in told.as_lines(drift))
    markdown = told.as_markdown(drift)
    for shown in (text, markdown):
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert "::error::" not in shown
        assert "\\u001b[31m" in shown
    assert "owned @everyone <img src=x> \\| `x`" in markdown.replace("``", "")


def test_two_long_texts_are_shown_from_where_they_part() -> None:
    drift = drifted(lambda document: reworded(document, "<milliseconds>", "<seconds>"))
    was, now = (each.text for each in told.as_lines(drift) if each.text.lstrip().startswith(("was", "now")))
    assert was == '    was "…adata (object): Contains {create_time: <milliseconds>}"'
    assert now == '    now "…adata (object): Contains {create_time: <seconds>}"'


def test_the_outcome_counts_changes_clauses_and_errata() -> None:
    drift = drifted(lambda document: document["paths"]["/api/queue"]["get"]["responses"].pop("500"))
    assert told.verdict(drift) == "Drift: 1 change, 1 clause quotes removed text, 1 of 5 errata reworded"


def test_hundreds_of_changes_are_cut_but_for_programs() -> None:
    drift = drifted(
        lambda d: d["components"]["schemas"]["QueueInfo"]["properties"].update({f"x{n}": n for n in range(300)})
    )
    assert sum(each.text.startswith("added") for each in told.as_lines(drift)) == 50
    assert "… 250 more" in told.as_markdown(drift)
    assert len(told.as_dict(drift)["changes"]) == 300


# The command


def call(*arguments: str | Path) -> Result:
    """Call the verb within this process."""
    return cli_runner.call("drift", *arguments)


def vendor(*arguments: str | Path) -> Result:
    """Call ``tools/vendor.py`` within this process."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


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
    monkeypatch.setattr("conformance.drift.changes.PUBLISHED_AT", NOWHERE if answer is None else serving(answer)[0])
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
