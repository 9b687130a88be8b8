"""``comfy-conformance load``: let many users send requests at once with Locust, and check every response."""

from __future__ import annotations

import os
import sys
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from conformance.cli.shared import GroupedCommand, GroupedOption, demand_writable, options_at
from conformance.load.options import LOAD_OPTIONS, LONGEST, load_settings, will_be_written
from conformance.problems import UsageProblem
from conformance.run.describing import Place

LOCUSTFILE: Final = Path(__file__).parents[1] / "load" / "locustfile.py"
LOAD: Final = "Load"
"""The heading in ``--help`` of the options that only ``load`` has."""
_load_option: Final = partial(click.option, cls=GroupedOption, group=LOAD)
USERS: Final = 10
DURATION: Final = 30.0


@click.command(cls=GroupedCommand, context_settings={"ignore_unknown_options": False})
@click.argument("url", required=False)
@click.argument("locust", nargs=-1, type=click.UNPROCESSED, metavar="[-- LOCUST OPTIONS...]")
@_load_option(
    "--users",
    type=click.IntRange(1, 10_000),
    default=USERS,
    show_default=True,
    metavar="N",
    help="Number of concurrent users.",
)
@_load_option(
    "--duration",
    type=click.FloatRange(1, LONGEST),
    default=DURATION,
    show_default=True,
    metavar="S",
    help="How long to send requests, in seconds.",
)
@_load_option(
    "--locustfile",
    is_flag=True,
    help="Print the path of the locustfile, for locust -f, and exit.",
)
@options_at(Place.LOAD)
def load(  # noqa: PLR0913, PLR0917 - one parameter for each option that this function reads
    url: str | None, locust: tuple[str, ...], users: int, duration: float, quiet: bool, locustfile: bool, **options: Any
) -> int:
    """Check every response while many users read a queue at once.

    With --populate the users also submit jobs and remove them. Locust sends the requests: options after -- go to
    Locust, such as --csv, --html or --processes. Servers that are not on loopback need --yes-load-this-host.

    Exit status: 0 conformant, 1 non-conformant, 10 inconclusive, 4 usage.
    """
    if locustfile:
        click.echo(str(LOCUSTFILE))
        return 0
    if find_spec("locust") is None:
        raise UsageProblem("load needs Locust: pip install 'comfy-queue-conformance[load]'")
    settings = load_settings(os.environ, url, options)
    demand_writable(settings.report_dir)
    rate = settings.bounds.rate_limit or 0.0
    if not quiet:
        what, of_them = (
            ("reads", "GETs, and nothing that writes") if settings.server_changes is None else ("requests",) * 2
        )
        click.echo(
            f"sending {settings.target} at most {rate:,.0f} {what} of {settings.queue_path} a second, by {users:,} "
            f"users, for {duration:,.0f} s: at most {rate * duration:,.0f} {of_them}",
            err=True,
        )
        for line in will_be_written(settings):
            click.echo(line, err=True)
        if settings.key is not None:
            click.echo(f"the key in {settings.key_source} is sent to {settings.target} and nowhere else", err=True)
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(LOCUSTFILE),
        "--headless",
        f"--users={users}",
        f"--spawn-rate={users}",
        f"--run-time={duration:g}s",
        f"--host={settings.target}",
        *_locust_arguments(options),
        *(["--only-summary"] if quiet or not sys.stdout.isatty() else []),
        *(["--loglevel=ERROR"] if quiet else []),
        *locust,
    ]
    sys.stdout.flush()
    os.execve(sys.executable, command, _environment())  # noqa: S606 - Locust wants to be the process
    raise AssertionError("unreachable")


def _locust_arguments(options: dict[str, Any]) -> list[str]:
    """Return the given options as command-line arguments for Locust."""
    arguments = []
    for option in LOAD_OPTIONS:
        value = options[option.name]
        if option.metavar is None:
            arguments += [option.flag] if value else []
        elif option.multiple:
            arguments += [f"{option.flag}={each}" for each in value]
        elif value is not None:
            arguments.append(f"{option.flag}={value}")
    return arguments


def _environment() -> dict[str, str]:
    """Return the environment without ``LOCUST_*`` variables, which Locust would take as options."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}
