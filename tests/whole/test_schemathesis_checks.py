"""``st run`` with our hooks, as its users start it: a process of its own against a server on loopback.

The hooks are never imported here: they change Schemathesis for the whole process.
"""

from __future__ import annotations

import gzip
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from typing import Final

import pytest

from conformance.reference.server import serve
from conformance.spec.document import DOCUMENT_PATH
from helpers import commands
from helpers.answers import item, queue
from helpers.commands import Done, command_line, run
from helpers.profiles import one_in

ROOT: Final = Path(__file__).parents[2]
HOOKS: Final = "conformance.schemathesis_checks"
KEY: Final = "canary-4f1c9e"
NO_ISSUES: Final = "No issues found"

Start = Callable[..., Done]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Return what starts ``st run`` in a folder of its own."""

    def st(url: str, *arguments: str, key: str | None = None, config: str = "", **extra: str) -> Done:
        folder = tmp_path_factory.mktemp("st")
        (folder / "schemathesis.toml").write_text(config, encoding="utf-8")
        document = arguments[0] if arguments and arguments[0].endswith((".yaml", ".json")) else str(DOCUMENT_PATH)
        options = [argument for argument in arguments if argument != document]
        header = () if key is None else ("-H", f"X-API-Key: {key}")
        return commands.st(
            folder,
            "run",
            document,
            "--url",
            url,
            "--no-color",
            "--continue-on-failure",
            *header,
            *options,
            **{"SCHEMATHESIS_HOOKS": HOOKS, **extra},
        )

    return st


@contextmanager
def server(body: bytes, **headers: str) -> Iterator[tuple[str, list[str]]]:
    """Answer every GET with a body; yield the URL, and the methods that came, as they come."""
    came: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            came.append(self.command)
            reads = self.command == "GET"
            sent = {"Content-Type": "application/json", "Cache-Control": "no-store", **headers} if reads else {}
            self.send_response(200 if reads else 405)
            for name, value in {**sent, "Allow": "GET, HEAD, POST"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) if reads else 0))
            self.end_headers()
            if reads:
                self.wfile.write(body)

        do_GET = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = do_TRACE = do_QUERY = answer  # noqa: N815 - the names are http.server's

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # who was sent a bomb hangs up
                super().handle()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{found.server_port}", came
        finally:
            found.shutdown()
            thread.join()


# --- what keeps the contract ------------------------------------------------------------------------------------------


def test_a_queue_that_conforms_passes_with_the_hooks_and_is_rejected_without(start: Start) -> None:
    with serve() as endpoint:
        without = start(endpoint.url, "--phases", "coverage", SCHEMATHESIS_HOOKS="")
        with_hooks = start(endpoint.url)
    assert without.returncode == 1
    assert "is valid under more than one of the schemas listed in the 'oneOf' keyword" in without.stdout
    assert (with_hooks.returncode, with_hooks.stderr) == (0, "")
    assert NO_ISSUES in with_hooks.stdout
    assert "responses checked" in with_hooks.stdout
    assert "inconclusive" not in with_hooks.stdout


@pytest.mark.parametrize("fault", [None, "refuses-with-a-word", "refuses-with-a-page"])
def test_refusals_of_any_documented_or_undocumented_form_are_no_failure(start: Start, fault: str | None) -> None:
    with serve(variant="key-enforced", fault=fault, key=KEY) as endpoint:
        done = start(endpoint.url, key=KEY)
    assert done.returncode == 0, done.stdout
    named = {None: "", "refuses-with-a-word": "error.other-json", "refuses-with-a-page": "auth.error-response"}[fault]
    assert named in done.stdout


@pytest.mark.parametrize("variant", ["options-501", "busy-at-first", "deep-workflow"])
def test_what_a_built_in_check_alone_holds_against_a_server_is_dropped(start: Start, variant: str) -> None:
    with serve(variant=variant) as endpoint:
        done = start(endpoint.url)
    assert done.returncode == 0, done.stdout


def test_an_idle_queue_passes_and_is_said_to_certify_no_tuple(start: Start) -> None:
    with serve(variant="empty-queue") as endpoint:
        done = start(endpoint.url)
    assert done.returncode == 0, done.stdout
    assert "inconclusive: not checked item.array" in done.stdout


def test_a_server_that_never_shows_its_queue_does_not_pass(start: Start) -> None:
    with serve(fault="busy-503") as endpoint:
        done = start(endpoint.url)
    assert done.returncode == 1
    assert "No GET got a 200 response, so nothing was checked." in done.stdout
    assert "QC " not in done.stdout


# --- what does not ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "broken",
    one_in(
        3,
        [
            ("four-elements", "item.five-elements", "at /queue_running/0: expected "),
            ("comfyui-order", "item.element-order", "at /queue_running/0/3: expected "),
            ("number-with-point-zero", "item.job-number.plain", "at /queue_running/0/0: expected "),
            ("id-as-short-code", "item.prompt-id.uuid", "at /queue_pending/0/1: expected the 36-character"),
            ("seconds", "item.create-time.milliseconds", "at /queue_pending/0/4/create_time: expected "),
            ("newest-first", "queue.pending.oldest-first", "at /queue_pending/1"),
            ("pending-is-null", "envelope.queue-pending.array", "at /queue_pending: expected "),
            ("error-as-200", "envelope.not-an-error", "at the top: expected "),
            ("nan-inside", "json.finite-numbers", "NaN"),
            ("two-texts", "json.single-text", "at the top: expected "),
            ("text-plain", "http.content-type", "expected application/json, got text/plain"),
            ("no-allow-on-405", "method.allow-on-405", "expected an Allow header, got none"),
            ("length-beside-chunks", "http.framing", "Transfer-Encoding"),
            ("no-key-needed", "auth.key-required", "expected 401 or 403, got 200"),
        ],
    ),
    ids=itemgetter(0),
)
def test_a_fault_is_reported_by_its_clause_and_place(start: Start, broken: tuple[str, str, str]) -> None:
    fault, clause, place = broken
    with serve(fault=fault) as endpoint:
        done = start(endpoint.url, key=endpoint.key)
    assert done.returncode == 1
    assert f"QC {clause} (must: " in done.stdout
    assert place in done.stdout
    assert "Why: " in done.stdout
    assert "Source: " in done.stdout


def test_a_should_is_named_and_fails_only_where_that_was_asked_for(start: Start) -> None:
    with serve(fault="id-in-upper-case") as endpoint:
        usual = start(endpoint.url)
        strict = start(endpoint.url, config="[checks.QueueContract]\nfail_on_should = true\n")
    assert usual.returncode == 0, usual.stdout
    assert "broken 'should' clauses (a failure only with fail_on_should): item.prompt-id.lower-case" in usual.stdout
    assert strict.returncode == 1
    assert "QC item.prompt-id.lower-case (should: " in strict.stdout


def test_the_dialect_is_the_one_of_the_configuration(start: Start) -> None:
    with serve(variant="oss") as endpoint:
        oss = start(endpoint.url, config='[checks.QueueContract]\ndialect = "oss"\n')
        other = start(endpoint.url, config='[checks.QueueContract]\ndialect = "esperanto"\n')
    assert oss.returncode == 0, oss.stdout
    assert other.returncode != 0
    assert "'esperanto' is not a valid Dialect" in other.stdout + other.stderr


def test_a_coded_body_is_judged(start: Start) -> None:
    with server(gzip.compress(queue(item(2), item(1))), **{"Content-Encoding": "gzip"}) as (url, _):
        done = start(url)
    assert "QC queue.pending.oldest-first (must: " in done.stdout
    assert "Network Error" not in done.stdout


# --- what leaves the process ------------------------------------------------------------------------------------------


def test_no_method_that_writes_is_made_up(start: Start) -> None:
    with server(queue(item(1), item(2))) as (url, came):
        start(url, "--phases", "coverage", SCHEMATHESIS_HOOKS="")
        without = set(came)
        came.clear()
        usual = start(url)
        with_hooks = set(came)
    assert {"POST", "DELETE", "PUT", "PATCH"} <= without
    assert with_hooks == {"GET", "OPTIONS"}
    assert usual.returncode == 0, usual.stdout


@pytest.mark.parametrize("configured", one_in(2, ["-H", "auth"]))
@pytest.mark.parametrize("fault", ["echoes-the-key", "echoes-the-key-in-a-header"])
def test_the_key_stands_in_nothing_that_is_shown_or_written(
    start: Start, tmp_path: Path, fault: str, configured: str
) -> None:
    reports = tmp_path / "reports"
    config = "[checks.QueueContract]\nfail_on_should = true\n"
    if configured == "auth":
        config += '[auth.openapi.ApiKeyAuth]\napi_key = "${QUEUE_KEY}"\n'
    with serve(fault=fault, key=KEY) as endpoint:
        done = start(
            endpoint.url,
            "--report",
            "junit,vcr,har,ndjson,json,html",
            "--report-dir",
            str(reports),
            "-n",
            "20",
            key=KEY if configured == "-H" else None,
            config=config,
            QUEUE_KEY=KEY,
        )
    written = [path for path in reports.rglob("*") if path.is_file()]
    assert len(written) == 6
    assert "QC auth.key-not-echoed (should: " in done.stdout
    assert "[redacted-api-key]" in "".join(path.read_text(encoding="utf-8") for path in written)
    assert KEY not in done.stdout + done.stderr
    assert [path.name for path in written if KEY.encode() in path.read_bytes()] == []


# --- the document, the sample, and what is installed ------------------------------------------------------------------


def test_the_sample_configuration_runs_as_it_is(start: Start) -> None:
    sample = (ROOT / "docs" / "schemathesis.toml").read_text(encoding="utf-8")
    with serve(variant="key-enforced", key=KEY) as endpoint:
        done = start(endpoint.url, config=sample, SCHEMATHESIS_HOOKS="", COMFY_API_KEY=KEY)
    assert done.returncode == 0, done.stdout
    assert "responses checked" in done.stdout
    assert "inconclusive" not in done.stdout


def python(folder: Path, script: str) -> Done:
    """Run a script in a process of its own."""
    return run(folder, sys.executable, "-c", script)


MENDING: Final = f"""
from {HOOKS} import before_load_schema
from conformance.spec.document import load_corrected, load_document
refused = {{"description": "Refused"}}
corrected = load_corrected()
corrected["paths"]["/api/queue"]["get"]["responses"] |= {{"401": refused, "403": refused}}

