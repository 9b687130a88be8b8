"""Store the result of each target as it arrives: in its history, as HTML pages, and in ``results.jsonl``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final

from msgspec import structs

from conformance.fleet.result_lines import EndpointResult, endpoint_result
from conformance.fleet.results import Results, pack_report, unpack_report
from conformance.fleet.work import Done, Keep
from conformance.judge.report import Report
from conformance.render.write import write_reports
from conformance.run.targets import Target, is_directory

UNKEPT: Final = 4
"""Exit status, instead of 0, of a target whose run could not be stored in its history."""


@dataclass
class Filing:
    """Stores results below ``directory``. ``say`` prints a line for each run that its history could not store."""

    results: Results
    directory: Path
    keep: Keep
    say: Callable[[str], None] = lambda _: None

    def add(self, target: Target, done: Done) -> EndpointResult:
        """Store the result of a target, and return the result with what its history adds.

        Raises OSError if it cannot be written.
        """
        result, content = done.result, done.report
        history = target.options.get("history")
        if content is not None and (history or self.keep == "pages"):
            report = unpack_report(content)
            if history:
                report, result = self._add_history(target, report, result)
                content = pack_report(report)
            if self.keep == "pages":
                formats, strict = target.options.get("format") or (), target.options.get("fail_on_should") is True
                place = directory_of(target.name)
                write_reports(report, self.directory / place, fail_on_should=strict, formats=formats)
                result = structs.replace(result, report=f"{place}/index.html")
        if self.keep == "none" or (self.keep == "broken" and result.outcome == "conformant"):
            content = None
        self.results.add(result, content)
        return result

    def _add_history(self, target: Target, report: Report, result: EndpointResult) -> tuple[Report, EndpointResult]:
        """Store a run in the history of its target. Returns the report and the result with the history added."""
        from conformance.history import HistoryProblem, keep

        try:
            strict = target.options.get("fail_on_should") is True
            report = keep(report, Path(target.options["history"]), fail_on_should=strict)
        except HistoryProblem as problem:
            self.say(f"{target.name}: {problem}: this run was not stored")
            return report, structs.replace(result, exit=result.exit or UNKEPT)
        again = endpoint_result(target.name, report, result.exit, seconds=result.seconds)
        return report, structs.replace(again, worker=result.worker)


def directory_of(name: str) -> str:
    """Return the name of the directory for a target's pages: the target's name, or a similar name that is valid."""
    if is_directory(name):
        return name
    like = re.sub(r"[^A-Za-z0-9._-]+", "-", name.partition("://")[2] or name).strip(".-")[:48]
    return f"{like or 'target'}-{blake2b(name.encode(), digest_size=4).hexdigest()}"
