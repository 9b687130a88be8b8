"""``comfy-conformance``: small verbs over the same functions that pytest uses."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Container
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from conformance import __version__
from conformance.options import OPTIONS, VERDICT_OPTIONS, Option, settings_from
from conformance.settings import UsageProblem

if TYPE_CHECKING:
    import threading

    from conformance.report.model import Report
    from conformance.settings import Settings

EXIT_INTERRUPTED: Final = 2
EXIT_INTERNAL: Final = 3
EXIT_USAGE: Final = 4
"""pytest's numbers, so that both front ends say the same with the same status."""


class Cli(click.Group):
    """A group whose own errors have pytest's exit statuses, one line each."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and exit with the status that pytest would give."""
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
            from conformance.report.inert import line  # a name of a file may be anything

            click.echo(line(f"error: {problem.format_message().rstrip('.')}{hint}"), err=True)
            sys.exit(EXIT_USAGE)
        except BrokenPipeError:
            _nobody_reads_on()
            sys.exit(0)
        except Exception as error:  # noqa: BLE001 - one line instead of a traceback
            from conformance.trouble import told

            click.echo(told(error, os.environ), err=True)
            sys.exit(EXIT_INTERNAL)
        sys.exit(status if isinstance(status, int) else 0)


@click.group(cls=Cli, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="comfy-conformance")
def main() -> None:
    """Say whether an endpoint keeps the contract of ComfyUI's GET /api/queue.

    Exit status: 0 conformant, 1 non-conformant, 10 inconclusive, 2 interrupted, 3 internal error, 4 usage.
    """


def _option(option: Option) -> Callable[..., Any]:
    """Return the decorator of click for an entry of the table of options."""
    told = option.help[0].upper() + option.help[1:]
    if option.metavar is None:
        return click.option(option.flag, is_flag=True, help=f"{told}.")
    kind = click.Choice(option.choices) if option.choices else option.type
    given = {"type": kind, "metavar": None if option.choices else option.metavar, "default": option.default}
    shown = "" if given["default"] is not None or "[default" in told else "."
    return click.option(
        option.flag, show_default=given["default"] is not None, multiple=option.multiple, help=told + shown, **given
    )


def _options(names: Container[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of the table that are named, in its order, and --quiet."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        command = click.option("--quiet", "-q", is_flag=True, help="Print the verdict alone.")(command)
        for option in reversed(OPTIONS):
            if option.name in names:
                command = _option(option)(command)
        return command

    return add


@main.command()
@click.argument("url", required=False)
@_options([option.name for option in OPTIONS])
def check(url: str | None, target: str | None, report_dir: str, quiet: bool, **options: Any) -> int:
    """Ask an endpoint, judge its answers, leave a report.

    URL is the base URL of the server, such as http://127.0.0.1:8188; without one the embedded
    reference endpoint is checked.
    """
    from conformance.check import ask, report_on
    from conformance.report.write import check_writable
    from conformance.settings import announcement

    if url is not None and target is not None and url != target:
        msg = "two targets: give the URL as an argument or with --target, not both"
        raise click.UsageError(msg, click.get_current_context())
    try:
        settings = settings_from(
            os.environ, options | {"target": url if url is not None else target, "report_dir": report_dir}
        )
        check_writable(settings.report_dir)
    except UsageProblem as problem:
        raise click.UsageError(str(problem), click.get_current_context()) from None
    except OSError as error:
        raise _unwritable(Path(report_dir), error) from None
    if not quiet:
        for line in announcement(settings):
            click.echo(line, err=True)
    with _progress(settings, quiet=quiet) as progress:
        try:
            transcript = ask(settings, progress)
        except UsageProblem as problem:
            raise click.UsageError(str(problem), click.get_current_context()) from None
    return _finish(report_on(transcript, settings), settings, quiet=quiet)


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--method",
    type=click.Choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]),
    metavar="METHOD",
    help="The method that a raw answer answers, where no .req file stands beside it. [default: GET]",
)
@_options(VERDICT_OPTIONS)
@click.option(
    "--report-dir",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Where index.html, compliance.json, junit.xml and summary.md go. [default: no report]",
)
def judge(files: tuple[str, ...], method: str | None, report_dir: Path | None, quiet: bool, **options: Any) -> int:
    """Judge recorded answers, without any network.

    FILE is a raw HTTP answer (.http, its request in a .req file beside it), a JSON body, a HAR file,
    or - for standard input. Several files are judged as one run. A report is written where --report-dir says.
    """
    import time

    from conformance.check import report_on_exchanges
    from conformance.dialect import Dialect
    from conformance.recordings import UnreadableRecording, read, read_file
    from conformance.report.write import check_writable
    from conformance.settings import Settings

    start = time.time()
    exchanges = []
    for name in files:
        try:
            if name == "-":
                exchanges += read(sys.stdin.buffer.read(), name="standard input", method=method)
            else:
                exchanges += read_file(Path(name), method=method)
        except UnreadableRecording as error:
            raise click.UsageError(str(error), click.get_current_context()) from None
        except OSError as error:
            msg = f"{name} cannot be read: {error.strerror}"
            raise click.UsageError(msg, click.get_current_context()) from None
    exchanges = [
        replace(e, id=f"{e.id} ({n})") if [x.id for x in exchanges].count(e.id) > 1 else e
        for n, e in enumerate(exchanges, 1)
    ]
    settings = Settings(
        dialect=Dialect(options["dialect"]), report_dir=report_dir or Path(),
        fail_on_should=options["fail_on_should"], inconclusive_ok=options["inconclusive_ok"],
        redact_workflows=options["redact_workflows"],
    )  # fmt: skip
    if report_dir is not None:
        try:
            check_writable(report_dir)
        except OSError as error:
            raise _unwritable(report_dir, error) from None
    target = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    report = report_on_exchanges(exchanges, settings, target=target, start=start)
    return _finish(report, settings, quiet=quiet, write=report_dir is not None)


