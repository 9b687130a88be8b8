"""How long a library call takes to validate a typical body: five jobs, some 3 kB."""

from __future__ import annotations

import statistics
from functools import partial

from bodies import body
from measure import Bars, Cell, Goal, Result, bars, digits, interleaved, options, ratio, spread, write
from rivals import ALL, MUST, left_out, ready

JOBS, NODES = 5, 2
SEED = 0


def main() -> None:
    """Measure, and write the table and the plot."""
    chosen = options(__doc__, rounds=(15, 1, "rounds"), calls=(200, 2, "calls in a row, of each in a round"))
    content = body(SEED, JOBS, NODES)
    rivals = ready()
    taken = interleaved(
        {name: partial(passes, content) for name, (_, passes) in rivals.items()}, chosen.rounds, calls=chosen.calls
    )
    medians = {name: 1e6 * statistics.median(times) for name, times in taken.items()}
    order = sorted(rivals, key=medians.__getitem__)
    rows: list[list[Cell]] = [
        [
            f"**{name}**" if name in {MUST, ALL} else name,
            digits(medians[name]),
            digits(ratio(taken, name, "json.loads")),
            spread(taken[name]),
        ]
        for name in order
    ]
    goals = [
        Goal(f"{ALL}, one call", 60, medians[ALL], unit="µs"),
        Goal(f"{ALL} / json.loads", 6, ratio(taken, ALL, "json.loads")),
    ]
    made = f"{len(content):,} bytes ({JOBS} jobs of {NODES} nodes); medians of {chosen.rounds} rounds of {chosen.calls}"
    notes = [f"{made} calls. The first table shows which faults each one detects.", *left_out(rivals)]
    write(Result("small", ("", "µs", "× json.loads", "spread"), rows, goals, notes, taken), chosen.out)
    panel = Bars(
        f"µs for {len(content):,} bytes (logarithmic)",
        [medians[name] for name in order],
        [f"{digits(medians[name], 2)} µs" for name in order],
        logarithmic=True,
    )
    bars(chosen.out / "benchmarks" / "small.svg", order, [MUST, ALL], [panel])


if __name__ == "__main__":
    main()
