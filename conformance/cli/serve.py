"""``comfy-conformance serve``: serve a test server that conforms, or that has one fault."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import click

from conformance.cli.shared import Command
from conformance.problems import UsageProblem
from conformance.text.suggest import did_you_mean

if TYPE_CHECKING:
    import threading


@click.command(cls=Command, short_help="Serve the reference endpoint, with or without a fault.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8188,
    show_default=True,
    metavar="PORT",
    help="Port to listen on; 0 picks a free one.",
)
@click.option(
    "--variant", default="default", show_default=True, metavar="NAME", help="A conforming variant (see --list)."
)
@click.option("--fault", metavar="NAME", help="A fault that breaks one clause (see --list).")
@click.option(
    "--hostile",
    metavar="NAME",
    help="A hostile endpoint, which sends what no web framework would; only on loopback (see --list).",
)
@click.option("--api-key-env", metavar="NAME", help="Demand the key in this environment variable.")
@click.option("--generate", is_flag=True, help="Answer each GET with a random conforming queue, edge cases included.")
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Seed of the ids, and of the responses of --generate. [default: 0; with --generate a random one]",
)
@click.option(
    "--list",
    "list_names",
    is_flag=False,
    flag_value="",
    metavar="[WORD]",
    help="List variants, hostile endpoints and faults; with WORD, those whose line contains it. [default: serve]",
)
def serve(  # noqa: PLR0913, PLR0917 - one parameter for each option
    host: str,
    port: int,
    variant: str,
    fault: str | None,
    hostile: str | None,
    api_key_env: str | None,
    generate: bool,
    seed: int | None,
    list_names: str | None,
) -> int:
    """Serve the reference endpoint: a queue that changes over time, conforming or with one fault.

    With --generate, no two responses have a job in common. The clauses that compare a job between reads
    (reads.job-data, reads.order, reads.steady) are then not checked.
    """
    if list_names is not None:
        _list_names(list_names)
        return 0
    for option, name in (("--variant", variant), ("--fault", fault), ("--hostile", hostile)):
        _look_up(option, name)
    key = os.environ.get(api_key_env, "") if api_key_env else None
    if key == "":
        raise UsageProblem(f"--api-key-env names {api_key_env}, which is not set: set it first")
    from contextlib import ExitStack
    from secrets import randbelow
    from tempfile import TemporaryDirectory

    from conformance.reference.server import serve as serve_reference

    number = seed if seed is not None else randbelow(1 << 32) if generate else 0
    stop = _interrupt()
    with ExitStack() as stack:
        if generate:  # Hypothesis stores tables in the working directory by default
            os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", stack.enter_context(TemporaryDirectory()))
        try:
            if hostile is not None:
                url = stack.enter_context(_hostile(hostile, port))
            else:
                endpoint = stack.enter_context(
                    serve_reference(
                        variant, fault, key, host, port, period=2.0, seed=number, generate=number if generate else None
                    )
                )
                url = endpoint.url
        except OSError as error:
            raise UsageProblem(
                f"cannot listen on {host}:{port} ({error.strerror or error}): choose another --host or --port"
            ) from None
        fresh = f", random responses from --seed {number}" if generate else ""
        click.echo(f"serving {url}/api/queue{fresh}; stop with Ctrl-C", err=True)
        stop.wait()
    return 0


def _interrupt() -> threading.Event:
    """Handle SIGINT and SIGTERM from now on, and return the event that they set."""
    import signal
    import threading

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _hostile(name: str, port: int) -> AbstractContextManager[str]:
    from conformance.reference.hostile import HOSTILE, serve_hostile

    if name not in HOSTILE:
        raise UsageProblem(f"no hostile endpoint {name!r}{did_you_mean(name, HOSTILE)}; --list shows all")
    return serve_hostile(name, port=port)


def _names() -> dict[str, tuple[str, dict[str, str]]]:
    """Return, for each option that takes a name, a heading and the possible names with their descriptions."""
    from conformance.reference.faults import FAULTS
    from conformance.reference.hostile import HOSTILE
    from conformance.reference.variants import VARIANTS

    return {
        "--variant": (
            "variants: conforming, no clause fails",
            {name: variant.summary for name, variant in VARIANTS.items()},
        ),
        "--hostile": (
            "hostile endpoints: a run survives them and reports what happened",
            {name: f"{hostile.summary} [{hostile.expected}]" for name, hostile in HOSTILE.items()},
        ),
        "--fault": (
            "faults: each breaks one clause",
            {name: f"{fault.summary} [{fault.clause or 'no verdict'}]" for name, fault in FAULTS.items()},
        ),
    }


def _look_up(option: str, name: str | None) -> None:
    """Raise a usage error if the name belongs to another option, such as a fault given as ``--variant``."""
    known = _names()
    if name is None or name in known[option][1]:
        return
    other = next((other for other, (_, names) in known.items() if name in names), None)
    if other is not None:
        raise UsageProblem(f"{name} is not for {option}: use {other} {name}")


def _list_names(word: str) -> None:
    found = {
        heading: {name: told for name, told in names.items() if word.lower() in f"{name} {told}".lower()}
        for heading, names in _names().values()
    }
    if not any(found.values()):
        raise UsageProblem(f"no variant, hostile endpoint or fault contains {word!r}: --list without a word lists all")
    for heading, names in found.items():
        if names:
            click.secho(heading, bold=True)
        width = max(map(len, names), default=0)
        for name, told in names.items():
            click.echo(f"  {name:<{width}}  {told}")
