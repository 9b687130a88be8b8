"""Four files, each whole, and nothing else touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from conformance.render.write import NAMES, check_writable, write_reports
from helpers import report_samples as sample


def names(directory: Path) -> set[str]:
    """Return the names of what is in a directory."""
    return {path.name for path in directory.iterdir()}


def test_four_files_are_written_and_nothing_else_is_touched(tmp_path: Path) -> None:
    """Old reports are replaced; a stranger's file stays."""
    directory = tmp_path / "reports" / "latest"
    directory.mkdir(parents=True)
    (directory / "notes.txt").write_text("mine")
    (directory / "index.html").write_text("old")
    write_reports(sample.failing(), directory)
    assert names(directory) == {*NAMES, "notes.txt"}
    assert (directory / "notes.txt").read_text() == "mine"
    assert json.loads((directory / "compliance.json").read_bytes())["verdict"] == "non-conformant"
    assert (directory / "index.html").read_text("utf-8").startswith("<!DOCTYPE html>")


def test_what_was_made_can_be_read_by_those_who_may(tmp_path: Path) -> None:
    """The umask decides, not a temporary file's caution."""
    before = os.umask(0o022)
    try:
        write_reports(sample.passing(), tmp_path)
    finally:
        os.umask(before)
    assert {(tmp_path / name).stat().st_mode & 0o777 for name in NAMES} == {0o644}


def test_an_option_reaches_junit(tmp_path: Path) -> None:
    """fail_on_should makes failures of warnings."""
    write_reports(sample.failing(), tmp_path, fail_on_should=True)
    assert (tmp_path / "junit.xml").read_text("utf-8").count("<failure") == 4


def test_a_failure_leaves_the_old_files_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk while the third file is written: nothing was replaced yet."""
    write_reports(sample.passing(), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in NAMES}
    calls = iter(range(10))
    real = os.fsync

    def full(descriptor: int) -> None:
        if next(calls) == 2:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_reports(sample.failing(), tmp_path)
    assert names(tmp_path) == set(NAMES)
    assert {name: (tmp_path / name).read_bytes() for name in NAMES} == before


def test_what_cannot_be_written_is_told_early(tmp_path: Path) -> None:
    """A file where the directory should be, or a directory where a file should be."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="file"):
        check_writable(tmp_path / "file" / "reports")
    (tmp_path / "summary.md").mkdir()
    with pytest.raises(IsADirectoryError):
        check_writable(tmp_path)


def test_a_writable_directory_is_made_and_left_empty(tmp_path: Path) -> None:
    """The check leaves nothing but the directory."""
    check_writable(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == set()
