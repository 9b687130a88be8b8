"""The options of ``check`` that apply only to a run over many targets (``--all``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from conformance.cli.shared import GroupedOption

MANY: Final = "Many targets"
"""The heading of these options in ``check --help``."""
LANES: Final = 8
"""The number of concurrent checks per process: while one check waits for a response, another one can judge."""
PROCESSES: Final = 4
"""The minimum number of processes. A process sends the generated requests of only one target at a time."""
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
            "List the targets and send nothing; json prints one line for the matrix of a CI system. "
            "[default: check them; FORMAT: text]"
        ),
        _FORMATS,
    ),
    "--only": ("Check only this target; repeatable. [default: all]", {"multiple": True, "metavar": "NAME"}),
    "--part": ("Check only every N-th target, starting at number I (from 0). [default: all]", {"metavar": "I/N"}),
    "--scheduler": (
        "Use the workers of this Dask scheduler, such as tcp://10.0.0.1:8786. [default: processes on this machine]",
        {"metavar": "ADDRESS"},
    ),
    "--workers": (f"Processes on this machine. [default: one per core, at least {PROCESSES}]", _COUNT),
    "--isolate": ("Check each target in its own process.", {"is_flag": True}),
    "--parallel": (
        f"Check at most N targets at the same time. [default: {LANES} per process; with --scheduler 64]",
        _COUNT,
    ),
    "--per-host": (
        "Check at most N targets per host and port at the same time. [default: 2; on loopback no limit]",
        _COUNT,
    ),
    "--rate": (
        "Send at most N requests per second to all targets together. [default: only the limit of each check]",
        _RATE,
    ),
    "--host-rate": (
        "Send at most N requests per second to each host and port. [default: only the limit of each check]",
        _RATE,
    ),
    "--jitter": (
        "Delay the start of each check by up to S seconds. [default: 1; on loopback 0]",
        {"type": click.FloatRange(min=0), "metavar": "S"},
    ),
    "--keep": (
        (
            "Reports to keep: all with their HTML pages, all, only non-conformant ones, or none. "
            "[default: pages for a targets.toml, else all]"
        ),
        {"type": click.Choice(["pages", "all", "broken", "none"])},
    ),
    "--resume": ("Continue the run in the report directory, or start one.", {"is_flag": True}),
    "--fresh": ("Start again, and discard an unfinished run in the report directory.", {"is_flag": True}),
}
NAMES: Final = tuple(flag.removeprefix("--").replace("-", "_") for flag in _MANY)
"""The names of the parameters that ``options_of_many`` adds."""


def options_of_many(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options for many targets to a command."""
    for flag, (help_text, kind) in reversed(_MANY.items()):
        command = click.option(flag, help=help_text, cls=GroupedOption, group=MANY, **kind)(command)
    return command
