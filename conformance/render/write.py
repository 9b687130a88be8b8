"""Write the report files. Each one is replaced atomically, and no other file in the directory is touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Final

from conformance.judge.report import Report, encode
from conformance.render.formats import FORMATS
from conformance.text.files import beside, write_new, write_whole

NAMES: Final = ("index.html", "compliance.json", "junit.xml", "summary.md")


def write_reports(
    report: Report, directory: Path, *, fail_on_should: bool = False, formats: Collection[str] = ()
) -> None:
    """Render and write the four standard reports and those of ``formats``.

    Raises OSError if a file cannot be written; in that case no existing file was changed.
    """
    from conformance.render.html import render_html
    from conformance.render.junit import render_junit
    from conformance.render.markdown import render_markdown

    contents = {
        "index.html": render_html(report).encode(),
        "compliance.json": encode(report),
        "junit.xml": render_junit(report, fail_on_should=fail_on_should),
        "summary.md": render_markdown(report).encode(),
    }
    contents |= {FORMATS[name].file: FORMATS[name].render(report, fail_on_should) for name in formats}
    directory.mkdir(parents=True, exist_ok=True)
    write_whole({directory / name: content for name, content in contents.items()})


def check_writable(directory: Path, formats: Collection[str] = ()) -> None:
    """Create the report directory.

    Raises OSError if reports cannot be written there, so that the run need not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in (*NAMES, *(FORMATS[one].file for one in formats)):
        if (directory / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(directory / name))
    probe = beside(directory, "probe")
    try:
        write_new(probe, b"\n")
    finally:
        with suppress(OSError):
            probe.unlink()
