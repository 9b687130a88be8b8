"""targets.toml: what it may say, what it may not, and whose key is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.exchange.secrets import Secret
from conformance.problems import UsageProblem
from conformance.run.describing import Place
from conformance.run.options import Option, at
from conformance.run.targets import Target, parse, read

FILE = Path("folder/targets.toml")


def one(text: str) -> Target:
    """Return the only target of a file."""
    (target,) = parse(text, FILE)
    return target


def named(*lines: str) -> str:
    """Return a file with one target."""
    return "\n".join(["[[target]]", 'name = "prod"', 'url = "http://127.0.0.1:1"', *lines])


def test_defaults_hold_for_all_and_each_target_for_itself() -> None:
    first, second = parse(
        """
        [defaults]
        dialect = "oss"
        wait-for-items = 60

        [[target]]
        name = "worker-1"
        url = "http://127.0.0.1:8188"

        [[target]]
        name = "cloud"
        url = "https://cloud.comfy.org"
        dialect = "cloud"
        api_key_env = "CLOUD_KEY"
        queue-path = "/v1/queue"
        """,
        FILE,
    )
    assert (first.name, first.url) == ("worker-1", "http://127.0.0.1:8188")
    assert first.options["dialect"] == "oss"
    assert second.options["dialect"] == "cloud"
    assert first.options["wait_for_items"] == second.options["wait_for_items"] == 60
    assert second.options["api_key_env"] == "CLOUD_KEY"
    assert second.options["queue_path"] == "/v1/queue"
    assert second.settings({"CLOUD_KEY": "k" * 20}, Path()).name == "cloud"


@pytest.mark.parametrize(
    "option",
    [option for option in at(Place.CHECK) if option.name not in {"report_dir", "name"}],
    ids=lambda it: it.name,
)
def test_every_option_of_a_run_can_be_given_in_both_spellings(option: Option) -> None:
    if option.name == "target":
        value = '"http://127.0.0.1:2"'
    elif option.metavar is None:
        value = "true"
    elif option.multiple:
        value = str(list(option.choices or ("X-A=A", "X-B=B")))
    elif option.choices:
        value = f'"{option.choices[-1]}"'
    else:
        value = {str: '"text"', int: "3", float: "2.5"}[option.type]
    spellings = {option.name, option.name.replace("_", "-")}
    url = "" if option.name == "target" else 'url = "http://127.0.0.1:1"'
    found = [one(f'[[target]]\nname = "p"\n{url}\n{key} = {value}') for key in spellings]
    assert len({str(target.options[option.name]) for target in found}) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[target]", "is not valid TOML: "),
        (f"a = {'[' * 50_000}", "is not valid TOML: maximum recursion depth exceeded"),
        ("", "names no target: add one below [[target]]"),
        ("[target]\nname = 'x'", "write [[target]] above each"),
        ("target = ['x']", "write [[target]] above each"),
        ("defaults = 1", "write [defaults]"),
        ("[[targets]]\nname = 'x'", "unknown key 'targets': did you mean target?"),
        ("[[target]]\nurl = 'http://t'", "[[target]] 1 has no name: use letters"),
        ("[[target]]\nname = '../up'\nurl = 'http://t'", "[[target]] 1 cannot be named '../up'"),
        ("[[target]]\nname = 'Index.HTML'\nurl = 'http://t'", "cannot be named 'Index.HTML'"),
        ("[[target]]\nname = 7\nurl = 'http://t'", "cannot be named 7"),
        ("[[target]]\nname = 'x'", "target 'x' has no url"),
        (named("dialekt = 'oss'"), "target 'prod': unknown option 'dialekt': did you mean dialect?"),
        (named("ulr = 'oss'"), "did you mean url?"),
        (named("dead_line = 3"), "did you mean deadline?"),
        (named("klingon = 1"), "unknown option 'klingon'"),
        (named("report-dir = 'x'"), "use --report-dir, which applies to all targets"),
        (named("queue-path = '/q'", "queue_path = '/q'"), "queue-path is given twice, in two spellings"),
        (named("target = 'http://t'"), "url is given twice"),
        (named("dialect = 'klingon'"), "dialect must be one of cloud, oss, auto, not 'klingon'"),
        (named("dialect = ['oss']"), "dialect must be one of cloud, oss, auto, not ['oss']"),
        (named("deadline = '10'"), "deadline must be a number, not '10'"),
        (named("deadline = true"), "deadline must be a number, not True"),
        (named("max-requests = 2.5"), "max-requests must be a whole number, not 2.5"),
        (named("insecure = 'yes'"), "insecure must be true or false, not 'yes'"),
        (named("header = 'A=B'"), 'header must be a list, such as ["NAME=VARIABLE"], not'),
        (named("header = [1]"), "header must be a list"),
        (named("format = ['pdf']"), 'format must be a list, such as ["ctrf"], not'),
        (named("queue-path = 1"), "queue-path must be a string in quotes, not 1"),
        (named("isolate = 'yes'"), "isolate must be true or false, not 'yes'"),
        ("[defaults]\nisolate = 1\n" + named(), "[defaults]: isolate must be true or false, not 1"),
        (named() + "\n" + named(), "two targets have the name 'prod'"),
        (named() + "\n" + named().replace("prod", "PROD"), "two targets have the name 'PROD'"),
        ("[defaults]\napi-key-env = 'K'\n" + named(), "[defaults]: api-key-env applies to one target"),
        ("[defaults]\napi-key-file = 'k'\n" + named(), "[defaults]: api-key-file applies to one target"),
        ("[defaults]\nheader = ['A=B']\n" + named(), "[defaults]: header applies to one target"),
        ("[defaults]\nurl = 'http://t'\n" + named(), "[defaults]: url applies to one target"),
        ("[defaults]\npopulate = true\n" + named(), "[defaults]: populate applies to one target"),
        ("[defaults]\nallow-writes = true\n" + named(), "[defaults]: allow-writes applies to one target"),
        ("[defaults]\nyes = true\n" + named(), "[defaults]: yes applies to one target"),
        ("[defaults]\nname = 'x'\n" + named(), "[defaults]: unknown option 'name'"),
    ],
)
def test_what_cannot_be_meant_is_said_in_a_line(text: str, told: str) -> None:
    with pytest.raises(UsageProblem) as problem:
        parse(text, FILE)
    assert told in str(problem.value)
    assert str(FILE) in str(problem.value)
    assert "\n" not in str(problem.value)


def test_files_are_beside_the_file_that_names_them(tmp_path: Path) -> None:
    found = one(named("ca-bundle = 'ca.pem'", "api-key-file = '/run/key'", "example-database = 'none'")).options
    assert found["ca_bundle"] == "folder/ca.pem"
    assert found["api_key_file"] == "/run/key"
    assert found["example_database"] == "none"
    assert one(named("example-database = 'github:o/r'")).options["example_database"] == "github:o/r"
    assert one(named("populate = true", "workflow = ['a.json', '/b.json']")).options["workflow"] == [
        "folder/a.json",
        "/b.json",
    ]
    assert one(named("example-database = 'kept'")).options["example_database"] == "folder/kept"
    (tmp_path / "targets.toml").write_text(named("api-key-file = 'key'"), encoding="utf-8")
    (tmp_path / "key").write_text("a-key-in-a-file\n", encoding="utf-8")
    (target,) = read(tmp_path / "targets.toml")
    assert target.settings({}, tmp_path).key_source == str(tmp_path / "key")


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        UsageProblem, match=r"cannot be read \(No such file or directory\): give the name of your targets file"
    ):
        read(tmp_path / "targets.toml")
    (tmp_path / "targets.toml").write_bytes(b"\xff")
    with pytest.raises(UsageProblem, match="is not UTF-8"):
        read(tmp_path / "targets.toml")


# Keys


ENVIRON = {
    "A_KEY": "key-of-a",
    "B_KEY": "key-of-b",
    "B_TOKEN": "Bearer b",
    "B_PROXY": "http://p:1",
    "COMFY_API_KEY": "x-key",
    "PATH": "/bin",
}
KEYED = """
[[target]]
name = "a"
url = "https://a.example"
api-key-env = "A_KEY"
[[target]]
name = "b"
url = "https://b.example"
api-key-env = "B_KEY"
header = ["Authorization=B_TOKEN"]
proxy-env = "B_PROXY"
[[target]]
name = "c"
url = "https://c.example"
[[target]]
name = "d"
url = "https://d.example"
api-key-env = "COMFY_API_KEY"
"""


def test_a_target_that_names_no_key_is_asked_without_one() -> None:
    keys = {target.name: target.settings(ENVIRON, Path()).key for target in parse(KEYED, FILE)}
    assert {name: key.reveal() if isinstance(key, Secret) else key for name, key in keys.items()} == {
        "a": "key-of-a",
        "b": "key-of-b",
        "c": None,
        "d": "x-key",
    }


def test_the_embedded_endpoint_keeps_the_key_that_it_brings() -> None:
    settings = one('[[target]]\nname = "ref"\nurl = "embedded"').settings(ENVIRON, Path())
    assert (settings.key, settings.no_key) == (None, False)


def test_a_key_of_its_own_outweighs_the_default_of_none() -> None:
    target = one("[defaults]\nno-key = true\n" + named("api-key-env = 'A_KEY'"))
    assert target.settings(ENVIRON, Path()).key_source == "A_KEY"


def test_a_key_that_is_not_set_is_told_with_the_target_and_without_the_key() -> None:
    with pytest.raises(UsageProblem, match="target 'prod': --api-key-env names A_KEY, which is not set"):
        one(named("api-key-env = 'A_KEY'")).settings({}, Path())
    with pytest.raises(UsageProblem) as problem:
        one(named("api-key-env = 'sk-live-1234'")).settings({}, Path())
    assert "sk-live" not in str(problem.value)


def test_thousands_of_targets_are_read() -> None:
    text = "\n".join(
        f'[[target]]\nname = "worker-{n}"\nurl = "http://10.0.{n // 250}.{n % 250}:8188"' for n in range(5000)
    )
    targets = parse(text, FILE)
    assert len(targets) == 5000
    assert targets[4999].url == "http://10.0.19.249:8188"
