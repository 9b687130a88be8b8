"""The table of options: what is made from it, and what a forgotten place says."""

from __future__ import annotations

from typing import Annotated, Any, cast

import click
import pytest
from click.testing import CliRunner
from msgspec import Struct

import conformance
from conformance.cli.shared import GroupedCommand, options_at
from conformance.problems import UsageProblem
from conformance.run.describing import Group, Opt, Place
from conformance.run.make import make_settings
from conformance.run.options import OPTIONS, Option, at, options_of
from conformance.run.table import Options
from conformance.suite.options import add_options
from helpers import run_options
from helpers.cli_runner import call

GROUPS = ["Target", "Authentication", "What is checked", "Generated requests", "Writing", "Report", "Limits"]


class Scratch(Struct, frozen=True, kw_only=True):
    """A table with one option."""

    patience: Annotated[float, Opt(Group.LIMITS, "seconds of patience", "S", Place.CHECK | Place.LOAD, above=0)] = 2.5


@pytest.fixture
def scratch(monkeypatch: pytest.MonkeyPatch) -> Option:
    """Add an option to the table."""
    (option,) = options_of(Scratch)
    monkeypatch.setattr("conformance.run.options.OPTIONS", (*OPTIONS, option))
    return option


class Parser:
    """The part of pytest's parser that the plugin uses."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}

    def getgroup(self, name: str, description: str) -> Parser:
        assert name
        self.title = description
        return self

    def addoption(self, flag: str, **given: Any) -> None:
        self.told[flag] = {"title": self.title, **given}


def pytest_options() -> dict[str, dict[str, Any]]:
    """Return what the plugin tells pytest of each option."""
    parser = Parser()
    add_options(cast("pytest.Parser", parser))
    return parser.told


def help_of(place: Place) -> str:
    """Return the help of a command with the options of a place."""
    command = options_at(place)(lambda **_: None)
    return CliRunner().invoke(click.command(cls=GroupedCommand)(command), ["--help"]).stdout


def test_an_option_that_is_added_to_the_table_is_in_every_place_that_it_names(scratch: Option) -> None:
    told = "--patience S          Seconds of patience. [default: 2.5]\n"
    assert told in help_of(Place.CHECK).partition("Limits:\n")[2]
    assert "--patience S" in help_of(Place.LOAD)
    assert "--patience" not in help_of(Place.JUDGE)
    assert pytest_options()["--patience"] == {
        "title": "conformance of GET /api/queue: limits",
        "metavar": "S",
        "type": float,
        "default": 2.5,
        "action": "store",
        "help": "seconds of patience [default: 2.5]",
    }
    with pytest.raises(UsageProblem, match=r"^--patience must be a number above 0, not -1$"):
        scratch.check(-1)


def test_a_field_that_describes_no_option_says_what_to_write() -> None:
    class Undescribed(Struct):
        patience: float = 2.5

    class Required(Struct):
        patience: Annotated[float, Opt(Group.LIMITS, "seconds of patience", "S")]

    class Nameless(Struct):
        patience: Annotated[float, Opt(Group.LIMITS, "seconds of patience")] = 2.5

    for table in (Undescribed, Required):
        with pytest.raises(TypeError, match=r"^option patience: write patience: Annotated\[TYPE, Opt\("):
            options_of(table)
    with pytest.raises(TypeError, match="a flag is a bool without metavar, and all else has a metavar"):
        options_of(Nameless)


def test_every_option_is_read_when_settings_are_made() -> None:
    """An option that nothing reads would be accepted and ignored."""
    read = set()

    class Watched(Options, frozen=True):
        def __getattribute__(self, name: str) -> Any:
            read.add(name)
            return super().__getattribute__(name)

    for populate in (True, False):
        options = Watched(target="http://127.0.0.1:1", populate=populate, allow_writes=not populate)
        make_settings({"COMFY_API_KEY": "sesame-4711"}, options)
    forgotten = {option.name for option in at(Place.CHECK)} - read
    assert not forgotten, f"nothing reads {forgotten}: use it in conformance/run/make.py, or take it out of table.py"


def test_help_lists_the_options_below_their_headings() -> None:
    text = call("check", "--help").stdout
    headings = [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and line[0].isalpha()]
    assert headings == [*GROUPS, "Many targets", "Other options"]
    sections = text.split("\n\n")
    for option in at(Place.CHECK):
        (section,) = [each for each in sections if each.startswith(f"{option.group}:\n")]
        assert f"  {option.flag}" in section


@pytest.mark.parametrize(
    ("verb", "headings"),
    [
        ("judge", ["Recordings", "What is checked", "Report", "Other options"]),
        (
            "load",
            ["Load", "Target", "Authentication", "What is checked", "Writing", "Report", "Limits", "Other options"],
        ),
        ("drift", ["Target", "Other options"]),
    ],
)
def test_other_verbs_have_the_same_headings(verb: str, headings: list[str]) -> None:
    lines = call(verb, "--help").stdout.splitlines()
    assert [line.removesuffix(":") for line in lines if line.removesuffix(":") in {*GROUPS, *headings}] == headings


def test_pytest_has_every_option_of_check() -> None:
    assert list(pytest_options()) == [option.flag for option in at(Place.CHECK)]
    assert {each["title"].rpartition(": ")[2] for each in pytest_options().values()} == {g.lower() for g in GROUPS}


def test_a_bound_is_checked_wherever_an_option_was_given() -> None:
    for option in at(Place.CHECK):
        least, above = option.about.least, option.about.above
        if least is not None or above is not None:
            for value in (least - 1 if least is not None else above, float("nan"), float("inf")):
                with pytest.raises(UsageProblem, match=f"^{option.flag} must be "):
                    run_options.make_settings({}, **{option.name: value})


def test_an_unknown_option_gets_a_suggestion() -> None:
    assert "did you mean --dialect?" in call("check", "--dialekt", "oss").stderr
    with pytest.raises(TypeError, match=r"check\(\) has no option 'wait_for_item': did you mean wait_for_items\?"):
        conformance.check("embedded", wait_for_item=3)  # type: ignore[call-arg]


def test_clauses_are_chosen_by_id_pattern_profile_or_first_word() -> None:
    def only(*patterns: str) -> frozenset[str]:
        return run_options.make_settings({}, clause=patterns).only or frozenset()

    assert run_options.make_settings({}).only is None
    assert only("item.prompt-id.uuid") == {"item.prompt-id.uuid"}
    assert only("*.uuid", "item.array") == {"item.prompt-id.uuid", "item.array"}
    assert only("auth") == only("auth.*") != frozenset()
    assert only("item") == only("item.*") < only("queue")
    assert only("http") > only("caching") | only("http.*")
    for wrong, told in (
        ("itm.array", "--clause 'itm.array' matches no clause: did you mean item.array?"),
        ("klingon", "--clause 'klingon' matches no clause: `comfy-conformance clauses` lists all"),
    ):
        with pytest.raises(UsageProblem) as problem:
            only("auth", wrong)
        assert str(problem.value) == told
