"""``comfy-conformance``: small verbs over the same functions that pytest uses, one file a verb.

A verb is loaded when it is called for: ``--help`` pays for none of them.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, Final

import click

from conformance.cli.streams import standing
from conformance.version import __version__

EXIT_INTERRUPTED: Final = 2
EXIT_INTERNAL: Final = 3
EXIT_USAGE: Final = 4
"""pytest's numbers, so that both front ends say the same with the same status."""

VERBS: Final = {
    "check": "Ask an endpoint, judge its answers, leave a report.",
    "load": "Read a queue with many users at once, judge every answer.",
    "judge": "Judge recorded answers, without any network.",
    "deviations": "Begin or check a register of known deviations.",
    "compare": "Set two endpoints side by side, clause by clause.",
    "diff": "Say what changed from one run to another, and whether it got worse.",
    "badge": "Write a badge of a run: an SVG, and the JSON for shields.io.",
    "site": "Write a static site of a history: targets, runs, what changed.",
    "corpus": "Write responses of every fault and variant, with their expected results.",
    "targets": "List the targets of a file, having looked that it can be meant.",
    "night": "Say what a night means: for the summary, and for one rolling issue.",
    "fleet": "Check many endpoints, spread over processes and machines.",
    "show": "Show the report of one endpoint of a fleet.",
    "serve": "Serve the reference endpoint, conforming or not.",
    "clauses": "Print the catalogue of clauses.",
    "drift": "Compare the published document with the vendored one.",
    "explain": "Show one clause: quote, reason, examples.",
}
"""By name what ``--help`` says of each; the command is the function of that name in the module of that name."""


class Cli(click.Group):
    """A group whose verbs are loaded one by one, and whose own errors have pytest's exit statuses, one line each."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Name the verbs."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Load one verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(f"conformance.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the verbs without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and exit with the status that pytest would give."""
        with standing():
            self._main(*args, **kwargs)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        if os.environ.get("NO_COLOR"):
            kwargs["color"] = False
        try:
            status = super().main(*args, **kwargs)
        except click.exceptions.Abort:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except click.exceptions.NoArgsIsHelpError as problem:
            click.echo(problem.format_message(), err=True)
            sys.exit(EXIT_USAGE)
        except click.ClickException as problem:
            context = getattr(problem, "ctx", None)
            hint = f" (see {context.command_path} --help)" if context is not None else ""
            from conformance.text.safe import line  # a name of a file may be anything

            click.echo(line(f"error: {problem.format_message().rstrip('.')}{hint}"), err=True)
            sys.exit(EXIT_USAGE)
        except Exception as error:  # noqa: BLE001 - one line instead of a traceback
            from conformance.exchange.trouble import told

            click.echo(told(error, os.environ), err=True)
            sys.exit(EXIT_INTERNAL)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="comfy-conformance")
def main() -> None:
    """Say whether an endpoint keeps the contract of ComfyUI's GET /api/queue.

    Exit status: 0 conformant, 1 non-conformant or a known deviation that does not hold, 10 inconclusive,
    2 interrupted, 3 internal error, 4 usage.
    """
