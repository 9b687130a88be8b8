"""Who may read an answer across origins, and that it shows no key of a job's owner."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.contract.catalogue import BY_ID
from conformance.contract.terms import Level
from conformance.exchange.transcript import Transcript
from conformance.judge.build import report_on
from conformance.judge.report import Status, encode
from conformance.run.settings import Settings
from helpers.answers import asked, got, item, queue, reads, said

ORIGIN = "https://a.example"


@pytest.mark.parametrize(
    ("origin", "credentials", "found"),
    [
        ("*", "true", ["* with credentials"]),
        (" * ", " true ", ["* with credentials"]),
        ("*", None, []),
        ("*", "false", []),
        ("*", "True", []),  # Fetch compares case-sensitively: browsers refuse the answer as it is
        ("*", "yes", []),
        (ORIGIN, "true", []),
        ("", "true", []),
        ("!", "true", []),
    ],
)
def test_any_origin_and_credentials_do_not_go_together(origin: str, credentials: str | None, found: list[str]) -> None:
    fields = [("Access-Control-Allow-Origin", origin)]
    if credentials is not None:
        fields.append(("Access-Control-Allow-Credentials", credentials))
    assert got(said("cors.credentials", asked(200, queue(), *fields))) == found


def test_without_an_allowed_origin_there_is_nothing_to_say_of_credentials() -> None:
    assert said("cors.credentials", asked(200, queue(), ("Access-Control-Allow-Credentials", "true"))) is None


@pytest.mark.parametrize("origin", [ORIGIN, "tauri://localhost"])
@pytest.mark.parametrize(
    ("vary", "found"), [(None, ["no Vary: Origin"]), ("Accept", ["no Vary: Origin"]), ("Accept, ORIGIN", []), ("*", [])]
)
def test_an_echoed_origin_varies(origin: str, vary: str | None, found: list[str]) -> None:
    fields = [("Access-Control-Allow-Origin", origin), *([("Vary", vary)] if vary is not None else [])]
    answer = asked(200, queue(), *fields, request=(("Origin", origin),))
    assert got(said("cors.vary-origin", answer)) == found


@pytest.mark.parametrize(("sent", "allowed"), [("null", "null"), (ORIGIN, "*"), (ORIGIN, "https://b.example")])
def test_an_origin_that_is_not_echoed_need_not_vary(sent: str, allowed: str) -> None:
    answer = asked(200, queue(), ("Access-Control-Allow-Origin", allowed), request=(("Origin", sent),))
    assert said("cors.vary-origin", answer) is None


def test_of_another_resource_no_origin_is_judged() -> None:
    answer = asked(200, queue(), ("Access-Control-Allow-Origin", "*"), to_queue=False)
    assert said("cors.credentials", answer) is None


@pytest.mark.parametrize("name", ["api_key_comfy_org", "auth_token_comfy_org"])
@pytest.mark.parametrize("index", [3, 4, 5])
def test_a_key_of_a_job_s_owner_is_found_beside_the_workflow(index: int, name: str) -> None:
    job = [*item(), {}]
    job[index] = {"a": [{name: "comfyui-1234"}]}
    found = said("privacy.credentials", *reads(queue(job)))
    assert [finding.pointer for finding in found or ()] == [f"/queue_pending/0/{index}/a/0/{name}"]
    assert "comfyui" not in str([finding.got for finding in found or ()])


@pytest.mark.parametrize("value", [None, "", "[REDACTED]", "[redacted]", "***"])
def test_a_key_that_is_blotted_out_is_not_shown(value: Any) -> None:
    assert said("privacy.credentials", *reads(queue(item(e4={"api_key_comfy_org": value})))) == []


def test_a_node_of_a_workflow_may_be_called_anything() -> None:
    graph = {"api_key_comfy_org": {"class_type": "X", "inputs": {"auth_token_comfy_org": "x"}}}
    assert said("privacy.credentials", *reads(queue(item(e2=graph)))) == []


# --- credentials of any kind ------------------------------------------------------------------------------------------

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
BY_NAME: dict[str, Any] = {
    "api_key": "abcd1234",
    "apiKey": "abcd1234",
    "X-Api-Key": "abcd1234",
    "openai_api_key": "abcd1234",
    "authorization": "Digest abc",
    "Authorization": "abcd",
    "token": "a1b2c3d4",
    "hf_token": "a1b2c3d4",
    "accessToken": "a1b2c3d4",
    "refresh_token_value": "a1b2c3d4",
    "client_secret": "abcdefgh",
    "password": "hunter22",
    "db_passwd": "hunter22",
    "session_cookie": "abc123def",
    "private_key": "-----BEGIN-KEY",
    "a/b secret": "abcdefgh",
}
BY_VALUE = (
    "Bearer abcdef0123456789",
    "Basic dXNlcjpwYXNzMTIz",
    JWT,
    f"sk-{'a' * 24}",
    f"ghp_{'A1' * 18}",
    f"hf_{'a' * 34}",
    "AKIA" + "A" * 16,
    f"comfyui-{'0f' * 16}",
)
ORDINARY: dict[str, Any] = {
    "client_id": "a1b2c3d4e5f6",
    "max_tokens": 4096,
    "token_count": "12345678",
    "token_normalization": "length",
    "stop_token": "<|endoftext|>",
    "eos_token": "</s>",
    "tokens": 77,
    "secretary": "Ann Smith",
    "keyboard": "qwertyuiop",
    "key": "C major",
    "monkey": "a1b2c3d4",
    "passwords_shown": True,
    "api_key": None,
    "apiKey": "",
    "token": "********",
    "password": "[REDACTED]",
    "secret": "<redacted>",
    "authorization": "none",
    "access_token": "${ACCESS_TOKEN}",
    "auth_token": "your-token-here",
    "api_token": "XXXXXXXX",
    "cookie": "chocolate",
    "title": "Bearer of good news",
    "topic": "Basic Education",
    "note": "a portrait of a token 1234",
    "mask": "sk-ip",
    "seed": 12345,
}


def places(metadata: Any, index: int = 4) -> list[tuple[str | None, str]]:
    """Return place and hint of each credential that is found in an element."""
    found = said("privacy.credentials", *reads(queue(item(1, **{f"e{index}": metadata}))))
    return [(finding.pointer, finding.hint or "") for finding in found or ()]


@pytest.mark.parametrize("name", BY_NAME)
def test_a_credential_is_known_by_the_name_of_its_member(name: str) -> None:
    pointer = name.replace("/", "~1")
    nested = {"create_time": 1, "extra": [{"deep": {name: BY_NAME[name]}}]}
    assert places(nested) == [
        (f"/queue_pending/0/4/extra/0/deep/{pointer}", "the name of the member means a credential")
    ]


@pytest.mark.parametrize("value", BY_VALUE)
def test_a_credential_is_known_by_its_form(value: str) -> None:
    hint = "the value has the format of a credential"
    assert places({"create_time": 1, "note": value}) == [("/queue_pending/0/4/note", hint)]
    assert places({"create_time": 1, "list": ["x", value]}) == [("/queue_pending/0/4/list/1", hint)]


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_text_is_not_taken_for_a_credential(name: str) -> None:
    assert places({"create_time": 1, name: ORDINARY[name]}) == []


def test_a_credential_is_told_once() -> None:
    assert len(places({"create_time": 1, "authorization": "Bearer abcdef0123456789"})) == 1


def test_a_member_of_another_name_is_a_should() -> None:
    clause = BY_ID["privacy.credentials"]
    assert clause.level is Level.SHOULD


@pytest.mark.parametrize("metadata", [{name: value} for name, value in BY_NAME.items()], ids=BY_NAME)
def test_no_report_shows_a_credential_that_was_found(metadata: dict[str, Any]) -> None:
    (secret,) = metadata.values()
    graph = {"9": {"class_type": "SaveImage", "inputs": {}}}
    body = queue(item(1, e0=0, e2=graph, e4={**metadata, "create_time": 1}))  # breaches beside it show excerpts
    exchanges = reads(body)
    report = report_on(Transcript(tuple(exchanges), "t", 0.0, 1.0, None), Settings().judging)
    assert report.clause("privacy.credentials").status is Status.WARN
    assert json.dumps(secret).encode() in body
    assert secret.encode() not in encode(report)


@pytest.mark.parametrize("value", BY_VALUE)
def test_no_report_shows_one_that_was_known_by_its_form(value: str) -> None:
    report = report_on(
        Transcript(tuple(reads(queue(item(1, e0=0, e4={"create_time": 1, "note": value})))), "t", 0.0, 1.0, None),
        Settings().judging,
    )
    assert value.encode() not in encode(report)
