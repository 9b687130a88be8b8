"""Divide the parameters of a test between the quick and the deep run (see CONTRIBUTING.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

Value = TypeVar("Value")


def quick_if(values: Iterable[Value], chosen: Callable[[Value], bool]) -> list[pytest.ParameterSet]:
    """Return all values as parameters of a test. The quick run tests only the chosen values, the deep run tests all."""
    return [pytest.param(value, marks=() if chosen(value) else pytest.mark.deep) for value in values]


def one_in(number: int, values: Iterable[Value]) -> list[pytest.ParameterSet]:
    """Return all values as parameters of a test.

    The quick run tests one in ``number`` values, the deep run tests all.
    """
    places = enumerate(values)
    return [pytest.param(value, marks=pytest.mark.deep if place % number else ()) for place, value in places]
