"""The pytest plugin's doorstep: inert, and next to free, unless the command line asks for ``conformance``.

pytest loads this wherever the package is installed. Options such as ``--target`` belong to others
there, so the plugin proper is registered only for ``pytest --pyargs conformance``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

SUITE = Path(__file__).parent / "suite" / "test_contract.py"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Register the plugin, and name the suite's modules by path: no folder or setting nearby can stand in their way."""
    known = early_config.known_args_namespace
    ours = [arg for arg in known.file_or_dir if _is_ours(arg)]
    if not known.pyargs or not ours:
        return
    args[:] = [_located(arg) if arg in ours else arg for arg in args]
    # A conftest.py of the folder that the suite happens to be started from is somebody else's.
    known.noconftest = True
    early_config.pluginmanager.register(import_module("conformance.plugin"), "conformance-suite")


def _is_ours(arg: str) -> bool:
    name = arg.partition("::")[0]
    return name in ("conformance", "conformance/suite/test_contract.py", str(SUITE)) or name.startswith(
        "conformance.suite"
    )


def _located(arg: str) -> str:
    _, separator, item = arg.partition("::")
    return f"{SUITE}{separator}{item}"
