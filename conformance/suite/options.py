"""The options of a run, as options of pytest."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from conformance.run.describing import Place
from conformance.run.options import at


def add_options(parser: pytest.Parser) -> None:
    """Add the options of a run to pytest, below the same headings as in ``check --help``."""
    for option in at(Place.CHECK):
        title = f"conformance of GET /api/queue: {option.group.lower()}"
        group = parser.getgroup(f"conformance: {option.group}", title)
        help_text = option.full_help.replace("%", "%%")
        if option.metavar is None:
            group.addoption(option.flag, action="store_true", help=help_text)
        else:
            group.addoption(
                option.flag,
                metavar=option.metavar,
                type=option.type,
                default=option.default,
                action="append" if option.multiple else "store",
                help=help_text,
            )


def given_options(given: argparse.Namespace) -> dict[str, Any]:
    """Return the values of a run's options, by name, from those that pytest has parsed."""
    return {option.name: getattr(given, option.name) for option in at(Place.CHECK)}
