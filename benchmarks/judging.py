"""What judging one large conforming body costs, next to what else could look at it, and what each of them sees."""

from __future__ import annotations

import statistics
from functools import partial

from bodies import body
from measure import Bars, Cell, Goal, Result, bars, digits, interleaved, options, ratio, spread, write
from rivals import ALL, MUST, left_out, ready, refuses
from sight import bodies, sight


def main() -> None:
    """Measure in turn, write table and plot."""
    chosen = options(__doc__, jobs=(3400, 3, "jobs of the body, of 60 nodes each"), rounds=(7, 1, "rounds"),
                     faults=(1000, 20, "faults that are tried, at most"))  # fmt: skip
    content = body(7, chosen.jobs)
    rivals = ready()
    refused = [name for name, (_, passes) in rivals.items() if refuses(passes, content)]
    assert not refused, f"to refuse is quick: {refused}"
    known = bodies(chosen.faults)
    seen = {name: sight(passes, known) for name, (_, passes) in rivals.items()}
    taken = interleaved({name: partial(passes, content) for name, (_, passes) in rivals.items()},
                        chosen.rounds)  # fmt: skip
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = "orjson.loads" if "orjson.loads" in rivals else "json.loads"
    order = sorted(rivals, key=medians.__getitem__)
    rows: list[list[Cell]] = [
        [
            f"**{name}**" if name in {MUST, ALL} else name, digits(1000 * medians[name]),
            digits(ratio(taken, name, base)), spread(taken[name]), f"{seen[name].must} of {len(known.must)}",
            f"{seen[name].should} of {len(known.should)}", f"{seen[name].conforming} of {len(known.conforming)}",
            rivals[name][0].checks,
        ]
        for name in order
    ]  # fmt: skip
    goals = [
        Goal(f"{ours} / orjson.loads{note}", bound, ratio(taken, ours, base))
        for ours, bound, note in ((MUST, 0.25, ""), (ALL, 1.3, ""), (ALL, 1.6, ", duplicate names looked for"))
        if base == "orjson.loads"
    ] + [
        Goal(f"{rival} / {MUST}", bound, ratio(taken, rival, MUST), least=True)
        for rival, bound in (("json + jsonschema", 8), ("orjson + jsonschema-rs", 5), ("Schemathesis", 10))
        if rival in taken
    ]
    size = len(content) / 1e6
    notes = [
        f"One conforming body of {size:.1f} MB ({chosen.jobs:,} jobs of 60 nodes); medians of {chosen.rounds} rounds.",
        "*All clauses* looks for duplicate names always: both goals are held against the same figure.",
        *left_out(rivals),
    ]  # fmt: skip
    columns = ("", "ms", f"× {base}", "spread", "`must` faults seen", "`should` faults seen", "conforming refused",
               "checks")  # fmt: skip
    write(Result("judging", columns, rows, goals, notes, taken), chosen.out)
    faults = len(known.must) + len(known.should)
    found = [seen[name].must + seen[name].should for name in order]
    panels = (
        Bars(f"ms for {size:.0f} MB (logarithmic)", [1000 * medians[name] for name in order],
             [f"{digits(1000 * medians[name], 2)} ms" for name in order], logarithmic=True),
        Bars(f"faults seen, of {faults}", found, [str(count) for count in found]),
    )  # fmt: skip
    bars(chosen.out / "benchmarks" / "judging.svg", order, [MUST, ALL], panels)


if __name__ == "__main__":
    main()
