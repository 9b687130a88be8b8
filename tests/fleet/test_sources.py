"""Who is named as an endpoint of a fleet, and who cannot be."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from conformance.fleet.sources import TargetsPart, inspect, own_environment, part_of, source_of
from conformance.problems import UsageProblem
from conformance.run.targets import Target
from helpers.fleet_samples import source


def opened(path: Path) -> list[Target]:
    """Return the targets that a file names."""
    with source_of(str(path), io.BytesIO()) as found:
        return list(found)


def test_a_file_of_urls_is_read_line_by_line_without_blank_ones_and_comments() -> None:
    found = source("# our workers\nhttp://127.0.0.1:1\n\n  http://127.0.0.1:2/prefix \r\n")
    assert [(each.name, each.url) for each in found] == [
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.0.0.1:2/prefix", "http://127.0.0.1:2/prefix"),
    ]


def test_a_source_can_be_read_again() -> None:
    found = source("http://127.0.0.1:1\nhttp://127.0.0.1:2\n")
    assert list(found) == list(found)


def test_the_columns_of_a_csv_file_are_options_in_either_spelling() -> None:
    text = (
        "\ufeffname,url,dialect,queue_path,api-key-env,wait-for-items,insecure,header\n"
        "a,http://127.0.0.1:1,oss,/q,,,,\n"
        'b,"https://example.org",,,B_KEY,2.5,true,Authorization=B_TOKEN Cookie=B_COOKIE\n'
    )
    a, b = source(text, "fleet.csv")
    assert (a.name, a.url) == ("a", "http://127.0.0.1:1")
    assert a.options == {"target": a.url, "dialect": "oss", "queue_path": "/q", "no_key": True}
    assert b.options["api_key_env"] == "B_KEY"
    assert b.options["wait_for_items"] == 2.5
    assert b.options["insecure"] is True
    assert b.options["no_key"] is False
    assert b.variables == {"B_KEY", "B_TOKEN", "B_COOKIE"}


def test_files_that_a_csv_file_names_are_beside_it(tmp_path: Path) -> None:
    (tmp_path / "fleet.csv").write_text("url,ca-bundle\nhttps://example.org,ours.pem\n", encoding="utf-8")
    (one,) = opened(tmp_path / "fleet.csv")
    assert one.options["ca_bundle"] == str(tmp_path / "ours.pem")


def test_a_targets_toml_is_read_as_check_reads_it(tmp_path: Path) -> None:
    (tmp_path / "targets.toml").write_text(
        '[defaults]\ndialect = "oss"\n[[target]]\nname = "a"\nurl = "http://127.0.0.1:1"\n', encoding="utf-8"
    )
    (one,) = opened(tmp_path / "targets.toml")
    assert (one.name, one.options["dialect"]) == ("a", "oss")


def test_standard_input_is_read_once_and_can_be_gone_through_again() -> None:
    stdin = io.BytesIO(b"http://127.0.0.1:1\n")
    with source_of("-", stdin) as found:
        stdin.close()
        assert [each.name for each in found] == [each.name for each in found] == ["http://127.0.0.1:1"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no target"),
        ("url\n", "has no target"),
        ("http://127.0.0.1:1\nhttp://127.0.0.1:1\n", "line 2: 'http://127.0.0.1:1' appears twice"),
        ("url,name\nhttp://127.0.0.1:1,a\nhttp://127.0.0.1:2,a\n", "line 3: 'a' appears twice"),
        ("http://127.0.0.1:1\n127.0.0.1:2\n", "line 2: 127.0.0.1:2 is not an http or https URL"),
        ("url,dialekt\nhttp://127.0.0.1:1,oss\n", "line 1: 'dialekt' is not a known column: did you mean dialect?"),
        ("url,properties\nhttp://127.0.0.1:1,true\n", "line 2: properties must be a number, not 'true'"),
        ("url,dialect,dialect\nhttp://127.0.0.1:1,oss,oss\n", "line 1: a column appears twice"),
        ("url,name\nhttp://127.0.0.1:1,a,b\n", "line 2 has 3 fields, but the first line names 2"),
        ("name,url\na,\n", "line 2 has no url"),
        ("url,isolate\nhttp://127.0.0.1:1,perhaps\n", "line 2: isolate must be true or false, not 'perhaps'"),
        ("url,report-dir\nhttp://127.0.0.1:1,x\n", "line 1: 'report-dir' is not a known column"),
        ("url,populate\nhttp://127.0.0.1:1,true\n", "line 1: 'populate' is not a known column"),
        ("url,insecure\nhttp://127.0.0.1:1,perhaps\n", "line 2: insecure must be true or false, not 'perhaps'"),
        ("url,deadline\nhttp://127.0.0.1:1,soon\n", "line 2: deadline must be a number, not 'soon'"),
        ("url,name\nhttp://127.0.0.1:1,\x1b[2J\n", "line 2: a name must be printable"),
        (
            "url,api-key-env\nhttps://example.org,NOT_SET\n",
            "line 2: target 'https://example.org': --api-key-env names ",
        ),
        ("url,api-key-env\nhttp://example.org,A_KEY\n", "line 2: target 'http://example.org': "),
        ("url\nhttp://127.0.0.1:1\n\udcff", "is not valid UTF-8"),
    ],
)
def test_what_cannot_be_checked_is_said_before_anything_is_sent(text: str, told: str) -> None:
    found = source("")
    found.content.write(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageProblem) as problem:
        inspect(found, {"A_KEY": "k3yCanaryOfA"}, {}, far=False)
    assert told in str(problem.value)
    assert str(problem.value).startswith("targets.txt")


def test_the_parts_of_a_source_are_all_of_it_and_none_has_what_another_has() -> None:
    text = "".join(f"http://127.0.0.1:{number}\n" for number in range(1, 12))
    parts = [[each.name for each in replace(source(text), part=TargetsPart(first, 4))] for first in range(4)]
    assert [len(part) for part in parts] == [3, 3, 3, 2]
    assert sorted(chain.from_iterable(parts)) == sorted(each.name for each in source(text))
    assert inspect(replace(source("http://127.0.0.1:1\n"), part=TargetsPart(1, 2)), {}, {}, far=False).number == 0


@pytest.mark.parametrize("text", ["", "1", "4/4", "-1/4", "a/b", "1/0", "/4", "²/4"])
def test_a_part_is_one_of_so_many(text: str) -> None:
    with pytest.raises(UsageProblem, match="--part must be I/N, counted from 0"):
        part_of(text)


@pytest.mark.parametrize("option", ["populate = true", "allow-writes = true", "jobs = 2", "workflow = ['a.json']"])
def test_a_target_that_is_written_to_is_refused(tmp_path: Path, option: str) -> None:
    path = tmp_path / "targets.toml"
    path.write_text(f'[[target]]\nname = "a"\nurl = "http://127.0.0.1:1"\n{option}\n', encoding="utf-8")
    with pytest.raises(UsageProblem, match="which --all does not support: check 'a' separately"):
        opened(path)


def test_a_target_is_isolated_if_it_says_so(tmp_path: Path) -> None:
    found = source("url,isolate\nhttp://127.0.0.1:1,yes\nhttp://127.0.0.1:2,\n", "fleet.csv")
    assert [target.isolate for target in found] == [True, False]
    path = tmp_path / "targets.toml"
    path.write_text(
        "[defaults]\nisolate = true\n[[target]]\nname = 'a'\nurl = 'http://127.0.0.1:1'\n"
        "[[target]]\nname = 'b'\nurl = 'http://127.0.0.1:2'\nisolate = false\n",
        encoding="utf-8",
    )
    assert [target.isolate for target in opened(path)] == [True, False]


def test_the_variables_of_all_targets_are_known_before_a_process_starts() -> None:
    text = "url,api-key-env\nhttps://a.example,A_KEY\nhttps://b.example,B_KEY\n"
    found = inspect(source(text, "fleet.csv"), {"A_KEY": "k" * 20, "B_KEY": "l" * 20}, {}, far=False)
    assert found.variables == {"A_KEY", "B_KEY", "COMFY_API_KEY", "CONFORMANCE_TARGET"}


def test_where_workers_are_far_their_keys_and_files_are_taken_for_granted() -> None:
    text = "url,api-key-env,ca-bundle\nhttps://example.org,NOT_SET,nowhere.pem\n"
    assert inspect(source(text), {}, {}, far=True).number == 1
    with pytest.raises(UsageProblem):
        inspect(source(text), {}, {}, far=False)


def test_a_target_sees_of_the_environment_what_it_names_and_nothing_else() -> None:
    """Not the default variable of a key either: that would be sent to a whole fleet."""
    a, b, c = source(
        "url,api-key-env\nhttps://a.example,A_KEY\nhttps://b.example,B_KEY\nhttps://c.example,\n", "fleet.csv"
    )
    environ = {"A_KEY": "key-of-a", "B_KEY": "key-of-b", "COMFY_API_KEY": "key-of-nobody", "HOME": "/root"}
    assert own_environment(a, environ) == {"A_KEY": "key-of-a"}
    assert own_environment(b, environ) == {"B_KEY": "key-of-b"}
    assert own_environment(c, environ) == {}
    assert c.settings(own_environment(c, environ), Path()).key is None
