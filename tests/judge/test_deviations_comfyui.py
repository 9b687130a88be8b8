"""The register of ComfyUI's known deviations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from conformance.contract.terms import Dialect
from conformance.exchange.recordings import read_file
from conformance.judge.deviations.register import read_register
from conformance.judge.judge import Judgement
from conformance.judge.report import Deviations, State, Status
from helpers.cli_runner import call
from helpers.comfyui_runs import live_runs
from helpers.registers import held

HERE = Path(__file__).parents[1]
COMFYUI = HERE.parent / "conformance" / "judge" / "deviations" / "comfyui.toml"


# --- the register of ComfyUI ----------------------------------------------------------------------

NEWEST = HERE / "recordings" / "comfyui-0.33.0"
RECORDINGS = [
    *sorted((HERE / "recordings").glob("*.http")),
    *sorted(path for name in ("q", "h", "m", "pq") for path in NEWEST.glob(f"{name}_*.http")),
]


def recorded(dialect: Dialect) -> Iterable[tuple[Judgement, Deviations]]:
    entries = read_register(COMFYUI).entries
    return [held(read_file(path), *entries, dialect=dialect) for path in RECORDINGS]


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
def test_all_that_comfyui_was_recorded_to_do_otherwise_is_waived(dialect: Dialect) -> None:
    broken = [
        f"{path.stem}: {found.id}"
        for path, (judgement, _) in zip(RECORDINGS, recorded(dialect), strict=True)
        for found in judgement.results
        if found.status in {Status.FAIL, Status.WARN, Status.ERROR}
    ]
    assert broken == []
    assert sum(judgement.counts.waived for judgement, _ in recorded(dialect)) > 20


@pytest.mark.parametrize("dialect", [Dialect.CLOUD, Dialect.OSS])
def test_every_entry_for_comfyui_is_shown_and_none_is_stale(dialect: Dialect) -> None:
    """By a recording, or by a run against the stand-in."""
    states: dict[int, set[State]] = {}
    entries = read_register(COMFYUI).entries
    live = [held(exchanges, *entries, dialect=dialect) for exchanges in live_runs(dialect)]
    for _, deviations in [*recorded(dialect), *live]:
        assert deviations.problems == ()
        for each in deviations.known:
            states.setdefault(each.entry, set()).add(each.state)
    mine = {n for n, each in enumerate(read_register(COMFYUI).entries, 1) if each.dialect in {dialect, "any"}}
    assert {number for number, found in states.items() if State.HOLDS in found} == mine


def test_the_register_of_comfyui_is_printed() -> None:
    shown = call("deviations", "example")
    assert shown.exit_code == 0
    assert shown.stdout == COMFYUI.read_text(encoding="utf-8")
