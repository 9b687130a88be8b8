"""The files of a run: ``results.jsonl``, written as results come, and the reports, each a member of a gzip file.

``zcat reports.jsonl.gz`` is a line of JSON for each target, in the order of ``results.jsonl``; a line there says
where its member is, so that one report is found without reading the others.
"""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, Self

import msgspec

from conformance.fleet.marks import Marks
from conformance.fleet.model import EndpointResult, Footer, Header, Line, Stored
from conformance.judge.report import Report
from conformance.problems import UsageProblem

RESULTS: Final = "results.jsonl"
REPORTS: Final = "reports.jsonl.gz"
_DECODER: Final = msgspec.json.Decoder(Line)


def packed(report: Report) -> bytes:
    """Return a report as it is kept: a line of JSON, a gzip member of its own."""
    return gzip.compress(msgspec.json.encode(report) + b"\n", compresslevel=6, mtime=0)


def unpacked(content: bytes) -> Report:
    """Return a report as it was packed."""
    return msgspec.json.decode(gzip.decompress(content), type=Report)


def lines(directory: Path) -> Iterator[tuple[Line, int]]:
    """Yield the whole lines of ``results.jsonl``, each with the byte at which it ends. Raises UsageProblem."""
    path = directory / RESULTS
    ends = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # what was being written when the run was stopped
                ends += len(line)
                try:
                    yield _DECODER.decode(line), ends
                except msgspec.MsgspecError:
                    raise UsageProblem(f"{path} is damaged at line {number}: restore it, or begin anew") from None
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}): name the report directory of check --all"
        raise UsageProblem(msg) from None


def endpoints(directory: Path) -> Iterator[EndpointResult]:
    """Yield the results of targets, in the order in which they were judged. Raises UsageProblem."""
    return (line for line, _ in lines(directory) if isinstance(line, EndpointResult))


def ends_of(directory: Path) -> tuple[Header, Footer | None]:
    """Return the header, and the footer if there is one. Raises UsageProblem."""
    header: Line | None = None
    last: Line | None = None
    for last, _ in lines(directory):
        header = header or last
    if not isinstance(header, Header):
        raise UsageProblem(f"{directory / RESULTS} does not begin with a header: check --all did not write it")
    return header, last if isinstance(last, Footer) else None


def report_of(directory: Path, result: EndpointResult) -> Report:
    """Return the report of a target. Raises UsageProblem if it was not kept, or is damaged."""
    if result.stored is None:
        raise UsageProblem(f"no report of {result.name!r} was kept (--keep): check it by itself")
    try:
        with (directory / REPORTS).open("rb") as file:
            file.seek(result.stored.start)
            return unpacked(file.read(result.stored.size))
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise UsageProblem(f"{directory / REPORTS} cannot be read: {error}") from None


class Results:
    """The files while targets are checked. What is written stays, whatever ends the run; a line is whole or absent."""

    def __init__(self, results: BinaryIO, reports: BinaryIO, done: Marks) -> None:
        self._results, self._reports = results, reports
        self._lines_end, self._reports_end = results.tell(), reports.tell()
        self.done = done

    @classmethod
    def begin(cls, directory: Path, header: Header, *, fresh: bool = False) -> Self:
        """Begin anew. A run that ended is overwritten, and any other one if ``fresh`` says so.

        Raises OSError, and UsageProblem if something else is there, or another run writes.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / RESULTS
        if not fresh and path.exists() and path.stat().st_size and ends_of(directory)[1] is None:
            msg = f"{directory} holds a run that did not end: go on with --resume, or begin anew with --fresh"
            raise UsageProblem(msg)
        made = cls._open(directory, Marks(), 0, 0)
        made.write(header)
        return made

    @classmethod
    def resume(cls, directory: Path, header: Header) -> Self:
        """Continue after the last whole line, or begin if no line is whole.

        Raises OSError, and UsageProblem if that is impossible.
        """
        if not (directory / RESULTS).exists():
            return cls.begin(directory, header)
        done, lines_end, reports_end = Marks(), 0, 0
        for line, end in lines(directory):
            if isinstance(line, Header):
                _demand_the_same(line, header, directory)
            if isinstance(line, EndpointResult):
                done.add(line.name)
                if line.stored is not None:
                    reports_end = line.stored.start + line.stored.size
            if not isinstance(line, Footer):
                lines_end = end
        if not lines_end:
            return cls.begin(directory, header, fresh=True)
        return cls._open(directory, done, lines_end, reports_end)

    @classmethod
    def _open(cls, directory: Path, done: Marks, lines_end: int, reports_end: int) -> Self:
        files = []
        for name, end in ((RESULTS, lines_end), (REPORTS, reports_end)):
            path = directory / name
            file = path.open("r+b" if path.exists() else "w+b", buffering=0)
            _alone(file, directory)
            file.truncate(end)
            file.seek(end)
            files.append(file)
        return cls(files[0], files[1], done)

    def add(self, result: EndpointResult, report: bytes | None) -> None:
        """Keep the result of a target. Raises OSError, and the files are then as they were before."""
        stored = None
        if report is not None:
            try:
                _write(self._reports, report)
            except OSError:
                self._undo()
                raise
            stored = Stored(start=self._reports_end, size=len(report))
        self.write(msgspec.structs.replace(result, stored=stored))
        self._reports_end = self._reports.tell()
        self.done.add(result.name)

    def write(self, line: Line) -> None:
        """Add a line. Raises OSError, and the files are then as they were before."""
        try:
            _write(self._results, msgspec.json.encode(line) + b"\n")
        except OSError:
            self._undo()
            raise
        self._lines_end = self._results.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the files, having them on the disk if that can be."""
        for file in (self._reports, self._results):
            with suppress(OSError):
                os.fsync(file.fileno())
            file.close()

    def _undo(self) -> None:
        with suppress(OSError):
            self._results.truncate(self._lines_end)
            self._results.seek(self._lines_end)
            self._reports.truncate(self._reports_end)
            self._reports.seek(self._reports_end)


def _write(file: BinaryIO, content: bytes) -> None:
    """Write all of it: a file without a buffer may take a part of it before it says that the disk is full."""
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _alone(file: BinaryIO, directory: Path) -> None:
    """Lock a file as long as it is open: two runs that write into one would spoil both."""
    try:
        import fcntl
    except ImportError:  # Windows has another way, and nobody has asked for it
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise UsageProblem(f"{directory} is being written by another run: wait for it, or name another") from None


def _demand_the_same(before: Header, now: Header, directory: Path) -> None:
    if (before.suite_version, before.document_sha256) != (now.suite_version, now.document_sha256):
        msg = f"{directory} was begun by suite {before.suite_version}, this is {now.suite_version}: begin anew"
        raise UsageProblem(msg)
    then, given = ({**header.options, "part": header.part} for header in (before, now))
    changed = sorted(name for name in then.keys() | given.keys() if then.get(name) != given.get(name))
    if changed:
        spelt = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise UsageProblem(f"{directory} was begun with another {spelt}: give it as it was, or begin anew")
