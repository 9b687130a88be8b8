"""How long it takes to validate a body with faults: one at its end, one in 1 % of the jobs, or one in every job."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

from bodies import Job, encoded, queue
from measure import Bars, Cell, Goal, Result, bars, digits, interleaved, options, ratio, spread, write

from conformance import Validator

CONFORMING = "conforming"
GOALS = {"one fault, at the end": 1.5, "1 % of the items": 2.0, "every item": 4.0}


def broken(job: Job, number: int) -> Job:
    """Return a job that breaks a must clause: jobs with successive numbers break it in four different ways."""
    lies: tuple[Callable[[], dict[int, Any]], ...] = (
        lambda: {4: {"create_time": job[4]["create_time"] // 1000}},
        lambda: {1: str(job[1])[:-1]},
        lambda: {0: str(job[0])},
        lambda: {3: [1]},
    )
    changed = lies[number % len(lies)]()
    return [changed.get(index, element) for index, element in enumerate(job)]


def main() -> None:
    """Measure, and write the table and the plot."""
    chosen = options(__doc__, jobs=(2000, 4, "jobs of the body, of 60 nodes each"), rounds=(7, 1, "rounds"))
    jobs = queue(7, chosen.jobs)
    last = len(jobs) - 1
    which: dict[str, Callable[[int], bool]] = {
        CONFORMING: lambda _: False,
        "one fault, at the end": lambda number: number == last,
        "1 % of the items": lambda number: number % 100 == 99 or number == last,
        "every item": lambda _: True,
    }
    contents = {
        name: encoded(broken(job, number) if chosen_one(number) else job for number, job in enumerate(jobs))
        for name, chosen_one in which.items()
    }
    validators = {"`must`": Validator(must_only=True), "all clauses": Validator()}
    found = {
        f"{kind}, {name}": len(validator.validate(content))
        for kind, validator in validators.items()
        for name, content in contents.items()
    }
    taken = interleaved(
        {
            f"{kind}, {name}": partial(validator.validate, content)
            for kind, validator in validators.items()
            for name, content in contents.items()
        },
        chosen.rounds,
    )
    rows: list[list[Cell]] = []
    goals = []
    for kind in validators:
        for name in contents:
            case = f"{kind}, {name}"
            times = ratio(taken, case, f"{kind}, {CONFORMING}")
            rows.append(
                [case, found[case], digits(1000 * statistics.median(taken[case])), digits(times), spread(taken[case])]
            )
            goals += [Goal(f"{case} / conforming", GOALS[name], times)] if name in GOALS else []
    size = len(contents[CONFORMING]) / 1e6
    made = f"{size:.1f} MB ({chosen.jobs:,} jobs of 60 nodes); medians of {chosen.rounds} rounds."
    kinds = "create_time in seconds, a prompt_id cut short, a job_number in quotes, a number as output node id"
    notes = [f"{made} The faults are four in turn: {kinds}."]
    columns = ("", "findings", "ms", "× conforming", "spread")
    write(Result("faulty", columns, rows, goals, notes, taken), chosen.out)
    names = list(taken)
    values = [1000 * statistics.median(taken[name]) for name in names]
    plain = [name.replace("`", "") for name in names]
    panel = Bars(f"ms for {size:.0f} MB", values, [f"{digits(value, 2)} ms" for value in values])
    bars(chosen.out / "benchmarks" / "faulty.svg", plain, plain, [panel])


if __name__ == "__main__":
    main()
