"""``comfy-conformance judge``: judge recorded answers, without any network."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from conformance.cli.shared import finish, options_of_a_run, refusal, unwritable
from conformance.options import VERDICT_OPTIONS


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--method",
    type=click.Choice(["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]),
    metavar="METHOD",
    help="The method that a raw answer answers, where no .req file stands beside it. [default: GET]",
)
@options_of_a_run(VERDICT_OPTIONS)
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

    from conformance.dialect import Dialect
    from conformance.recordings import UnreadableRecording, read, read_file
    from conformance.report.write import check_writable
    from conformance.run import report_on_exchanges
    from conformance.settings import Settings, UsageProblem, known_edition, register_in

    start = time.time()
    try:
        register, edition = register_in(options["deviations"]), known_edition(options["edition"])
    except UsageProblem as problem:
        raise refusal(str(problem)) from None
    exchanges = []
    for name in files:
        try:
            if name == "-":
                exchanges += read(sys.stdin.buffer.read(), name="standard input", method=method)
            else:
                exchanges += read_file(Path(name), method=method)
        except UnreadableRecording as error:
            raise refusal(str(error)) from None
        except OSError as error:
            msg = f"{name} cannot be read: {error.strerror}"
            raise refusal(msg) from None
    exchanges = [
        replace(e, id=f"{e.id} ({n})") if [x.id for x in exchanges].count(e.id) > 1 else e
        for n, e in enumerate(exchanges, 1)
    ]
    settings = Settings(
        dialect=Dialect(options["dialect"]), report_dir=report_dir or Path(), deviations=register, edition=edition,
        fail_on_should=options["fail_on_should"], inconclusive_ok=options["inconclusive_ok"],
        redact_workflows=options["redact_workflows"],
    )  # fmt: skip
    if report_dir is not None:
        try:
            check_writable(report_dir)
        except OSError as error:
            raise unwritable(report_dir, error) from None
    target = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    report = report_on_exchanges(exchanges, settings, target=target, start=start)
    return finish(report, settings, quiet=quiet, write=report_dir is not None)
