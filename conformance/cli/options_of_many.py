"""The options of ``check`` that are for many targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from conformance.cli.shared import GroupedOption

MANY: Final = "Many targets"
"""The heading of these options in ``--help``."""
LANES: Final = 8
"""Checks at a time for each process: while one waits for its response another is judged."""
PROCESSES: Final = 4
"""Processes of a machine with fewer cores: each sends the generated requests of one target at a time."""
_RATE: Final = {"type": click.FloatRange(min=0, min_open=True), "metavar": "N"}
_COUNT: Final = {"type": click.IntRange(min=1), "metavar": "N"}
_FORMATS: Final = {
    "type": click.Choice(["text", "json"]),
    "is_flag": False,
    "flag_value": "text",
    "metavar": "[FORMAT]",
}
_MANY: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "--list": (
        (
            "List the targets and send nothing; json is one line for the matrix of a CI system. "
            "[default: check them; FORMAT: text]"
        ),
        _FORMATS,
    ),
    "--only": ("Only this target; repeatable. [default: all]", {"multiple": True, "metavar": "NAME"}),
    "--part": ("Only each N-th target, beginning with number I, from 0. [default: all]", {"metavar": "I/N"}),
    "--scheduler": (
        "Check by the workers of this Dask scheduler, such as tcp://10.0.0.1:8786. [default: processes of this machine]",
        {"metavar": "ADDRESS"},
    ),
    "--workers": (f"Processes of this machine. [default: one for each core, at least {PROCESSES}]", _COUNT),
    "--isolate": ("Check each target in a process of its own.", {"is_flag": True}),
    "--parallel": (f"Targets at a time. [default: {LANES} for each process; with --scheduler 64]", _COUNT),
    "--per-host": ("Targets at a time at one host and port. [default: 2; on loopback no limit]", _COUNT),
    "--rate": ("Requests per second to all targets. [default: no limit but that of each check]", _RATE),
    "--host-rate": ("Requests per second at one host and port. [default: no limit but that of each check]", _RATE),
    "--jitter": (
        "Begin each check up to S seconds late. [default: 1; on loopback 0]",
        {"type": click.FloatRange(min=0), "metavar": "S"},
    ),
    "--keep": (
        (
            "Which reports are kept: all with their pages, all, those that are not conformant, none. "
            "[default: pages for a targets.toml, else all]"
        ),
        {"type": click.Choice(["pages", "all", "broken", "none"])},
    ),
    "--resume": ("Continue the run in the report directory, or begin.", {"is_flag": True}),
    "--fresh": ("Begin anew, although the run in the report directory did not end.", {"is_flag": True}),
}
NAMES: Final = tuple(flag.removeprefix("--").replace("-", "_") for flag in _MANY)
"""The parameters of ``options_of_many``."""


def options_of_many(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that are for many targets."""
    for flag, (told, kind) in reversed(_MANY.items()):
        command = click.option(flag, help=told, cls=GroupedOption, group=MANY, **kind)(command)
    return command
