"""Where the results of targets go: the names of directories. What is written is in tests/cli/test_check_all.py."""

from __future__ import annotations

import pytest

from conformance.fleet.filing import directory_of


@pytest.mark.parametrize("name", ["prod", "worker-17", "a.b_c"])
def test_the_directory_of_a_target_has_its_name(name: str) -> None:
    assert directory_of(name) == name


@pytest.mark.parametrize("name", ["http://127.0.0.1:8188/a", "../up", "index.html", "", "ü", "a b", "x" * 200])
def test_a_name_that_cannot_be_a_directory_gets_one_of_its_own(name: str) -> None:
    found = directory_of(name)
    assert directory_of(found) == found
    assert found not in {name, directory_of(f"{name}/"), directory_of(f"{name} ")}
