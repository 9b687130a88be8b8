"""Who may read an answer across origins, and that it shows no key of a job's owner."""

from __future__ import annotations

from typing import Any

import pytest
from answers import asked, got, item, queue, reads, said

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
    ("vary", "found"), [(None, ["no such Vary"]), ("Accept", ["no such Vary"]), ("Accept, ORIGIN", []), ("*", [])]
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