ours = load_document()
before_load_schema(None, ours)
assert ours == corrected

larger = load_document()
larger["paths"]["/api/prompt"] = {{"post": {{"responses": {{}}}}}}
larger["components"]["schemas"]["Other"] = {{"oneOf": [{{"type": "object"}}, {{"type": "object"}}]}}
before_load_schema(None, larger)
assert larger["components"]["schemas"]["QueueItem"] == corrected["components"]["schemas"]["QueueItem"]
assert larger["components"]["schemas"]["Other"]["oneOf"]
assert "/api/prompt" in larger["paths"]

changed = load_document()
changed["components"]["schemas"]["QueueItem"]["items"] = {{}}
before_load_schema(None, changed)
assert changed["components"]["schemas"]["QueueItem"]["items"] == {{}}

for other in {{}}, {{"paths": None, "components": []}}, {{"components": {{"schemas": None}}}}:
    before = repr(other)
    before_load_schema(None, other)
    assert repr(other) == before
"""


def test_only_what_the_published_document_says_is_mended(tmp_path: Path) -> None:
    done = python(tmp_path, MENDING)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_command_prints_the_document_that_the_hooks_are_for(start: Start, tmp_path: Path) -> None:
    printed = command_line(tmp_path, "clauses", "--document")
    with serve() as endpoint:
        done = start(endpoint.url, printed.stdout.strip())
    assert Path(printed.stdout.strip()) == DOCUMENT_PATH
    assert done.returncode == 0, done.stdout


def test_the_hooks_are_short_and_use_only_what_schemathesis_documents() -> None:
    text = (ROOT / "conformance" / "schemathesis_checks.py").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    imported = set(re.findall(r"^ *(?:from|import) (schemathesis[.\w]*)", text, re.MULTILINE))
    assert imported == {
        "schemathesis",
        "schemathesis.checks",
        "schemathesis.core.failures",
        "schemathesis.engine.events",
        "schemathesis.openapi.checks",
    }
    assert not re.search(r"get_adapter|SCHEMATHESIS_VERSION|urllib3|import requests", text)
