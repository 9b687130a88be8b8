"""Imported by the warm process of ``fork_server``: Hypothesis then knows the constants in our modules.

It draws values from the constants of modules that are not installed, and reads each of those modules to find them. A
forked child would need a quarter of a CPU second for that.
"""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.properties.drawing import temporary_storage


@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers()))
def _draw(_: list[int]) -> None:
    pass


with temporary_storage():
    _draw()
