"""Charts of nightly runs: the results of one target as a row of bars, and the number of broken clauses over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple, get_args

from conformance.history.night_results import NightState, night_state
from conformance.judge.report import PastRun
from conformance.text.plural import count

CELL: Final = 7
HEIGHT: Final = 20
STATE: Final[dict[NightState, str]] = {
    "broken": "Broken",
    "warned": "Warned",
    "inconclusive": "Inconclusive",
    "not-reached": "Not reached",
    "conformant": "Conformant",
}
_HEIGHT: Final[dict[NightState, int]] = {
    "broken": HEIGHT,
    "warned": 13,
    "inconclusive": 9,
    "not-reached": HEIGHT,
    "conformant": 5,
}
"""Worse results have higher bars, so that the chart works without colour.

If the target was not reached, the bar is hollow.
"""


class Strip(NamedTuple):
    """The results of nightly runs from left to right: an SVG path for each kind of result, and a summary in words."""

    width: int
    height: int
    paths: tuple[tuple[NightState, str], ...]
    words: str


class BrokenPaths(NamedTuple):
    """The number of broken clauses in each run, as two SVG paths in a box of 1000 by 100.

    ``must`` shows the broken must clauses, ``should`` the broken must and should clauses together.
    """

    must: str
    should: str
    most: int
    last_must: int
    last_should: int
    words: str


def strip(states: Sequence[NightState]) -> Strip:
    """Return the chart of these results, oldest first."""
    paths: dict[NightState, str] = {}
    for place, state in enumerate(states):
        inset = 0.75 if state == "not-reached" else 0  # half the line width
        width, height = CELL - 1 - 2 * inset, _HEIGHT[state] - 2 * inset
        bar = f"M{CELL * place + inset:g} {HEIGHT - inset:g}v-{height:g}h{width:g}v{height:g}z"
        paths[state] = paths.get(state, "") + bar
    return Strip(max(1, CELL * len(states)), HEIGHT, tuple(paths.items()), in_words(states))


def strip_of(runs: Sequence[PastRun]) -> Strip:
    """Return the chart of the results of these runs, oldest first."""
    return strip([night_state(run) for run in runs])


def in_words(states: Sequence[NightState]) -> str:
    """Return how many nightly runs had which result: ``14 nights: broken 2, conformant 12``."""
    tally = Counter(states)
    told = ", ".join(f"{STATE[state].lower()} {tally[state]}" for state in get_args(NightState) if tally[state])
    return f"{count(len(states), 'night')}{': ' if told else ''}{told}"


def broken(runs: Sequence[PastRun]) -> BrokenPaths | None:
    """Return a chart of the number of broken clauses per run; None for fewer than two runs, or if none was broken."""
    must = [None if run.unreached else run.counts.fail for run in runs]
    both = [None if run.unreached else run.counts.fail + run.counts.warn for run in runs]
    most = max((number for number in both if number is not None), default=0)
    if len(runs) < 2 or not most:
        return None
    last = next(run for run in reversed(runs) if not run.unreached)
    words = f"at most {most} in a run; must {last.counts.fail} and should {last.counts.warn} in the newest one"
    return BrokenPaths(_steps(must, most), _steps(both, most), most, last.counts.fail, last.counts.warn, words)


def _steps(numbers: Sequence[int | None], most: int) -> str:
    """Return an SVG path with a bar for each run. A run that did not reach its target has no bar."""
    width = 1000 / len(numbers)
    return "".join(
        f"M{place * width:.1f} 100v-{100 * number / most:.1f}h{width * 0.86:.1f}V100z"
        for place, number in enumerate(numbers)
        if number
    )
