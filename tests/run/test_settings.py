"""What was typed, checked before anything is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from conformance.exchange.secrets import Secret
from conformance.probe.limits import Bounds
from conformance.problems import UsageProblem
from conformance.properties.generation import Properties
from conformance.run.consent import announcement
from conformance.run.options import OPTIONS, settings_from
from conformance.run.settings import Settings
from helpers.run_options import make_settings

KEY = "sesame-4711"
HERE = "http://127.0.0.1:8188"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("example.org:8188", "give one such as http://example.org:8188"),
        ("192.168.0.2:8188/x", "give one such as http://192.168.0.2:8188/x"),
        ("localhost.example.org:8188", "give one such as http://localhost.example.org:8188"),
        ("http:127.0.0.1:8188", "is not an http or https URL"),
        ("user:hush@127.0.0.1:8188", "remove it from the URL"),
        ("127.0.0.1:99999", "is not a valid URL"),
        ("/api", "is not an http or https URL"),
        ("ftp://example.org", "is not an http or https URL"),
        ("http://", "is not an http or https URL"),
        ("http://example.org:0", "is not an http or https URL"),
        ("http://example.org:99999", "is not a valid URL"),
        ("http://[::1", "is not a valid URL"),
        ("http://user:hush@example.org", "remove it from the URL"),
        ("http://example.org/?a=b", "more than a base URL"),
        ("http://example.org/#a", "more than a base URL"),
        ("http://exam ple.org/", "more than a base URL"),
        (HERE + "/api/queue", f"give {HERE}"),
        ("", "--target is set but empty"),
        ("  ", "--target is set but empty"),
    ],
)
def test_what_is_no_base_url_is_named_with_what_to_give(typed: str, told: str) -> None:
    with pytest.raises(UsageProblem, match=r"^[^\n]+$") as problem:
        make_settings({}, target=typed)
    assert told in str(problem.value)
    assert "hush" not in str(problem.value)


@pytest.mark.parametrize(
    "url", [HERE, "https://cloud.comfy.org", "http://[::1]:8188", "http://localhost/prefix/of/mine"]
)
def test_a_base_url_is_taken_without_its_last_slash(url: str) -> None:
    assert make_settings({}, target=f"{url}/").target == url


@pytest.mark.parametrize(
    "typed", ["127.0.0.1:8188", "localhost:8188", "[::1]:8188", "127.0.0.1:8188/prefix/", "localhost"]
)
def test_an_address_of_loopback_without_scheme_means_plain_http(typed: str) -> None:
    for settings in (make_settings({}, target=typed), make_settings({"CONFORMANCE_TARGET": typed})):
        assert settings.target == f"http://{typed.rstrip('/')}"
        assert f"no scheme was given: plain http is used for {typed.partition('/')[0]}" in announcement(settings)
    assert "no scheme" not in "".join(announcement(make_settings({}, target=f"http://{typed}")))


def test_the_environment_names_the_target_where_no_option_does() -> None:
    environ = {"CONFORMANCE_TARGET": "http://127.0.0.1:1"}
    assert make_settings(environ).target == "http://127.0.0.1:1"
    assert make_settings(environ, target=HERE).target == HERE


def test_an_empty_target_in_the_environment_is_a_mistake() -> None:
    with pytest.raises(UsageProblem, match="CONFORMANCE_TARGET is set but empty"):
        make_settings({"CONFORMANCE_TARGET": ""})


def test_the_embedded_endpoint_must_be_named_where_ci_is_set() -> None:
    assert make_settings({}).target is None
    with pytest.raises(UsageProblem, match="--target embedded"):
        make_settings({"CI": "true"})
    assert make_settings({"CI": "true"}, target="embedded").target is None
    assert make_settings({"CI": "true", "CONFORMANCE_TARGET": "embedded"}).target is None


@pytest.mark.parametrize("name", Bounds.__struct_fields__)
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_bound_is_a_number_above_0(name: str, value: Any) -> None:
    with pytest.raises(UsageProblem, match=f"^--{name.replace('_', '-')} must be a number above 0"):
        make_settings({}, **{name: value})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_the_wait_for_items_is_bounded(value: float) -> None:
    with pytest.raises(UsageProblem, match=r"^--wait-for-items must be"):
        make_settings({}, wait_for_items=value)


@pytest.mark.parametrize("path", ["api/queue", "", "/api/queue?x", "/api/#", "/a b", "/a\n"])
def test_the_queue_path_is_a_path(path: str) -> None:
    with pytest.raises(UsageProblem, match=r"^--queue-path must be a path"):
        make_settings({}, queue_path=path)


def test_an_unknown_dialect_is_told_which_there_are() -> None:
    with pytest.raises(UsageProblem, match="cloud, oss or auto, not 'klingon'"):
        make_settings({}, dialect="klingon")


# --- the key ----------------------------------------------------------------------------------------


def test_the_key_comes_from_the_variable_that_is_named() -> None:
    usual = make_settings({"COMFY_API_KEY": KEY}, target=HERE)
    assert usual.key is not None
    assert (usual.key.reveal(), usual.key_source) == (KEY, "COMFY_API_KEY")
    named = make_settings({"COMFY_API_KEY": "another", "MINE": KEY}, target=HERE, api_key_env="MINE")
    assert named.key is not None
    assert (named.key.reveal(), named.key_source) == (KEY, "MINE")


def test_no_key_is_sent_where_none_is_wished() -> None:
    assert make_settings({"COMFY_API_KEY": KEY}, target="http://example.org", no_key=True).key is None
    assert make_settings({"COMFY_API_KEY": ""}, target=HERE).key is None


@pytest.mark.parametrize("name", ["MINE", ""])
def test_a_variable_that_is_named_must_be_set(name: str) -> None:
    with pytest.raises(UsageProblem, match="which is not set: export it, or use --no-key"):
        make_settings({"COMFY_API_KEY": KEY}, target=HERE, api_key_env=name)


def test_to_name_a_variable_and_to_want_no_key_contradict_each_other() -> None:
    with pytest.raises(UsageProblem, match="contradict"):
        make_settings({"MINE": KEY}, target=HERE, api_key_env="MINE", no_key=True)


@pytest.mark.parametrize("value", ["abc", f"{KEY}\n", f" {KEY}", "schlüssel", "a\tb-c-d"])
def test_what_can_be_no_key_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(UsageProblem, match="the key in COMFY_API_KEY") as problem:
        make_settings({"COMFY_API_KEY": value}, target=HERE)
    assert value.strip() not in str(problem.value)


@pytest.mark.parametrize("url", ["http://example.org", "http://192.168.0.2:8188", "http://localhost.example.org"])
def test_a_key_goes_over_plain_http_to_loopback_only(url: str) -> None:
    environ = {"COMFY_API_KEY": KEY}
    with pytest.raises(UsageProblem, match="plain http: use https, --no-key or --allow-plain-http-key"):
        make_settings(environ, target=url)
    assert make_settings(environ, target=url, allow_plain_http_key=True).key is not None
    assert make_settings(environ, target=url.replace("http:", "https:")).key is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1", "http://127.9.9.9:1", "http://localhost:1", "http://[::1]:1"])
def test_loopback_is_known_in_all_its_forms(url: str) -> None:
    assert make_settings({"COMFY_API_KEY": KEY}, target=url).key is not None


def test_a_secret_shows_itself_to_nobody() -> None:
    settings = make_settings({"COMFY_API_KEY": KEY}, target=HERE)
    assert KEY not in f"{settings} {settings!r} {settings.key} {settings.options()} {announcement(settings)}"


def test_it_is_announced_who_is_asked_and_who_receives_the_key() -> None:
    settings = Settings(target="https://cloud.comfy.org/a", key=Secret(KEY), key_source="MINE")
    asked, key = announcement(settings)
    assert "https://cloud.comfy.org/a" in asked
    assert "/a/api/queue (about 45 read-only requests)" in asked
    assert key == "the key in MINE is sent to https://cloud.comfy.org and nowhere else"


# --- generated requests -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [{}, {"properties": 60}])
def test_requests_are_generated_by_default_and_do_not_count(given: dict[str, int]) -> None:
    found = settings_from({}, {entry.name: entry.default for entry in OPTIONS} | given)
    assert found.properties is not None
    assert found.properties.number == 60
    assert found.bounds.max_requests == 50


def test_nought_switches_generated_requests_off() -> None:
    assert settings_from({}, {entry.name: entry.default for entry in OPTIONS} | {"properties": 0}).properties is None


def test_generated_requests_have_a_seed_of_their_own() -> None:
    one, other = (make_settings({}, properties=3).properties for _ in range(2))
    assert one is not None
    assert other is not None
    assert one.seed != other.seed


def test_what_was_given_is_taken() -> None:
    found = make_settings({}, properties=3, seed=7, example_database="none", max_requests=70)
    assert found.properties == Properties(3, 7, "none")
    assert found.bounds.max_requests == 70
    told = r"3 of them are generated by Schemathesis 4\S+ from the vendored document \(SHA-256 \w+…\), seed 7"
    assert any(re.fullmatch(told, line) for line in announcement(found))


def test_a_database_that_cannot_be_written_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    taken = make_settings({}, properties=1, example_database=str(tmp_path / "file" / "x"))
    free = make_settings({}, properties=1, example_database=str(tmp_path / "x" / "y"))
    said = f"{tmp_path / 'file/x'} cannot be written: requests that break a clause are not stored for the next run"
    assert said in announcement(taken)
    assert "are not stored" not in "\n".join(announcement(free))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"properties": -1}, "--properties must be 0 or more, not -1"),
        ({"seed": -1}, "--seed must be 0 or more, not -1"),
        ({"example_database": ""}, "--example-database is empty"),
        ({"example_database": "github:nobody"}, "must be github:OWNER/REPO"),
        ({"example_database": "github:a/b/c"}, "must be github:OWNER/REPO"),
    ],
)
def test_a_search_that_cannot_be_is_one_line(typed: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageProblem, match=r"^[^\n]+$") as problem:
        make_settings({}, **{"properties": 1, **typed})
    assert told in str(problem.value)


@pytest.mark.parametrize("typed", [{"seed": 0}, {"example_database": "none"}])
def test_what_is_for_generated_requests_is_refused_without_them(typed: dict[str, Any]) -> None:
    with pytest.raises(UsageProblem, match="leave out --properties 0"):
        make_settings({}, **typed)


def test_the_rate_is_bounded_where_the_host_is_not_loopback() -> None:
    assert make_settings({}, target=HERE).bounds.rate_limit is None
    assert make_settings({}, target="https://example.org").bounds.rate_limit == 20
    assert make_settings({}, target="https://example.org", rate_limit=2).bounds.rate_limit == 2
