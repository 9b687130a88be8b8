"""What a run of the tests holds: the quick profile by default, everything with ``--deep``.

Quick is what ``pytest`` runs: every rule, with few drawn examples. Deep adds the tests marked ``deep`` (large bodies,
clusters whose workers are killed, benchmarks, mutation testing of a sample) and draws thousands of examples.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from helpers.programs import NOT_INSTALLED, REQUIRED

# A test process starts many others. Each would compile the package again if bytecode were not kept.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
if os.environ.pop("CI", None):  # if it is set, every run must name its target: tests of that set it themselves
    os.environ[REQUIRED] = "1"

pytest_plugins = ["helpers.browser"]

_BUSY_MACHINE = [HealthCheck.too_slow]

settings.register_profile(
    "quick", max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=_BUSY_MACHINE
)
settings.register_profile(
    "deep", max_examples=500, derandomize=True, database=None, deadline=None, suppress_health_check=_BUSY_MACHINE
)
settings.register_profile(
    "night", max_examples=5000, database=None, deadline=None, print_blob=True, suppress_health_check=_BUSY_MACHINE
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="run the slow tests too, with ten times the examples")


@pytest.hookimpl(optionalhook=True)  # mutants are tried without xdist
def pytest_xdist_auto_num_workers() -> int:
    """Start one process more than there are processors, because tests of time-outs and signals mostly wait."""
    return (os.cpu_count() or 1) + 1


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("deep" if config.option.deep else "quick"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the garbage collector away from the items, and let it run less often: that saves a tenth of the CPU time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests marked ``deep`` without ``--deep``, and ``clients`` unless ``-m`` names them."""
    wanted = {"deep": config.option.deep, "clients": "clients" in config.option.markexpr}
    unwanted = [mark for mark, is_wanted in wanted.items() if not is_wanted]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in unwanted)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]
    _put_side_by_side(items)


def _put_side_by_side(items: list[pytest.Item]) -> None:
    """Put browser tests first, then those that start commands, and tests of the same ``asked_of`` side by side.

    Each test process gets consecutive items at first, and the others take over the last of them. So few processes
    start a browser, the longest tests do not remain for the end, and one process sends the requests of ``asked_of``.
    """
    groups: dict[object, list[pytest.Item]] = {}
    for item in items:
        name = item.callspec.params.get("asked_of") if hasattr(item, "callspec") else None
        groups.setdefault(name or item, []).append(item)
    items[:] = [item for group in groups.values() for item in group]
    items.sort(key=lambda item: (item.get_closest_marker("browser") is None, "whole" not in item.path.parts))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, without the environment variables that the commands read."""
    monkeypatch.chdir(tmp_path)
    for name in ("COMFY_API_KEY", "CONFORMANCE_TARGET", "CONFORMANCE_TRACEBACK", "CI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put all skips for want of one program at one place: pytest then shows them as one line."""
    report = yield
    if report.skipped and call.excinfo is not None and NOT_INSTALLED in str(call.excinfo.value):
        report.longrepr = (__file__, 1, f"Skipped: {call.excinfo.value}")
    return report
