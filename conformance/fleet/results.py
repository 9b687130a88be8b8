"""The files of a run over many targets: ``results.jsonl``, and the reports in ``reports.jsonl.gz``.

Both files are written as results arrive. ``zcat reports.jsonl.gz`` prints a line of JSON for each report, in the order
of ``results.jsonl``. Each line of ``results.jsonl`` says where the report of its target begins, so that one report can
be read without the others.
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
from conformance.fleet.result_lines import EndpointResult, Footer, Header, ResultLine, Stored
from conformance.judge.report import Report
from conformance.problems import UsageProblem

RESULTS: Final = "results.jsonl"
REPORTS: Final = "reports.jsonl.gz"
_DECODER: Final = msgspec.json.Decoder(ResultLine)


def pack_report(report: Report) -> bytes:
    """Return a report as it is stored: a line of JSON, compressed as one gzip member."""
    return gzip.compress(msgspec.json.encode(report) + b"\n", compresslevel=6, mtime=0)


def unpack_report(content: bytes) -> Report:
    """Return the report that ``pack_report`` compressed."""
    return msgspec.json.decode(gzip.decompress(content), type=Report)


def lines(directory: Path) -> Iterator[tuple[ResultLine, int]]:
    """Yield the complete lines of ``results.jsonl``, each with the position of its end in bytes.

    Raises UsageProblem.
    """
    path = directory / RESULTS
    ends = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return  # an incomplete line from a stopped run
                ends += len(line)
                try:
                    yield _DECODER.decode(line), ends
                except msgspec.MsgspecError:
                    raise UsageProblem(f"{path} is damaged at line {number}: restore it, or use --fresh") from None
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror}): name the report directory of check --all"
        raise UsageProblem(msg) from None


def endpoints(directory: Path) -> Iterator[EndpointResult]:
    """Yield the results of all targets in the order in which their checks ended. Raises UsageProblem."""
    return (line for line, _ in lines(directory) if isinstance(line, EndpointResult))


def header_and_footer(directory: Path) -> tuple[Header, Footer | None]:
    """Return the header (the first line) and the footer (the last line), which is None if the run has not finished."""
    header: ResultLine | None = None
    last: ResultLine | None = None
    for last, _ in lines(directory):
        header = header or last
    if not isinstance(header, Header):
        raise UsageProblem(f"{directory / RESULTS} does not begin with a header: check --all did not write it")
    return header, last if isinstance(last, Footer) else None


def report_of(directory: Path, result: EndpointResult) -> Report:
    """Return the stored report of a target. Raises UsageProblem if it was not stored or is damaged."""
    if result.stored is None:
        raise UsageProblem(f"the report of {result.name!r} was not kept (--keep): check this target separately")
    try:
        with (directory / REPORTS).open("rb") as file:
            file.seek(result.stored.start)
            return unpack_report(file.read(result.stored.size))
    except (OSError, EOFError, zlib.error, msgspec.MsgspecError) as error:
        raise UsageProblem(f"{directory / REPORTS} cannot be read: {error}") from None


class Results:
    """The files of a run, open for writing.

    Each line is written completely or not at all, and stays if the run stops.
    """

    def __init__(self, results: BinaryIO, reports: BinaryIO, done: Marks) -> None:
        self._results, self._reports = results, reports
        self._lines_end, self._reports_end = results.tell(), reports.tell()
        self.done = done

    @classmethod
    def begin(cls, directory: Path, header: Header, *, fresh: bool = False) -> Self:
        """Start the files of a new run.

        Files of a finished run are overwritten; those of an unfinished run only with ``fresh``. Raises OSError, and
        UsageProblem if the files may not be overwritten or another run is writing them.
        """
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / RESULTS
        if not fresh and path.exists() and path.stat().st_size and header_and_footer(directory)[1] is None:
            msg = f"{directory} contains an unfinished run: continue with --resume, or start again with --fresh"
            raise UsageProblem(msg)
        made = cls._open(directory, Marks(), 0, 0)
        made.write(header)
        return made

    @classmethod
    def resume(cls, directory: Path, header: Header) -> Self:
        """Open the files of an unfinished run to continue the run. If they have no complete line, start a new run.

        Raises OSError, and UsageProblem if the run cannot be continued.
        """
        if not (directory / RESULTS).exists():
            return cls.begin(directory, header)
        done, lines_end, reports_end = Marks(), 0, 0
        for line, end in lines(directory):
            if isinstance(line, Header):
                _demand_same_run(line, header, directory)
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
            _lock(file, directory)
            file.truncate(end)
            file.seek(end)
            files.append(file)
        return cls(files[0], files[1], done)

    def add(self, result: EndpointResult, report: bytes | None) -> None:
        """Store the result of a target, and its packed report if there is one.

        If this raises OSError, nothing is changed.
        """
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

    def write(self, line: ResultLine) -> None:
        """Append a line to ``results.jsonl``. If this raises OSError, the file is unchanged."""
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
        """Close the files. Their content is flushed to the disk if possible."""
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
    """Write all bytes.

    One call of ``write`` on an unbuffered file may write only some of them, for example on a full disk.
    """
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _lock(file: BinaryIO, directory: Path) -> None:
    """Lock a file as long as it is open, so that no second run writes to it.

    Raises UsageProblem if it is already locked.
    """
    try:
        import fcntl
    except ImportError:  # not supported on Windows
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise UsageProblem(f"{directory} is being written by another run: wait, or use another directory") from None


def _demand_same_run(before: Header, now: Header, directory: Path) -> None:
    if (before.suite_version, before.document_sha256) != (now.suite_version, now.document_sha256):
        raise UsageProblem(
            f"{directory} was started by version {before.suite_version} of the suite, and this is {now.suite_version}: "
            "use --fresh"
        )
    then, given = ({**header.options, "part": header.part} for header in (before, now))
    changed = sorted(name for name in then.keys() | given.keys() if then.get(name) != given.get(name))
    if changed:
        spelt = ", ".join(f"--{name.replace('_', '-')}" for name in changed)
        raise UsageProblem(f"{directory} was started with a different {spelt}: give the same value, or use --fresh")
