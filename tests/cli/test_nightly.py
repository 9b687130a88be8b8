"""What a night means: the decision, its words, and the verb over both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from conformance.fleet.filing import directory_of
from conformance.fleet.results import Results, pack_report
from conformance.history import Store
from conformance.history.digest import Digest, digest
from conformance.history.night import MOST, Decision, decide, kept_keys, known_keys
from conformance.history.night_results import Overview, TargetResult, Trouble
from conformance.judge.read import read_report
from conformance.reference.server import serve
from conformance.render import night as told
from helpers import cli_runner
from helpers.cli_runner import call
from helpers.commands import NOWHERE
from helpers.fleet_samples import HEADER, MILLISECONDS, broken


def target(name: str = "prod", outcome: Any = "conformant", *troubles: str, **more: Any) -> TargetResult:
    """Return what a night showed of a target; troubles by their key."""
    exit_ = {"conformant": 0, "non-conformant": 1, "inconclusive": 10, "error": 3}[outcome]
    found = tuple(Trouble(key=key, clause=key.split()[0], told="seconds", whose="server") for key in troubles)
    given = {"reason": "a reason", "exit": exit_, "start": "2026-11-25T03:41:00Z", **more}
    return TargetResult(name=name, target="http://t", dialect="cloud", outcome=outcome, troubles=found, **given)


WELL = target()
ILL = target("prod", "non-conformant", "item.a 1")
OTHERWISE = target("prod", "non-conformant", "item.a 2")
SILENT = target("prod", "inconclusive", nights=1)
STILL_SILENT = target("prod", "inconclusive", nights=3)
FAILED = target("prod", "error")
A1, A2 = "prod item.a 1", "prod item.a 2"


@pytest.mark.parametrize(
    ("tonight", "known", "action", "status"),
    [
        (WELL, None, "nothing", 0),
        (WELL, [A1], "close", 0),
        (WELL, [], "close", 0),
        (ILL, None, "open", 1),
        (ILL, [A1], "update", 1),
        (ILL, [], "update", 1),
        (OTHERWISE, [A1], "update", 1),
        (SILENT, None, "nothing", 0),
        (SILENT, [A1], "update", 0),
        (SILENT, ["prod silent"], "close", 0),
        (STILL_SILENT, None, "open", 1),
        (STILL_SILENT, ["prod silent"], "update", 1),
        (STILL_SILENT, [A1], "update", 1),
        (FAILED, None, "open", 1),
        (FAILED, [A1], "update", 1),
        (SILENT, ["prod run"], "close", 0),
        (WELL, ["gone item.a 1"], "close", 0),
        (SILENT, ["gone item.a 1"], "close", 0),
        (target("prod", "inconclusive", "item.b error", nights=1), None, "open", 1),
        (target("prod", "conformant", "item.a stale", exit=1), None, "open", 1),
        (target("prod", "conformant", exit=1), None, "open", 1),
    ],
)
def test_a_night_opens_updates_closes_or_leaves_the_issue(
    tonight: TargetResult, known: list[str] | None, action: str, status: int
) -> None:
    found = decide([tonight], known)
    assert (found.action, found.exit) == (action, status)


@pytest.mark.parametrize(
    ("tonight", "known", "appeared", "gone"),
    [
        (ILL, [A1], (), ()),
        (ILL, None, (A1,), ()),
        (OTHERWISE, [A1], (A2,), (A1,)),
        (SILENT, [A1], (), ()),
        (STILL_SILENT, [A1], ("prod silent",), ()),
        (FAILED, [A1], ("prod run",), ()),
        (WELL, [A1], (), (A1,)),
    ],
)
def test_what_is_new_and_what_is_gone_is_told_from_the_open_issue(
    tonight: TargetResult, known: list[str] | None, appeared: tuple[str, ...], gone: tuple[str, ...]
) -> None:
    found = decide([tonight], known)
    assert (found.appeared, found.gone) == (appeared, gone)


def test_one_target_that_is_well_does_not_close_the_issue_of_another() -> None:
    found = decide([target("a"), target("b", "inconclusive", nights=1)], ["a item.a 1", "b item.b 1"])
    assert (found.action, found.troubles, found.gone) == ("update", ("b item.b 1",), ("a item.a 1",))


def test_the_number_of_nights_is_a_choice() -> None:
    assert [decide([SILENT], None, after=number).action for number in (1, 2)] == ["open", "nothing"]


def test_hundreds_of_troubles_become_one_for_each_target() -> None:
    ill = target("prod", "non-conformant", *(f"item.n{number} 1" for number in range(MOST + 1)))
    found = decide([ill, target("b", "non-conformant", "item.a 1")], None)
    assert found.troubles == ("b several", "prod several")
    assert known_keys(kept_keys(found.troubles)) == set(found.troubles)
    again = decide([ill, target("b", "non-conformant", "item.a 1")], found.troubles)
    assert (again.appeared, again.gone) == ((), ())


# Keys


def test_the_keys_of_an_issue_are_read_back() -> None:
    keys = ["prod item.create-time.milliseconds 1f2e3d4c", "a--b run", "x.y silent", "http://[::1]:8188/a silent"]
    assert known_keys(f"## Words\n\n{kept_keys(keys)}\nmore") == set(keys)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "words",
        "<!-- comfy-conformance night [1, 2] -->",
        "<!-- comfy-conformance night [} -->",
        "<!-- comfy-conformance night " + "[" * 9000 + "] -->",
        '<!-- comfy-conformance night ["::error::x", "a", "a b c d", "a <b>"] -->',
    ],
)
def test_what_somebody_else_wrote_into_the_issue_names_no_trouble(body: str) -> None:
    assert known_keys(body) == frozenset()


# Words


def night(*targets: TargetResult) -> Overview:
    """Put a night together."""
    return Overview("2026-11-25T03:41:00Z", "2026-11-25T03:42:00Z", targets)


def digested(whole: Overview) -> Digest:
    """Return the digest of a night."""
    return digest(whole.targets, start=whole.start, end=whole.end)


def worded(*targets: TargetResult, known: list[str] | None = None) -> tuple[Decision, Overview]:
    """Return the decision of a night with the night."""
    return decide(targets, known), night(*targets)


def test_the_title_says_who_is_not_well() -> None:
    assert told.title(decide([ILL], None)) == "GET /api/queue: prod needs attention"
    several = [target(name, "error") for name in "dcba"]
    assert told.title(decide(several, None)) == "GET /api/queue: 4 targets need attention (a, b, c, …)"


def test_the_body_tells_each_trouble_and_keeps_its_key() -> None:
    decision, whole = worded(ILL, target("b", "inconclusive", nights=1), known=["b item.b 1"])
    text = told.body(decision, whole, "https://ci.example/run/1")
    assert "[The report](https://ci.example/run/1)" in text
    assert "- `item.a`: seconds" in text
    assert "- item.b (known from before; not checked this night)" in text
    assert known_keys(text) == {A1, "b item.b 1"}
    assert "kept" not in MarkdownIt().render(text).partition("<!--")[0]


def test_a_comment_is_for_what_changed_alone() -> None:
    assert told.comment(*worded(ILL, known=[A1]), None) == ""
    assert told.comment(*worded(ILL), None) == ""
    text = told.comment(*worded(OTHERWISE, known=[A1]), None)
    assert "New:\n\n- prod: item.a" in text
    assert "Gone:\n\n- prod: item.a" in text
    assert told.comment(*worded(WELL, known=[A1]), None).startswith("No target has a problem any more.")


HOSTILE = "x\n::error::owned\r%0A @everyone <img src=x> [l](javascript:1) | `c` -->"


def test_what_a_server_said_acts_nowhere() -> None:
    trouble = Trouble(key="item.a 1", clause="item.a", told=HOSTILE, whose="server")
    one = TargetResult(
        name="prod",
        target="http://t",
        dialect="cloud",
        outcome="non-conformant",
        reason=HOSTILE,
        exit=1,
        troubles=(trouble,),
        changed=HOSTILE,
    )
    decision, whole = worded(one, known=["prod item.b 1"])
    texts = [
        told.body(decision, whole, None),
        told.comment(decision, whole, None),
        told.summary(decision, whole, digested(whole)),
    ]
    lines = list(told.lines(decision, digested(whole), tracked=True))
    assert len(lines) == 10
    assert "\n" not in "".join(lines)
    assert "::error" not in "".join([*texts, *lines])
    for text in texts:
        html = MarkdownIt("gfm-like", {"linkify": False}).render(text)
        assert "<img" not in html
        assert "<a " not in html
        assert "@everyone" not in text.replace("`@`", "")
    (command,) = told.commands(decision, whole)
    assert command.count("::") == 2
    assert "\n" not in command
    assert "%250A" in command


def test_commands_are_few_and_say_how_bad_it_is() -> None:
    many = [target(f"t{number:02}", "non-conformant", "item.a 1") for number in range(30)]
    assert len(list(told.commands(*worded(*many)))) == 10
    silent = list(told.commands(*worded(SILENT)))
    assert silent == ["::notice title=prod::inconclusive: a reason"]
    for one in (STILL_SILENT, FAILED, ILL):
        (command,) = told.commands(*worded(one))
        assert command.startswith("::error title=prod::")
    (command,) = told.commands(*worded(target("http://a.example:8188/50%,b", "error")))
    assert command.startswith("::error title=http%3A//a.example%3A8188/50%25%2Cb::")
    assert list(told.commands(*worded(WELL))) == []


def test_an_issue_of_hundreds_of_targets_fits_into_one() -> None:
    many = [target(f"t{number:03}", "non-conformant", *(f"item.c{n} 1" for n in range(20))) for number in range(200)]
    decision, whole = worded(*many)
    assert len(told.body(decision, whole, "https://ci.example")) < 65_000
    assert len(told.summary(decision, whole, digested(whole))) < 100_000


# The verb


def test_one_report_is_a_night_too(folder: Path) -> None:
    with serve(fault="seconds") as endpoint:
        assert call("check", "--properties", "0", endpoint.url, "-q", "--report-dir", "my night").exit_code == 1
    result = call("nightly", "my night", "--output", "out", "--url", "https://ci.example")
    assert result.exit_code == 1
    assert f"  Broken now: 1: {endpoint.url}\n" in result.stdout
    assert f"1 target broken: {endpoint.url}\n    item.create-time.milliseconds: " in result.stdout
    assert "issue" not in result.stdout  # nobody asked about one
    decision = json.loads((folder / "out/decision.json").read_text("utf-8"))
    assert decision["title"] == f"GET /api/queue: {endpoint.url} needs attention"
    assert (folder / "out/outputs.txt").read_text("utf-8").splitlines() == [
        "action=open",
        "exit=1",
        f"title=GET /api/queue: {endpoint.url} needs attention",
    ]
    issue = folder / "out/body.md"
    again = call("nightly", "my night", "--issue", issue, "--output", "out")
    assert again.stdout.splitlines()[-1] == "Action for the rolling issue: update the open issue. Nothing was sent."
    assert (folder / "out/comment.md").read_text("utf-8") == ""


def test_a_breached_should_is_a_trouble_where_it_is_to_fail() -> None:
    with serve(fault="id-in-upper-case") as endpoint:
        call("check", "--properties", "0", endpoint.url, "-q")
        assert call("nightly", "reports/latest").exit_code == 0
        call("check", "--properties", "0", endpoint.url, "-q", "--fail-on-should")
        result = call("nightly", "reports/latest")
    assert result.exit_code == 1
    assert "item.prompt-id.lower-case" in result.stdout


def test_the_newer_of_two_runs_in_one_folder_is_the_night(folder: Path) -> None:
    (folder / "targets.toml").write_text('[[target]]\nname = "ref"\nurl = "embedded"\n', encoding="utf-8")
    call("check", "--properties", "0", "--all", "-q")
    assert call("nightly", "reports/latest").stdout.count("1 target without a problem: ref\n") == 1
    call("check", "--properties", "0", "--target", "embedded", "-q")
    assert call("nightly", "reports/latest").stdout.count("1 target without a problem: embedded\n") == 1
    call("check", "--properties", "0", "--target", "embedded", "--name", "mine", "-q")
    assert call("nightly", "reports/latest").stdout.count("1 target without a problem: mine\n") == 1


def test_two_targets_with_one_url_and_no_names_are_told_apart_by_dialect_and_path() -> None:
    for dialect in ("cloud", "oss"):
        call("check", "--properties", "0", NOWHERE, "--dialect", dialect, "-q", "--report-dir", dialect)
    result = call("nightly", "cloud", "oss")
    assert f"  Not reached: 2: {NOWHERE} cloud /api/queue, {NOWHERE} oss /api/queue\n" in result.stdout


def test_a_night_is_kept_once(folder: Path) -> None:
    call("check", "--properties", "0", "--target", "embedded", "-q")
    for _ in range(2):
        assert call("nightly", "reports/latest", "--history", "h.db").exit_code == 0
    report = json.loads((folder / "reports/latest/compliance.json").read_text("utf-8"))
    assert report["history"]["total"] == 1
    call("check", "--properties", "0", "--target", "embedded", "-q", "--history", "h.db")
    call("nightly", "reports/latest", "--history", "h.db")
    report = json.loads((folder / "reports/latest/compliance.json").read_text("utf-8"))
    assert report["history"]["total"] == 2


@pytest.mark.parametrize("pages", [True, False])
def test_the_runs_of_many_targets_are_kept_and_their_names_have_no_blanks(folder: Path, *, pages: bool) -> None:
    name = "prod" if pages else "http://t.example/a b"
    call("check", "--target", "embedded", "-q", "--properties", "0", "--report-dir", "out/prod")
    line = broken(name, MILLISECONDS, troubles=ILL.troubles, report="prod/index.html" if pages else None)
    with Results.begin(folder / "out", HEADER) as results:
        results.add(line, pack_report(read_report(folder / "out/prod")))
    decided = call("nightly", "out", "--output", "decided")
    assert decided.exit_code == 1
    (key,) = json.loads((folder / "decided/decision.json").read_text("utf-8"))["troubles"]
    assert key == f"{directory_of(name)} item.a 1"
    call("nightly", "out", "--history", "h.db")
    with Store(folder / "h.db") as store:
        assert len(store.newest()) == 1
    report = json.loads((folder / "out/prod/compliance.json").read_text("utf-8"))
    assert (report["history"] is not None) is pages


def test_a_history_that_cannot_be_written_is_told_and_the_night_is_decided_all_the_same(folder: Path) -> None:
    call("check", "--properties", "0", "--target", "embedded", "-q")
    (folder / "h.db").write_text("no database", encoding="utf-8")
    result = call("nightly", "reports/latest", "--history", "h.db", "--output", "out")
    assert result.exit_code == 4
    assert result.stderr.endswith("this night was not stored\n")
    assert (folder / "out/outputs.txt").read_text("utf-8").startswith("action=nothing\nexit=0\n")


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ([], "nothing to summarise: give the report directories (DIR), or --targets FILE"),
        (["nowhere"], "nowhere/compliance.json cannot be read: No such file or directory"),
        (["broken"], "broken/results.jsonl is damaged at line 1"),
        (["--targets", "missing.toml"], "missing.toml cannot be read"),
        (["--targets", "targets.toml", "--issue", "missing.md"], "if no issue is open, leave out --issue"),
        (["--targets", "targets.toml", "--output", "targets.toml/x"], "give another --output"),
        (["--targets", "targets.toml", "--after", "0"], "0 is not in the range"),
        (["left", "left"], "two reports are for the target 'embedded"),
        (["--since", "7d"], "--since reads a history instead of DIR: give --history FILE"),
        (["left", "--since", "7d", "--history", "h.db"], "--since reads a history instead of DIR"),
        (
            ["--since", "0d", "--history", "h.db"],
            "--since must be a number of hours, days or weeks, such as 36h, 7d or 2w",
        ),
        (["--since", "a week", "--history", "h.db"], "not 'a week'"),
        (["--since", "7d", "--history", "h.db"], "the history h.db does not exist"),
        (["left", "--renamed", "a=b"], "add --history FILE"),
        (["left", "--renamed", "a", "--history", "h.db"], "--renamed must be OLD=NEW, such as prod=prod-eu, not 'a'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_read_is_one_line_and_4(folder: Path, typed: list[str], why: str) -> None:
    (folder / "targets.toml").write_text('[[target]]\nname = "prod"\nurl = "embedded"\n', encoding="utf-8")
    (folder / "broken").mkdir()
    (folder / "broken/results.jsonl").write_text('{"schema_version": 1}\n', encoding="utf-8")
    if typed.count("left") > 1:
        call("check", "--properties", "0", "--target", "embedded", "-q", "--report-dir", "left")
    cli_runner.is_refused(call("nightly", *typed), why)


def test_the_targets_of_a_file_are_listed_for_people_and_for_a_matrix(folder: Path) -> None:
    first = '[[target]]\nname = "prod"\nurl = "https://t.example"\napi-key-env = "K"\n'
    second = '[[target]]\nname = "b"\nurl = "embedded"\n'
    (folder / "targets.toml").write_text(first + second, encoding="utf-8")
    listed = "prod  https://t.example  cloud  K\nb     embedded  cloud  no key\n"
    assert call("check", "--properties", "0", "--all", "--list").stdout == listed
    assert call("check", "--properties", "0", "--all", "--list", "--only", "b").stdout == "b  embedded  cloud  no key\n"
    (line,) = call("check", "--properties", "0", "--all", "targets.toml", "--list", "json").stdout.splitlines()
    assert json.loads(line) == [
        {"name": "prod", "target": "https://t.example", "keys": ["K"]},
        {"name": "b", "target": "embedded", "keys": []},
    ]
    assert call("check", "--properties", "0", "--all", "missing.toml", "--list").exit_code == 4