@main.command(short_help="Serve the reference endpoint, conforming or not.")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on: loopback unless told otherwise.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8188,
    show_default=True,
    metavar="PORT",
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--variant", default="default", show_default=True, metavar="NAME", help="A conforming way to answer (see --list)."
)
@click.option("--fault", metavar="NAME", help="One lie that breaks one clause (see --list).")
@click.option(
    "--hostile", metavar="NAME", help="Do to clients what no framework would, on loopback alone (see --list)."
)
@click.option("--api-key-env", metavar="NAME", help="Demand the key that this variable holds.")
@click.option("--generate", is_flag=True, help="Answer each GET with another conforming queue, as odd as may be.")
@click.option(
    "--seed",
    type=int,
    metavar="N",
    help="Serve the same ids, with --generate the same answers, again. [default: 0; with --generate a new one]",
)
@click.option("--list", "list_names", is_flag=True, help="List variants and faults.")
def serve(  # noqa: PLR0913, PLR0917 - one parameter for each option
    host: str,
    port: int,
    variant: str,
    fault: str | None,
    hostile: str | None,
    api_key_env: str | None,
    generate: bool,
    seed: int | None,
    list_names: bool,
) -> int:
    """Serve the reference endpoint: a queue that moves, conforming or with one fault.

    With --generate, answers that follow one another have no job in common: clauses on a job that stays from
    read to read (reads.job-data, reads.order, reads.steady) are then not exercised.
    """
    context = click.get_current_context()
    if list_names:
        _list_names()
        return 0
    key = os.environ.get(api_key_env, "") if api_key_env else None
    if key == "":
        raise click.UsageError(f"--api-key-env names {api_key_env}, which is not set: export it", context)
    from contextlib import ExitStack
    from secrets import randbelow
    from tempfile import TemporaryDirectory

    from conformance.reference.server import Unservable
    from conformance.reference.server import serve as serve_reference

    number = seed if seed is not None else randbelow(1 << 32) if generate else 0
    stop = _interrupt()
    with ExitStack() as stack:
        if generate:  # Hypothesis keeps tables, in the working directory unless told otherwise
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
        except Unservable as problem:
            raise click.UsageError(str(problem), context) from None
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "hypothesis":
                raise
            msg = "--generate needs Hypothesis: pip install 'comfy-queue-conformance[properties]'"
            raise click.UsageError(msg, context) from None
        except OSError as error:
            raise click.UsageError(
                f"cannot listen on {host}:{port} ({error.strerror or error}): choose another --host or --port", context
            ) from None
        fresh = f", fresh answers from --seed {number}" if generate else ""
        click.echo(f"serving {url}/api/queue{fresh}; stop with Ctrl-C", err=True)
        stop.wait()
    return 0


