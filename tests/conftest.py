"""What a usual run leaves out, and how much it draws.

Properties are tried on the same few hundred examples, or with ``HYPOTHESIS_PROFILE=night`` on thousands of fresh ones.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

_OF_THE_MACHINE = [HealthCheck.too_slow]

settings.register_profile(
    "quick", max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=_OF_THE_MACHINE
)
settings.register_profile(
    "night", max_examples=5000, database=None, deadline=None, print_blob=True, suppress_health_check=_OF_THE_MACHINE
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what installs from npm and PyPI, unless ``-m`` names it: a usual run asks no registry."""
    left_out = [] if "clients" in config.option.markexpr else [i for i in items if i.get_closest_marker("clients")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


os.environ.pop("CI", None)  # where it is set, every run must name its target: tests of that set it themselves
