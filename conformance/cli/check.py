"""``comfy-conformance check``: ask an endpoint, judge its answers, leave a report."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from conformance.cli.shared import finish, options_of_a_run, progress, refusal, unwritable
from conformance.options import OPTIONS, settings_from
from conformance.settings import UsageProblem


@click.command()
@click.argument("url", required=False)
@options_of_a_run([option.name for option in OPTIONS])
def check(url: str | None, target: str | None, report_dir: str, quiet: bool, **options: Any) -> int:
    """Ask an endpoint, judge its answers, leave a report.

    URL is the base URL of the server, such as http://127.0.0.1:8188; without one the embedded
    reference endpoint is checked.
    """
    from conformance.report.write import check_writable
    from conformance.run import ask, report_on
    from conformance.settings import announcement

    if url is not None and target is not None and url != target:
        msg = "two targets: give the URL as an argument or with --target, not both"
        raise refusal(msg)
    try:
        settings = settings_from(
            os.environ, options | {"target": url if url is not None else target, "report_dir": report_dir}
        )
        check_writable(settings.report_dir)
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    except OSError as error:
        raise unwritable(Path(report_dir), error) from None
    if not quiet:
        for line in announcement(settings):
            click.echo(line, err=True)
    with progress(settings, quiet=quiet) as tell:
        try:
            transcript = ask(settings, tell)
        except UsageProblem as problem:
            raise refusal(str(problem)) from None
    return finish(report_on(transcript, settings), settings, quiet=quiet)
