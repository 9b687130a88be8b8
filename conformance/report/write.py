"""Writing the four renderings: each file whole or not at all, and nothing else in the directory touched."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from conformance.report.model import Report, encode
from conformance.settings import FORMATS

NAMES: Final = ("index.html", "compliance.json", "junit.xml", "summary.md")


def write_reports(
    report: Report, directory: Path, *, fail_on_should: bool = False, formats: Collection[str] = ()
) -> None:
    """Render all four, and ``formats`` beside them, and write them whole.

    Raises OSError; what stood there then still does.
    """
    from conformance.report.html import render_html
    from conformance.report.junit import render_junit
    from conformance.report.markdown import render_markdown

    contents = {
        "index.html": render_html(report).encode(),
        "compliance.json": encode(report),
        "junit.xml": render_junit(report, fail_on_should=fail_on_should),
        "summary.md": render_markdown(report).encode(),
    }
    if "ctrf" in formats:
        from conformance.report.ctrf import render_ctrf

        contents[FORMATS["ctrf"]] = render_ctrf(report, fail_on_should=fail_on_should)
    if "sarif" in formats:
        from conformance.report.sarif import render_sarif

        contents[FORMATS["sarif"]] = render_sarif(report)
    directory.mkdir(parents=True, exist_ok=True)
    write_whole({directory / name: content for name, content in contents.items()})


def write_whole(contents: Mapping[Path, bytes]) -> None:
    """Write all files, then put each in its place. Raises OSError; what stood there then still does."""
    written: list[tuple[Path, Path]] = []
    try:
        for path, content in contents.items():
            temporary = _temporary(path.parent, path.name)
            written.append((temporary, path))
            _write(temporary, content)
        for temporary, final in written:
            temporary.replace(final)
    finally:
        for temporary, _ in written:
            with suppress(OSError):
                temporary.unlink()


def check_writable(directory: Path, formats: Collection[str] = ()) -> None:
    """Create the directory. Raises OSError now where the reports could not be written after the run."""
    directory.mkdir(parents=True, exist_ok=True)
    for name in (*NAMES, *(FORMATS[one] for one in formats)):
        if (directory / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(directory / name))
    probe = _temporary(directory, "probe")
    try:
        _write(probe, b"\n")
    finally:
        with suppress(OSError):
            probe.unlink()


def _temporary(directory: Path, name: str) -> Path:
    """Name a file beside the final one (a rename must not cross file systems) that nobody else uses."""
    return directory / f".{name}.{os.urandom(4).hex()}.tmp"


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