@main.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
    help="How to print it.",
)
def clauses(form: str) -> None:
    """Print the catalogue of clauses."""
    from conformance.contract import CATALOGUE, docs

    if form != "table":
        click.echo(docs.as_markdown().rstrip() if form == "markdown" else docs.as_json())
        return
    width = max(len(clause.id) for clause in CATALOGUE)
    for clause in CATALOGUE:
        mark = "●" if clause.core else " "
        level = click.style(f"{clause.level.value:<6}", fg={"must": "red", "should": "yellow"}.get(clause.level.value))
        click.echo(f"{clause.id:<{width}} {mark} {level} {clause.title}")
    core = sum(clause.core for clause in CATALOGUE)
    click.echo(
        f"{len(CATALOGUE)} clauses, {core} core (●). `comfy-conformance explain CLAUSE` shows one in full.", err=True
    )


@main.command(short_help="Show one clause: quote, reason, examples.")
@click.argument("clause")
def explain(clause: str) -> None:
    """Show one clause: its quote, why it matters, an example that keeps it and one that breaks it."""
    from conformance.contract import BY_ID, docs

    if clause not in BY_ID:
        raise click.UsageError(f"no clause {clause!r}{_did_you_mean(clause, BY_ID)}", click.get_current_context())
    click.echo(docs.explain(BY_ID[clause]))


# --- what the verbs share -----------------------------------------------------------------------


def _finish(report: Report, settings: Settings, *, quiet: bool, write: bool = True) -> int:
    from conformance.check import exit_status
    from conformance.report.text import COLOUR, summary_lines
    from conformance.report.write import write_reports

    if write:
        try:
            write_reports(report, settings.report_dir, fail_on_should=settings.fail_on_should)
        except OSError as error:
            raise _unwritable(settings.report_dir, error) from None
    lines = summary_lines(report)
    try:
        for line in lines[-1:] if quiet else lines:
            click.secho(line.text, fg=COLOUR.get(line.style))
        if write and not quiet:
            click.echo(f"report: {settings.report_dir / 'index.html'}")
    except BrokenPipeError:
        _nobody_reads_on()  # the verdict stands all the same
    return exit_status(report, fail_on_should=settings.fail_on_should, inconclusive_ok=settings.inconclusive_ok)


def _nobody_reads_on() -> None:
    """Let what is still to be printed go nowhere: a closed pipe is no error of ours."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritable(directory: Path, error: OSError) -> click.UsageError:
    msg = f"the report directory {directory} cannot be written ({error.strerror}): choose another with --report-dir"
    return click.UsageError(msg, click.get_current_context())


def _did_you_mean(given: str, known: Any) -> str:
    from difflib import get_close_matches

    close = get_close_matches(given, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""


def _progress(settings: Settings, *, quiet: bool) -> Any:
    """Show on a terminal how far the run is; nowhere else."""
    from contextlib import contextmanager

    @contextmanager
    def shown() -> Any:
        if quiet or not sys.stderr.isatty():
            yield lambda _: None
            return
        count = 0

        def tell(exchange: Any) -> None:
            nonlocal count
            count += 1
            click.echo(
                f"\r\033[K{count} of at most {settings.bounds.max_requests} requests: {exchange.request.purpose}",
                nl=False,
                err=True,
            )

        try:
            yield tell
        finally:
            click.echo("\r\033[K", nl=False, err=True)

    return shown()


def _interrupt() -> threading.Event:
    """Return what SIGINT and SIGTERM set from now on."""
    import signal
    import threading

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _hostile(name: str, port: int) -> AbstractContextManager[str]:
    from conformance.reference.hostile import HOSTILE, serve_hostile

    if name not in HOSTILE:
        msg = f"no hostile endpoint {name!r}{_did_you_mean(name, HOSTILE)}; --list shows all"
        raise click.UsageError(msg, click.get_current_context())
    return serve_hostile(name, port=port)


def _list_names() -> None:
    from conformance.reference.faults import FAULTS
    from conformance.reference.hostile import HOSTILE
    from conformance.reference.variants import VARIANTS

    click.secho("variants: conforming, accused by no clause", bold=True)
    for name, variant in VARIANTS.items():
        click.echo(f"  {name:<30} {variant.summary}")
    click.secho("hostile endpoints: a run survives them, and says what happened", bold=True)
    for name, hostile in HOSTILE.items():
        click.echo(f"  {name:<30} {hostile.lie} [{hostile.expected}]")
    click.secho("faults: each breaks one clause", bold=True)
    for name, fault in FAULTS.items():
        click.echo(f"  {name:<30} {fault.lie} [{fault.clause or 'no verdict'}]")
