"""The entry point of the pytest plugin. It does nothing unless the command line names ``conformance``.

pytest loads this module wherever the distribution is installed. Options such as ``--target`` may belong to other
plugins there, so the real plugin is registered only for ``pytest --pyargs conformance``. This is a separate module that
imports nothing from the package, because another package may be named ``conformance`` there.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from copy import copy
from importlib import import_module
from pathlib import Path
from typing import Final

import pytest

HOME: Final = Path(__file__).parent
SUITE: Final = HOME / "conformance" / "suite" / "test_contract.py"
NODE: Final = "conformance/suite/test_contract.py"
"""The pytest node id of the suite's tests. It is the same wherever the suite is installed."""
_NAMES: Final = ("conformance", "conformance.suite", "conformance.suite.test_contract", NODE, str(SUITE))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Register the plugin if the command line names the suite."""
    known = early_config.known_args_namespace
    if not known.pyargs or not any(located(arg) != arg for arg in known.file_or_dir):
        return (yield)
    try:
        early_config.pluginmanager.register(_plugin(), "conformance-suite")
        # Only now can values of our options be distinguished from paths.
        paths = parser.parse_known_args(args, namespace=copy(early_config.option)).file_or_dir
        known.file_or_dir = [arg for arg in paths if located(arg) == arg]
        if not known.file_or_dir:
            known.noconftest = True  # a conftest.py in the working directory belongs to another project
        return (yield)
    except ValueError as error:
        taken = str(error).partition(" (")[0]
        if "already" not in taken:
            raise
        msg = f"{taken}, by a conftest.py or another plugin: run the suite separately, or use comfy-conformance check"
        raise pytest.UsageError(msg) from None


def located(arg: str) -> str:
    """Return the path of the suite if ``arg`` names the suite, so that a folder with the same name cannot shadow it."""
    name, separator, item = arg.partition("::")
    return f"{SUITE}{separator}{item}" if name in _NAMES else arg


def _plugin() -> object:
    sys.path.insert(0, str(HOME))  # ahead of a folder with the same name
    try:
        return import_module("conformance.suite.plugin").Plugin(NODE, SUITE, located)
    finally:
        sys.path.remove(str(HOME))
