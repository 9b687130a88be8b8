"""Try all mutants, some at the same time, and report which survive."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from changes import Change, changes
from equivalent import Equivalent, name
from figures import Figures
from results import Results
from trial import Ground, Stage, outcome, start

UNCHANGED_S: Final = 600
"""Seconds that the tests may take without any change."""


@dataclass
class Tally:
    """The outcomes of the mutants of one module."""

    mutants: int = 0
    killed: int = 0
    equivalent: int = 0
    surviving: list[Change] = field(default_factory=list)

    def figures(self, code: str) -> Figures:
        """Return the numbers. ``code`` is the digest of the module."""
        return Figures(self.mutants, self.killed, self.equivalent, len(self.surviving), code)


class FailsUnchanged(Exception):
    """A test fails without any change, so results would be worthless. The argument is the id of the test."""


def tried(
    ground: Ground, names: Sequence[str], results: Results, jobs: int, *, near_only: bool = False
) -> Iterator[Change]:
    """Try the mutants of modules whose outcome is unknown. Yield all mutants, each when its outcome is known.

    ``near_only`` runs only the nearby tests. Then a mutant that survives is not kept, because other tests may kill it.

    Raises:
        FailsUnchanged: if a test fails without any change.
    """
    running: dict[int, tuple[Change, list[Stage], int]] = {}

    def begin(change: Change, stages: list[Stage]) -> None:
        process, told = start(change, stages[0])
        running[process] = (change, stages[1:], told)

    def end() -> Iterator[Change]:
        process, status = os.wait()
        change, stages, told = running.pop(process)
        killer = outcome(status, told)
        if killer is None and stages:
            begin(change, stages)
            return
        results.add(change, killer, keep=killer is not None or not near_only)
        yield change

    sound = False
    try:
        for change in (change for module in names for change in changes(module, ground.modules[module])):
            if change in results:
                yield change
                continue
            sound = sound or _sound(ground, names, near_only=near_only)
            while len(running) >= jobs:
                yield from end()
            begin(change, ground.stages(change.module, near_only=near_only))
        while running:
            yield from end()
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)


def _sound(ground: Ground, names: Sequence[str], *, near_only: bool) -> bool:
    stages = [stage for module in names for stage in ground.stages(module, near_only=near_only)]
    files = dict.fromkeys(file for stage in stages for file in stage.files)
    process, told = start(None, Stage([*files], UNCHANGED_S, UNCHANGED_S))
    _, status = os.waitpid(process, 0)
    failed = outcome(status, told)
    if failed is not None:
        raise FailsUnchanged(failed)
    return True


def tallied(
    done: Iterator[Change], names: Sequence[str], results: Results, entries: Sequence[Equivalent]
) -> tuple[dict[str, Tally], list[str]]:
    """Count the outcomes by module. Also return the entries of the list of equivalent mutants that are wrong.

    On a terminal, show the progress.
    """
    known = {each for entry in entries for each in entry.names}
    alive: set[tuple[str, str, str, str]] = set()
    tallies = {module: Tally() for module in names}
    with Progress() as progress:
        for change in done:
            tally = tallies[change.module]
            tally.mutants += 1
            if results[change] is not None:
                tally.killed += 1
            elif name(change) in known:
                tally.equivalent += 1
                alive.add(name(change))
            else:
                tally.surviving.append(change)
            progress.show(tallies, change)
    stale = [each for entry in entries for each in entry.names if each[0] in tallies and each not in alive]
    return tallies, [f"{module}, {where}: {line} -> {after}" for module, where, line, after in stale]


class Progress:
    """Shows the progress in one line if the output is a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")

    def show(self, tallies: Mapping[str, Tally], change: Change) -> None:
        """Show the number of mutants that were tried so far."""
        if self._shown:
            count = sum(tally.mutants for tally in tallies.values())
            surviving = sum(len(tally.surviving) for tally in tallies.values())
            pace = count / max(time.monotonic() - self._began, 1) * 60
            text = f"{count:,} mutants, {surviving} survive, {pace:.0f} a minute: {change.module}"
            sys.stderr.write(f"\r\033[K{text[:100]}")
            sys.stderr.flush()
