"""How long it takes to validate a large conforming body, compared with other libraries, and what each one detects."""

from __future__ import annotations

import statistics
from collections.abc import Collection
from functools import partial

from bodies import body
from measure import Bars, Cell, Goal, Result, bars, digits, interleaved, options, ratio, spread, write
from rivals import ALL, MUST, left_out, ready, refuses
from sight import Bodies, Sight, bodies, sight


def fraction(some: Collection[str], everything: Collection[str]) -> str:
    """Return a text such as ``3 of 40``."""
    return f"{len(some)} of {len(everything)}"


def unseen(known: Bodies, ours: Sight) -> list[str]:
    """Return a note that names the faults that our own validator should detect but did not; empty if there are none."""
    names = [name for name in (*known.must, *known.should) if name not in ours.must | ours.should]
    return [f"Not detected by {ALL}, though it should be: {', '.join(f'`{name}`' for name in names)}."] if names else []


def main() -> None:
    """Measure, and write the table and the plot."""
    chosen = options(
        __doc__,
        jobs=(2000, 3, "jobs of the body, of 60 nodes each"),
        rounds=(7, 1, "rounds"),
        faults=(1000, 20, "maximum number of faults"),
    )
    content = body(7, chosen.jobs)
    rivals = ready()
    refused = [name for name, (_, passes) in rivals.items() if refuses(passes, content)]
    assert not refused, f"these refuse a conforming body, so their times mean nothing: {refused}"
    known = bodies(chosen.faults)
    seen = {name: sight(passes, known) for name, (_, passes) in rivals.items()}
    taken = interleaved({name: partial(passes, content) for name, (_, passes) in rivals.items()}, chosen.rounds)
    medians = {name: statistics.median(times) for name, times in taken.items()}
    base = "orjson.loads" if "orjson.loads" in rivals else "json.loads"
    order = sorted(rivals, key=medians.__getitem__)
    rows: list[list[Cell]] = [
        [
            f"**{name}**" if name in {MUST, ALL} else name,
            digits(1000 * medians[name]),
            digits(ratio(taken, name, base)),
            spread(taken[name]),
            fraction(seen[name].must, known.must),
            fraction(seen[name].should, known.should),
            fraction(seen[name].conforming, known.conforming),
            rivals[name][0].checks,
        ]
        for name in order
    ]
    goals = [
        Goal(f"{ours} / orjson.loads{note}", bound, ratio(taken, ours, base))
        for ours, bound, note in ((MUST, 0.25, ""), (ALL, 1.3, ""), (ALL, 1.6, ", with duplicate names"))
        if base == "orjson.loads"
    ] + [
        Goal(f"{rival} / {MUST}", bound, ratio(taken, rival, MUST), least=True)
        for rival, bound in (("json + jsonschema", 8), ("orjson + jsonschema-rs", 5), ("Schemathesis", 10))
        if rival in taken
    ]
    size = len(content) / 1e6
    notes = [
        f"One conforming body of {size:.1f} MB ({chosen.jobs:,} jobs of 60 nodes); medians of {chosen.rounds} rounds.",
        "*All clauses* always looks for duplicate names, so both goals are compared with the same figure.",
        *unseen(known, seen[ALL]),
        *left_out(rivals),
    ]
    columns = (
        "",
        "ms",
        f"× {base}",
        "spread",
        "`must` faults seen",
        "`should` faults seen",
        "conforming refused",
        "checks",
    )
    write(Result("judging", columns, rows, goals, notes, taken), chosen.out)
    faults = len(known.must) + len(known.should)
    found = [len(seen[name].must) + len(seen[name].should) for name in order]
    panels = (
        Bars(
            f"ms for {size:.0f} MB (logarithmic)",
            [1000 * medians[name] for name in order],
            [f"{digits(1000 * medians[name], 2)} ms" for name in order],
            logarithmic=True,
        ),
        Bars(f"faults seen, of {faults}", found, [str(count) for count in found]),
    )
    bars(chosen.out / "benchmarks" / "judging.svg", order, [MUST, ALL], panels)


if __name__ == "__main__":
    main()
