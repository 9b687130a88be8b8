"""The templates of the pages are compiled once, and never taken from what something else compiled."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from conformance.render.compiled import Compiled


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where compiled templates are kept: a directory of this test's own, written by a Python that may write."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    directory = Path(Compiled().directory)
    assert directory.is_relative_to(tmp_path)
    directory.mkdir(parents=True)
    return directory


class _Counting(Environment):
    """Counts what it compiles."""

    compiled = 0

    def _generate(self, *args: Any, **options: Any) -> str:
        self.compiled += 1
        return super()._generate(*args, **options)


def _rendered(text: str = "A {{ 1 }}") -> tuple[str, int]:
    """Return a page, filled by a new environment, and how many templates were compiled for it."""
    environment = _Counting(loader=DictLoader({"page": text}), bytecode_cache=Compiled())
    return environment.get_template("page").render(), environment.compiled


def test_a_template_is_compiled_once(kept: Path) -> None:
    assert [_rendered(), _rendered(), _rendered()] == [("A 1", 1), ("A 1", 0), ("A 1", 0)]
    assert len(list(kept.iterdir())) == 1


def test_a_template_that_changed_is_compiled_anew_and_leaves_no_old_one(kept: Path) -> None:
    assert [_rendered("A"), _rendered("B"), _rendered("B")] == [("A", 1), ("B", 1), ("B", 0)]
    assert len(list(kept.iterdir())) == 1


@pytest.mark.usefixtures("kept")
def test_what_another_compiler_made_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    _rendered()
    made = Compiled.__init__

    def otherwise(self: Compiled) -> None:
        made(self)
        self._makers += "# changed\n"

    monkeypatch.setattr(Compiled, "__init__", otherwise)
    assert _rendered() == ("A 1", 1)


@pytest.mark.parametrize("damage", [b"", b"j2", b"no bytecode at all", None], ids=["empty", "short", "other", "half"])
def test_one_that_is_damaged_is_compiled_anew(kept: Path, damage: bytes | None) -> None:
    _rendered()
    (file,) = kept.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert [_rendered(), _rendered()] == [("A 1", 1), ("A 1", 0)]
    assert file.read_bytes() == whole


def test_nothing_is_written_where_python_is_told_not_to(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert [_rendered(), _rendered()] == [("A 1", 1), ("A 1", 1)]
    assert not list(kept.iterdir())


def test_a_place_that_cannot_be_read_or_written_is_done_without(kept: Path) -> None:
    kept.rmdir()
    kept.write_bytes(b"a file where a directory should be")
    assert [_rendered(), _rendered()] == [("A 1", 1), ("A 1", 1)]


def test_a_kept_template_belongs_to_this_python(kept: Path) -> None:
    _rendered()
    (file,) = kept.iterdir()
    assert str(sys.implementation.cache_tag) in file.name
