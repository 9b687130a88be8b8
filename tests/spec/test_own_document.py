"""A document of the user's own: what is refused, which errata match, which requests it makes, what it finds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
import yaml
from aiohttp import web
from msgspec import structs

from conformance.exchange.model import Exchange, Request, Response
from conformance.probe.asker import Sent
from conformance.probe.requests import Ask
from conformance.problems import UsageProblem
from conformance.properties.families import families, left_out, schema_values
from conformance.properties.generation import Properties
from conformance.properties.names import DECLARED
from conformance.properties.request_source import RequestSource, ask_of
from conformance.properties.required import declared_values
from conformance.properties.search import Senders, search
from conformance.reference.server import serve
from conformance.run.consent import announcement
from conformance.run.options import settings_from
from conformance.spec.document import OpenApiDocument, errata, load_document
from conformance.spec.operation import Described, declaring, path_for
from conformance.spec.own_document import read_described
from helpers.commands import command_line, report

COMFYUI = Path(__file__).parents[1] / "documents" / "openapi-comfyui-0.33.0.get-queue.yaml"
PATH = "/api/{version}/queue"
QUEUE_PATH = "/api/v1/queue"


def gained() -> OpenApiDocument:
    """Return the vendored document, moved to another path, with a required parameter, an enum header and more."""
    document = load_document()
    operation = document["paths"].pop("/api/queue")["get"]
    operation["parameters"] = [
        {"name": "version", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "workspace", "in": "query", "required": True, "schema": {"type": "string", "enum": ["red", "blue"]}},
        {"name": "X-Tier", "in": "header", "schema": {"type": "string", "enum": ["free", "paid", "team"]}},
        {"name": "depth", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 7}},
        {"name": "X-API-Key", "in": "header", "schema": {"type": "string"}},
    ]
    document["paths"][PATH] = {"get": operation}
    return document


def written(folder: Path, document: object, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(yaml.safe_dump(document) if name.endswith("yaml") else json.dumps(document), encoding="utf-8")
    return path


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is neither JSON nor YAML"),
        ("a: [1, 2", "line"),
        ("just text", "is not an OpenAPI document"),
        ("[]", "is not an OpenAPI document"),
        ("swagger: '2.0'", "is not an OpenAPI document"),
        ("openapi: 2.0.0", "is OpenAPI 2.0.0: give one of OpenAPI 3.0 or 3.1"),
        ("openapi: 3.0.3\npaths: {}", "is a required property"),
        ("openapi: 3.0.3\ninfo: {title: a, version: b}\npaths: {/a: {get: {responses: 1}}}", "/paths/~1a/get"),
        (
            "openapi: 3.0.3\ninfo: {title: a, version: b}\npaths: {/a: {$ref: 'other.yaml#/a'}}",
            "/paths/~1a refers to other.yaml#/a: bundle it into one file",
        ),
        (
            (
                "openapi: 3.1.0\ninfo: {title: a, version: b}\n"
                "paths: {/queue: {get: {responses: {'200': {description: x}}}}}"
            ),
            "does not describe GET /api/queue; it has GET /queue: name yours with --queue-path",
        ),
        ("a: &a [*a]", "is neither JSON nor YAML"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_in_one_line(tmp_path: Path, content: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageProblem, match=r"^[^\n]+$") as problem:
        read_described(path, "/api/queue")
    assert told in str(problem.value)
    assert str(path) in str(problem.value)


def test_a_file_that_is_not_there_is_a_usage_error_before_anything_is_sent(tmp_path: Path) -> None:
    done = command_line(tmp_path, "check", "--document", "nowhere.yaml")
    assert done.returncode == 4
    assert "--document nowhere.yaml cannot be read (No such file or directory)" in done.stderr
    assert "checking" not in done.stderr


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pending", "status"), [("[]", 10), ("{}", 1)])
def test_recordings_are_judged_by_it_too(tmp_path: Path, pending: str, status: int) -> None:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    (tmp_path / "queue.http").write_text(f'{head}{{"queue_running": [], "queue_pending": {pending}}}', newline="")
    done = command_line(tmp_path, "judge", "queue.http", "--document", str(COMFYUI))
    assert done.returncode == status
    assert ("document.response-schema" in done.stdout) is (status == 1)


@pytest.mark.parametrize("name", ["mine.yaml", "mine.json"])
def test_json_and_yaml_are_read_and_every_erratum_matches_the_vendored_document(tmp_path: Path, name: str) -> None:
    found = read_described(written(tmp_path, load_document(), name), "/api/queue")
    assert found.unmatched == ()
    assert found.own
    assert found.name == name


def test_the_document_of_comfyui_is_read_and_the_errata_that_do_not_match_it_are_named() -> None:
    found = read_described(COMFYUI, "/api/queue")
    assert set(found.unmatched) == {each.id for each in errata()} - {"responses.server-error"}
    assert found.probed["paths"]["/api/queue"]["get"]["responses"]["500"]["description"] == "Internal server error"


@pytest.mark.parametrize(
    ("queue_path", "found"),
    [
        ("/api/queue", "/api/queue"),
        ("/api/v1/queue", "/api/{version}/queue"),
        ("/api/v1/x/queue", None),
        ("/api//queue", None),
        ("/other", None),
    ],
)
def test_the_operation_is_the_one_at_the_queue_path(queue_path: str, found: str | None) -> None:
    get: dict[str, Any] = {"get": {}}
    document = {"paths": {"/api/{version}/queue": get, "/api/queue": get, "/other": {"post": {}}}}
    assert path_for(document, queue_path) == found


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 7}, [1, 7]),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, [2]),
        ({"type": "integer", "exclusiveMaximum": 7}, [6]),
        ({"type": "boolean"}, [True, False]),
        ({"type": ["integer", "null"], "examples": [5], "minimum": 0}, [5, 0]),
        ({"anyOf": [{"enum": ["a"]}, {"const": 3}]}, [3, "a"]),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, [["a"], ["b"]]),
        ({"$ref": "#/components/schemas/Kind"}, ["k"]),
        ({"$ref": "#/components/schemas/Loop"}, []),
        ({"type": "string"}, []),
    ],
)
def test_coverage_reads_the_values_that_a_schema_names(schema: dict[str, Any], values: list[Any]) -> None:
    loop = {"$ref": "#/components/schemas/Loop"}
    document = {"components": {"schemas": {"Kind": {"enum": ["k"]}, "Loop": loop}}}
    assert sorted(schema_values(schema, document), key=repr) == sorted(values, key=repr)


# --- what is generated ------------------------------------------------------------------------------------------------


def test_each_declared_value_is_in_a_request_and_the_required_parameter_is_in_all(tmp_path: Path) -> None:
    described = read_described(written(tmp_path, gained()), QUEUE_PATH)
    prepared = RequestSource(described, 1).requests(60)
    asks = [ask_of(each.parts) for each in prepared.singles]
    asks += [ask_of(parts) for sequence in prepared.sequences for parts in sequence]
    assert all("workspace=" in ask.query for ask in asks)
    assert {"red", "blue"} <= {value for ask in asks for value in parse_qs(ask.query)["workspace"]}
    assert {"free", "paid", "team"} <= {value or "" for ask in asks for name, value in ask.headers if name == "X-Tier"}
    assert {"1", "7"} <= {value for ask in asks for value in parse_qs(ask.query).get("depth", ())}
    assert not [name for ask in asks for name, _ in ask.headers if name.lower() == "x-api-key"]
    assert left_out(described.probed, PATH) == ["X-API-Key"]


def many_values(number: int) -> Described:
    schema = {"type": "string", "enum": [f"zone-{each}" for each in range(number)]}
    return declaring([{"name": "zone", "in": "query", "schema": schema}])


@pytest.mark.parametrize(("values", "wanted", "sent"), [(0, 5, 0), (10, 15, 10), (300, 105, 100)])
def test_each_declared_value_gets_one_more_request_up_to_a_limit(values: int, wanted: int, sent: int) -> None:
    described = many_values(values)
    properties = Properties(number=5, declared=declared_values(described))
    prepared = RequestSource(described, 1).requests(properties.wanted)
    asked = [parts for each in prepared.singles if (parts := ask_of(each.parts).query).startswith("zone=")]
    assert (properties.wanted, len(set(asked[:sent]))) == (wanted, sent)
    assert len(prepared.singles) + sum(map(len, prepared.sequences)) == wanted


def test_declared_values_that_were_not_sent_are_named() -> None:
    prepared, left = RequestSource(many_values(10), 1).requests(15), 2 * 3
    properties = Properties(number=5, declared=10)

    def send(asks: Sequence[Ask]) -> Sent:
        exchanges = [[Exchange("x1", Request("GET", "http://t/"), Response(200))] for _ in asks[:left]]
        return Sent([*exchanges, *([] for _ in asks[left:])], "the limit of requests")

    found = search(prepared, Senders(send, send), lambda _: set(), (), properties)
    assert (found.examples, len(found.unsent)) == (left, 10 - left)
    assert all(re.fullmatch(r"\?zone=zone-\d", value) for value in found.unsent)


def test_declared_headers_that_are_never_sent_are_announced(tmp_path: Path) -> None:
    settings = settings_from({}, {"document": written(tmp_path, gained()), "queue_path": QUEUE_PATH, "properties": 5})
    lines = announcement(settings)
    assert "declared, but never sent (a credential, or part of the framing): X-API-Key" in lines
    assert any(line.startswith("12 of them are generated") and "7 for the values" in line for line in lines)
    assert settings.properties is not None
    settings = structs.replace(settings, properties=structs.replace(settings.properties, declared=300))
    assert "200 of the 300 values that it declares are not sent" in announcement(settings)


def test_what_the_document_declares_is_no_longer_open(tmp_path: Path) -> None:
    document = load_document()
    limit = {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 3}}
    document["paths"]["/api/queue"]["parameters"] = [limit]
    described = read_described(written(tmp_path, document), "/api/queue")
    by_name = {family.name: family for family in families(described.probed, "/api/queue")}
    assert [each["name"] for each in by_name[DECLARED].parameters] == ["limit"]
    assert "limit" not in [each["name"] for each in by_name["undeclared query"].parameters]


@contextmanager
def gateway(target: str, seen: list[web.Request]) -> Iterator[str]:
    """Serve an endpoint at another path, and demand its required parameter."""
    import asyncio
    from concurrent.futures import Future

    import aiohttp

    up: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event, int]] = Future()

    async def answer(request: web.Request) -> web.Response:
        seen.append(request)
        if request.query.get("workspace") not in {"red", "blue"}:
            return web.json_response({"code": "bad_request", "message": "workspace is missing"}, status=400)
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            url = f"{target}/api/queue"
            async with session.request(request.method, url, headers=headers, skip_auto_headers=["Accept"]) as found:
                kept = {n: v for n, v in found.headers.items() if n.lower() not in {"transfer-encoding", "connection"}}
                return web.Response(status=found.status, headers=kept, body=await found.read())

    async def main() -> None:
        app = web.Application()
        app.router.add_route("*", QUEUE_PATH, answer)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        stop = asyncio.Event()
        up.set_result((asyncio.get_running_loop(), stop, runner.addresses[0][1]))
        await stop.wait()
        await runner.cleanup()

    thread = Thread(target=lambda: asyncio.run(main()))
    thread.start()
    loop, stop, port = up.result()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()


def test_a_document_that_gains_parameters_needs_no_line_of_code(tmp_path: Path) -> None:
    seen: list[web.Request] = []
    with serve() as endpoint, gateway(endpoint.url, seen) as url:
        mine = written(tmp_path, gained())
        done = command_line(tmp_path, "check", url, "--queue-path", QUEUE_PATH, "--document", mine, "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"red", "blue"} <= {request.query["workspace"] for request in seen}
    assert {"free", "paid", "team"} <= {request.headers.get("X-Tier", "") for request in seen}
    assert {"1", "7"} <= {request.query.get("depth", "") for request in seen}
    assert {request.path for request in seen} == {QUEUE_PATH}
    found = report(tmp_path)
    assert found["properties"]["operation"] == f"GET {PATH}"
    assert next(family["sent"] for family in found["properties"]["families"] if family["name"] == DECLARED) > 5
    (clause,) = [each for each in found["clauses"] if each["id"] == "document.response-schema"]
    assert clause["status"] == "pass"
