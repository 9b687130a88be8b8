"""The command line ``comfy-conformance``, one file per command.

The commands call functions that the pytest plugin also calls. A command's module is imported only when the command
runs, so ``--help`` stays fast.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from conformance.cli.standard_streams import tolerant_streams
from conformance.problems import EXIT_INTERNAL, EXIT_INTERRUPTED, EXIT_USAGE
from conformance.version import __version__

NEW_OBJECTS: Final = 50_000
"""Number of new objects after which Python looks for garbage. Importing makes many objects and hardly any garbage."""

VERBS: Final = {
    "check": "Check an endpoint and write a report.",
    "judge": "Judge recorded responses or an old report, without network access.",
    "compare": "Compare two endpoints, two reports, or two runs of a history.",
    "clauses": "List the clauses of the contract, or show one in full.",
    "deviations": "Create or check a register of known deviations.",
    "serve": "Serve the reference endpoint, with or without a fault.",
    "load": "Check every response while many users read a queue at once.",
    "nightly": "Summarise a nightly run, and say what to do with its GitHub issue.",
    "publish": "Write a site, a badge, the report of one endpoint, or the test corpus.",
    "drift": "Compare the published document with the vendored one.",
}
"""The commands with their short help. A command is the function of the same name in the module of the same name."""


def _docs() -> Path:
    """Return the folder with the documentation: inside the package, or in a checkout beside the package."""
    package = Path(__file__).parents[1]
    inside = package / "docs"
    return inside if inside.is_dir() else package.parent / "docs"


class Verbs(click.Group):
    """A group of commands, each of which is imported only when it is called.

    ``verbs`` maps the names of the commands to their short help. ``home`` is the package with their modules.
    """

    def __init__(self, *args: Any, verbs: Mapping[str, str], home: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._verbs, self._home = verbs, home

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the names of the commands."""
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in self._verbs:
            return None
        command: click.Command = getattr(import_module(f"{self._home}.{cmd_name}"), cmd_name)
        if "docs/" in (command.help or ""):
            command.epilog = f"The pages in docs/ are in {_docs()}."
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command to run. For an unknown name, suggest the nearest command."""
        name = args[0]
        if name not in self._verbs and not name.startswith("-"):
            from conformance.text.suggest import did_you_mean

            ctx.fail(f"No such command {name!r}{did_you_mean(name, self._verbs)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))


class Cli(Verbs):
    """The whole command line. An error is printed as one line. The exit statuses follow pytest, except 10 for inconclusive."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run a command and exit with its status. Errors have the exit statuses of pytest."""
        gc.set_threshold(NEW_OBJECTS)
        atexit.register(gc.freeze)  # the process ends: do not look for garbage among all objects once more
        with tolerant_streams():
            self._main(*args, **kwargs)

    def _main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["standalone_mode"] = False
        if os.environ.get("NO_COLOR"):
            kwargs["color"] = False
        elif os.environ.get("FORCE_COLOR"):
            kwargs["color"] = True
        try:
            status = super().main(*args, **kwargs)
        except click.exceptions.Abort:
            click.echo("interrupted", err=True)
            sys.exit(EXIT_INTERRUPTED)
        except click.exceptions.NoArgsIsHelpError as problem:
            click.echo(problem.format_message(), err=True)
            sys.exit(EXIT_USAGE)
        except click.NoSuchOption as problem:
            sys.exit(_unknown_option(problem))
        except click.ClickException as problem:
            context = getattr(problem, "ctx", None)
            hint = f" (see {context.command_path} --help)" if context is not None else ""
            from conformance.text.safe import line  # file names are untrusted text

            click.echo(line(f"error: {problem.format_message().rstrip('.')}{hint}"), err=True)
            sys.exit(EXIT_USAGE)
        except Exception as error:  # noqa: BLE001 - one line instead of a traceback
            from conformance.exchange.trouble import internal_error_text

            click.echo(internal_error_text(error, os.environ), err=True)
            sys.exit(EXIT_INTERNAL)
        sys.exit(status if isinstance(status, int) else 0)


def _unknown_option(problem: click.NoSuchOption) -> int:
    """Report an unknown option and suggest the nearest existing option."""
    from conformance.text.safe import line
    from conformance.text.suggest import did_you_mean

    context = problem.ctx
    known = [] if context is None else [name for each in context.command.get_params(context) for name in each.opts]
    hint = "" if context is None else f" (see {context.command_path} --help)"
    click.echo(
        line(f"error: no option {problem.option_name!r}{did_you_mean(problem.option_name, known)}{hint}"), err=True
    )
    return EXIT_USAGE


@click.group(
    cls=Cli,
    verbs=VERBS,
    home="conformance.cli",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="comfy-conformance")
def main() -> None:
    """Check whether a server's GET /api/queue follows the ComfyUI API contract.

    Exit status: 0 conformant, 1 non-conformant or a register with stale or expired entries, 10 inconclusive, 2
    interrupted, 3 internal error, 4 usage.
    """
