"""Files that are not a history, or a damaged one: each is reported in a line and left as it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from conformance.history import Store, UnusableHistory, history_of, keep, prepare
from conformance.history.tables import APPLICATION_ID, VERSION
from helpers import history_samples
from helpers import report_samples as sample


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a history may be."""
    return tmp_path / "history.db"


def other_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE mine (x)")


def of_version(number: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        history_samples.fill(path, (sample.passing,))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version = {number}")

    return make


def without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")


def damaged(path: Path) -> None:
    history_samples.fill(path, (sample.passing,) * 3)
    data = path.read_bytes()
    path.write_bytes(data[:100] + b"\xff" * 4000 + data[4100:])


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.write_text("not a database, but long enough to be one" * 50), "is not an SQLite database"),
        (other_program, "is a database of another program"),
        (of_version(VERSION - 1), f"has tables of version {VERSION - 1}, and this version of the suite uses"),
        (of_version(VERSION + 1), f"has tables of version {VERSION + 1}, and this version of the suite uses"),
        (without_tables, "has tables of version 1, and this version of the suite uses"),
        (damaged, "is a damaged SQLite database"),
        (Path.mkdir, "is a directory"),
    ],
    ids=["text", "another program's", "older", "newer", "older, empty", "damaged", "a directory"],
)
def test_what_can_never_be_a_history_is_refused_before_and_after_and_left_alone(
    path: Path, make: Any, told: str
) -> None:
    make(path)
    before = path.read_bytes() if path.is_file() else None
    for use in (prepare, Store, lambda path: keep(sample.passing(), path)):
        with pytest.raises(UnusableHistory, match=told) as problem:
            use(path)
        assert "\n" not in str(problem.value)
    assert before == (path.read_bytes() if path.is_file() else None)


def test_damage_that_only_a_look_at_every_page_shows_is_found_before_a_run(path: Path) -> None:
    history_samples.fill(path, (sample.failing,) * 40)
    data = bytearray(path.read_bytes())
    data[-4096:] = b"\xff" * 4096
    path.write_bytes(data)
    with pytest.raises(UnusableHistory, match="is a damaged SQLite database"):
        prepare(path)
    assert path.read_bytes() == data


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE run SET statuses = '?'",
        "UPDATE run SET counts = '[1]'",
        "UPDATE run SET verdict = 'fine'",
        "UPDATE kept SET content = '{'",
    ],
)
def test_contents_that_no_version_wrote_are_reported_as_damage(path: Path, damage: str) -> None:
    """SQLite does not see that a row says something else than what was written."""
    history_samples.fill(path, (sample.failing,))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(damage)
        connection.commit()
    with Store(path) as store, pytest.raises(UnusableHistory, match="is a damaged SQLite database"):
        history_of(store, store.run(1))


def test_an_empty_file_becomes_a_history(path: Path) -> None:
    path.touch()
    prepare(path)
    keep(sample.passing(), path)
    with Store(path) as store:
        assert store.run(1).number == 1


def test_a_directory_that_cannot_be_made_is_refused(path: Path) -> None:
    path.touch()
    with pytest.raises(UnusableHistory, match="cannot be created"):
        prepare(path / "below" / "history.db")


def test_a_history_that_is_only_to_be_read_is_not_made(path: Path) -> None:
    with pytest.raises(UnusableHistory, match="does not exist"):
        Store(path)
    assert not path.exists()
