"""The file of a register of known deviations."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from conformance.judge.deviations.register import Register, read_register
from conformance.problems import UsageProblem
from helpers.cli_runner import call, is_refused
from helpers.commands import suite
from helpers.registers import WHOLE, entry, known


def test_a_register_is_read_as_it_is_written(folder: Path) -> None:
    (folder / "known.toml").write_text(WHOLE)
    expected = known(expires=date(2099, 12, 25), since=date(2026, 11, 25))
    assert read_register("known.toml") == Register("known.toml", (expected,))
    (folder / "empty.toml").write_text("# nothing is known\n")
    assert read_register("empty.toml").entries == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('owner = "Ada"\n', "", "known.toml, line 1, deviation 1: `owner` is missing"),
        ("expires = 2", "expire = 2", "deviation 1: unknown key `expire`: did you mean expires?"),
        ("[[deviation]]", "[[deviations]]", ": unknown key `deviations`: did you mean deviation?"),
        (
            "[[deviation]]",
            "[deviation]",
            "known.toml: `deviation` must be a list of tables: write [[deviation]]",
        ),
        ("2099-12-25", '"2099-12-25"', "deviation 1: `expires` must be a date such as 2027-02-27"),
        (
            "2099-12-25",
            "2099-12-25T00:00:00Z",
            "deviation 1: `expires` must be a date such as 2027-02-27",
        ),
        ("2099-12-25", "2026-11-24", "deviation 1: `expires` is before `since`"),
        ('dialect = "cloud"', 'dialect = "klingon"', 'deviation 1: `dialect` must be "cloud", "oss" or "any"'),
        ('"Ids are short."', '"TODO: why"', "deviation 1: fill in `reason`"),
        ('"Ada"', '"  "', "deviation 1: fill in `owner`"),
        ('"Q-7"\nowner = "Ada"', '"TODO"\nowner = "TODO"', "deviation 1: fill in `issue` and `owner`"),
        ("since = 2026-11-25", 'intermittent = "no"\nsince = 2026-11-25', "`intermittent` must be true or false"),
        ('"Ada"', "7", "deviation 1: `owner` must be text in quotes"),
        ('"/queue_pending/*/1"', '"queue_pending"', "deviation 1: `place` is a JSON Pointer such as /queue"),
        ('"*"', '"*', "known.toml is not valid TOML: "),
        ("[[deviation]]", f"{WHOLE}\n[[deviation]]\nkind = 7", "line 12, deviation 2: `kind` must be text in quotes"),
    ],
)
def test_what_is_wrong_with_a_register_is_one_line_with_its_place(
    folder: Path, before: str, after: str, told: str
) -> None:
    assert before in WHOLE
    (folder / "known.toml").write_text(WHOLE.replace(before, after, 1))
    for arguments in (["check", "--target", "embedded"], ["judge", "known.toml"]):
        is_refused(call(*arguments, "--deviations", "known.toml"), told)
    is_refused(call("deviations", "check", "known.toml"), told)
    done = suite(folder, "--target", "embedded", "--deviations", "known.toml") if "owner" in before else None
    assert done is None or (done.returncode, told in done.stderr) == (4, True)


@pytest.mark.parametrize("data", [b"\xff", b"[" * 10_000, b"deviation = [1]", b'x = "\\ud800"', b"\x1b[31m"])
def test_what_is_no_register_is_one_line(folder: Path, data: bytes) -> None:
    (folder / "known.toml").write_bytes(data)
    with pytest.raises(UsageProblem) as told:
        read_register("known.toml")
    assert str(told.value).isprintable()


def test_a_register_that_is_not_there_is_one_line() -> None:
    is_refused(call("check", "--deviations", "none.toml"), "the register none.toml cannot be read (No such file")
    is_refused(call("deviations", "check", "none.toml"), "the register none.toml cannot be read (No such file")


# --- looking at one -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"clause": '"item.prompt-id.uid"'}, "no clause has this name: did you mean item.prompt-id.uuid?"),
        ({"place": '"/*/*/1"\nkind = "no-hyphen"'}, "the clause has no kind no-hyphen: did you mean no-hyphens?"),
        ({"place": '"/*/*/1"\nkind = "x"'}, "the clause has no kind x: it has no-hyphens, surrounded"),
        ({"clause": '"item.array"\nkind = "no"'}, "the clause has no kind no: it has object, bare-id"),
        ({"since": "2020-01-01", "expires": "2020-02-01"}, "expired on 2020-02-01"),
        ({"clause": '"auth.status"', "dialect": '"oss"'}, "the clause is not applicable under oss: "),
    ],
)
def test_a_register_is_looked_at_without_a_run(folder: Path, changes: dict[str, str], told: str) -> None:
    (folder / "known.toml").write_text(entry(**changes))
    done = call("deviations", "check", "known.toml")
    assert done.exit_code == 1
    assert told in done.stdout
    assert done.stdout.endswith("1 known deviation: 1 needs attention\n")


def test_what_holds_is_listed(folder: Path) -> None:
    (folder / "known.toml").write_text(entry())
    done = call("deviations", "check", "known.toml")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == [
        "1. item.prompt-id.uuid /queue_pending/*/1, cloud, *: until 2099-12-25",
        "1 known deviation: all valid",
    ]
