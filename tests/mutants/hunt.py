"""Mutation testing of the code that decides a verdict. See docs/mutants.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from clauses import GROUND, short
from drive import FailsUnchanged, tallied, tried
from equivalent import Equivalent, listed
from figures import digest_of_code, read, write
from page import DOCS, current_page, table
from results import Results, digest
from trial import Ground, prepare

UNSOUND: Final = 3
USAGE: Final = 4
INTERRUPTED: Final = 130


class Problem(Exception):
    """Why the command failed, in one line, and its exit status."""

    def __init__(self, status: int, line: str) -> None:
        super().__init__(line)
        self.status = status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise Problem(USAGE, message)


def main(arguments: list[str], ground: Ground = GROUND, entries: Sequence[Equivalent] | None = None) -> int:
    """Return the exit status: 0 if every mutant is killed or listed, 1 if not, another for a problem."""
    try:
        options = _options(arguments, ground)
        return _hunt(options, ground, listed() if entries is None else entries)
    except Problem as problem:
        sys.stderr.write(f"python tests/mutants: {problem}\n")
        return problem.status


def _options(arguments: list[str], ground: Ground) -> argparse.Namespace:
    names = {short(name): name for name in ground.modules}
    parser = _Parser(prog="python tests/mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=f"one of {', '.join(names)} (all)")
    parser.add_argument("--jobs", type=int, default=1, help="number of mutants to try at the same time (1)")
    parser.add_argument(
        "--results",
        type=Path,
        default=ground.root / ".mutants.jsonl",
        help="file with the results (.mutants.jsonl)",
    )
    parser.add_argument("--near", action="store_true", help="run only the nearby tests of each module")
    parser.add_argument("--docs", action="store_true", help="write the figures of these modules in docs/mutants.md")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.modules if name not in names]
    if unknown:
        raise Problem(USAGE, f"no such module: {', '.join(unknown)}. There are {', '.join(names)}")
    if options.jobs < 1:
        raise Problem(USAGE, "--jobs: at least 1")
    options.modules = [names[name] for name in options.modules or names]
    return options


def _hunt(options: argparse.Namespace, ground: Ground, entries: Sequence[Equivalent]) -> int:
    try:
        results = Results(options.results.resolve(), digest((ground.root / "tests").rglob("*.py")))
    except OSError as error:
        raise Problem(USAGE, f"--results: {error.strerror}: {options.results}") from None
    prepare(ground)
    try:
        done = tried(ground, options.modules, results, options.jobs, near_only=options.near)
        tallies, stale = tallied(done, options.modules, results, entries)
    except KeyboardInterrupt:
        line = f"interrupted: the results so far are in {results.file}, and the same command continues from there"
        raise Problem(INTERRUPTED, line) from None
    except FailsUnchanged as failed:
        raise Problem(UNSOUND, f"without any change, {failed} fails: fix that first") from None
    figures = {module: tally.figures(digest_of_code(_source(ground, module))) for module, tally in tallies.items()}
    sys.stdout.write(table(figures))
    for tally in tallies.values():
        for change in tally.surviving:
            sys.stdout.write(f"survives: {change.module}, {change.where}: {change.line} -> {change.becomes}\n")
    for entry in stale:
        sys.stdout.write(f"listed as equivalent, but killed or gone: {entry}\n")
    if options.docs:
        write({**read(), **figures})
        DOCS.write_text(current_page(), encoding="utf-8")
    return 1 if stale or any(tally.surviving for tally in tallies.values()) else 0


def _source(ground: Ground, module: str) -> str:
    return ground.modules[module].read_text(encoding="utf-8")
