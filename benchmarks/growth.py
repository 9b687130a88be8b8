"""How the time to validate a body grows with its size, compared with orjson, and how much memory it takes."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from bodies import encoded, job, queue
from measure import Cell, Goal, Result, digits, import_extra, interleaved, lines, options, ratio, write

from conformance import Validator

SIZES = (1, 5, 20, 50, 100, 200, 500)
"""Sizes of bodies in megabytes."""
MUST, ALL = "ours, must", "ours, all clauses"
PEAK = """
import resource, sys

def peak():
    if sys.platform == "linux":  # ru_maxrss begins with what the parent held
        with open("/proc/self/status") as status:
            return int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

{made}
with open(sys.argv[1], "rb") as file:
    body = file.read()
before = peak()
found = read(body)
print(peak() - before)
"""
OURS = "from conformance import Validator\nread = Validator(must_only={must_only}).validate\nread(b'{{}}')"


def free() -> float:
    """Return the free memory in megabytes, or 4,000 if the system does not report it."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return 4000.0
    return float(text.partition("MemAvailable:")[2].split()[0]) / 1000


def sized(megabytes: float) -> bytes:
    """Return a conforming body of about this size in megabytes. Jobs have 60 nodes and some 24 kB."""
    few = queue(7, 20)
    count = max(1, round(megabytes * 1e6 / (len(encoded(few)) / len(few))))
    rng = random.Random(7)  # noqa: S311 - not a secret
    return encoded(job(rng, number, 60) for number in range(1, count + 1))


def peak(made: str, file: Path) -> int:
    """Return by how many bytes validating a file's content raises the peak memory of a new process."""
    command = [sys.executable, "-c", PEAK.format(made=made), str(file)]
    return int(subprocess.run(command, capture_output=True, check=True, timeout=600).stdout)


def alone(sizes: Sequence[int], measured: Mapping[str, Sequence[float]]) -> str:
    """Return a note with the time per megabyte at the smallest and at the largest size, not as a ratio."""
    ends = (sizes[0], sizes[-1])
    each = (
        f"{name}: "
        + ", ".join(
            f"{digits(1000 * statistics.median(measured[f'{name}, {size} MB']) / size)} at {size} MB" for size in ends
        )
        for name in dict.fromkeys(case.rpartition(", ")[0] for case in measured)
    )
    return f"Milliseconds for each MB. {'; '.join(each)}."


def main() -> None:
    """Measure each size, and write the table and the plot."""
    chosen = options(__doc__, most=(500, 5, "largest body, in MB"), rounds=(5, 1, "rounds at each size"))
    base = "orjson" if find_spec("orjson") else "json"
    loads = import_extra(base).loads
    makers = (OURS.format(must_only=True), OURS.format(must_only=False), f"from {base} import loads as read")
    sizes = [size for size in SIZES if size <= chosen.most and 14 * size < free()]
    must, everything = Validator(must_only=True), Validator()
    rows: list[list[Cell]] = []
    measured: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {MUST: [], ALL: []}
    above: list[float] = []
    for size in sizes:
        content = sized(size)
        taken = interleaved(
            {
                MUST: lambda: must.validate(content),  # noqa: B023 - called before the loop goes on
                ALL: lambda: everything.validate(content),  # noqa: B023
                f"{base}.loads": lambda: loads(content),  # noqa: B023
            },
            chosen.rounds,
            calls=max(1, 10 // size),
        )
        measured |= {f"{name}, {size} MB": times for name, times in taken.items()}
        for name, reached in ratios.items():
            reached.append(ratio(taken, name, f"{base}.loads"))
        with tempfile.NamedTemporaryFile(delete=False) as file:
            file.write(content)
        path = Path(file.name)
        try:
            peaks = [peak(made, path) for made in makers]
        finally:
            path.unlink()
        shares = [each / len(content) for each in peaks]
        above.append(shares[0])
        rows.append(
            [
                f"{size} MB",
                *(digits(1000 * statistics.median(times)) for times in taken.values()),
                *(digits(reached[-1]) for reached in ratios.values()),
                *(f"{100 * share:.0f} %" for share in shares),
            ]
        )
    goals = [
        Goal(f"{name}: ratio at {sizes[-1]} MB / ratio at {sizes[0]} MB", 1.2, reached[-1] / reached[0])
        for name, reached in ratios.items()
    ]
    goals.append(Goal(f"{MUST}: memory above the body at {sizes[-1]} MB, of its size", 50, 100 * above[-1], unit="%"))
    skipped = [size for size in SIZES if size not in sizes]
    notes = ["Memory: by how much the peak of a new process grows after it has read the body."]
    notes.append(alone(sizes, measured))
    if base == "json":
        notes.append("Compared with json, because orjson is not installed.")
    if skipped:
        notes.append(
            f"Not measured, because of too little memory or --most: {', '.join(f'{size} MB' for size in skipped)}."
        )
    columns = (
        "body",
        "must, ms",
        "all, ms",
        f"{base}, ms",
        f"must / {base}",
        f"all / {base}",
        "memory, must",
        "memory, all",
        f"memory, {base}",
    )
    write(Result("growth", columns, rows, goals, notes, measured), chosen.out)
    curves = {"all clauses": ratios[ALL], "must": ratios[MUST]}
    lines(
        chosen.out / "benchmarks" / "growth.svg",
        f"time, as a multiple of {base}.loads of the same bytes",
        ("MB", sizes),
        curves,
    )


if __name__ == "__main__":
    main()
