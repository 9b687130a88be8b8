"""Measure several cases in turn, and write the results: a table (Markdown and JSON) and a plot (SVG).

``docs/benchmarks.md`` contains the text, and, between two marks, the table of each benchmark. The table is made only
from ``docs/benchmarks/SUBJECT.json``.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import platform
import re
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = "benchmarks.md"
PACKAGES: Final = (
    "msgspec",
    "orjson",
    "jsonschema",
    "jsonschema-rs",
    "fastjsonschema",
    "pydantic",
    "openapi-core",
    "schemathesis",
)
MEANWHILE: Final = {"#010203": "text", "#010204": "grid", "#010205": "ours", "#010206": "other", "#010207": "paper"}
"""Placeholder colours that matplotlib writes, and the CSS variables that replace them, so that a browser can show the
plot in light or dark mode.
"""
STYLE: Final = """<style>
:root { --text: #1f2328; --grid: #d1d9e0; --ours: #0969da; --other: #8c959f; --paper: #ffffff }
@media (prefers-color-scheme: dark) {
  :root { --text: #f0f6fc; --grid: #3d444d; --ours: #4493f8; --other: #768390; --paper: #0d1117 }
}
text { font-family: system-ui, sans-serif !important }
</style>"""

Case = Callable[[], object]
Cell = str | int | float | None


@dataclass(frozen=True)
class Goal:
    """A goal: ``measured`` must be at most ``bound``, or with ``least`` at least ``bound``."""

    what: str
    bound: float
    measured: float
    least: bool = False
    unit: str = "×"

    @property
    def met(self) -> bool:
        """Whether the goal was reached."""
        return self.measured >= self.bound if self.least else self.measured <= self.bound


@dataclass(frozen=True)
class Bars:
    """A panel of horizontal bars, one for each name. ``texts`` are shown at their ends."""

    title: str
    values: Sequence[float]
    texts: Sequence[str]
    logarithmic: bool = False


@dataclass(frozen=True)
class Result:
    """The result of a benchmark. ``measured`` has all times of each case in seconds, in the order of measurement."""

    subject: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    goals: Sequence[Goal]
    notes: Sequence[str]
    measured: Mapping[str, Sequence[float]]


def options(description: str | None, **sizes: tuple[int, int, str]) -> argparse.Namespace:
    """Parse the command line.

    ``sizes`` maps a name to its default, its value with ``--quick``, and its help. ``--out`` is the directory to write
    to.
    """
    parser = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=DOCS, help="directory to write to (default: docs/)")
    parser.add_argument(
        "--quick", action="store_true", help="use the smallest sizes, to see whether it runs and not how fast"
    )
    for name, (size, _, explanation) in sizes.items():
        parser.add_argument(f"--{name}", type=int, help=f"{explanation} (default: {size})")
    chosen = parser.parse_args()
    for name, (size, quick, _) in sizes.items():
        if getattr(chosen, name) is None:
            setattr(chosen, name, quick if chosen.quick else size)
    return chosen


def import_extra(name: str) -> Any:
    """Import a module of the extra ``bench``, which is installed only where benchmarks run."""
    return importlib.import_module(name)


def interleaved(
    cases: Mapping[str, Case],
    rounds: int,
    *,
    calls: int = 1,
    warm: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Run every case once per round, in a different order each round, and return the seconds per call by ``clock``.

    The order makes a busy machine slow down all cases alike. Each case first runs once unmeasured, unless ``warm`` is
    false. Garbage is collected only between measurements. A measurement consists of ``calls`` calls, for cases that are
    too short for the clock.
    """
    names = list(cases)
    for case in cases.values() if warm else ():
        case()
    taken: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            start = number % len(names)
            for name in names[start:] + names[:start]:
                case = cases[name]
                begun = clock()
                for _ in range(calls):
                    case()
                taken[name].append((clock() - begun) / calls)
                gc.collect()
    finally:
        gc.enable()
    return taken


def ratio(taken: Mapping[str, Sequence[float]], over: str, under: str) -> float:
    """Return the median, over all rounds, of the ratio of two cases' times in the same round."""
    return statistics.median(one / other for one, other in zip(taken[over], taken[under], strict=True))


def spread(times: Sequence[float]) -> str:
    """Return how far the shortest and the longest time are from the median, in per cent."""
    middle = statistics.median(times)
    return f"-{100 * (1 - min(times) / middle):.0f} +{100 * (max(times) / middle - 1):.0f} %"


def digits(value: float, count: int = 3) -> str:
    """Return a number with ``count`` significant digits and without an exponent."""
    if not value:
        return "0"
    whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
    return f"{value:,.{max(0, count - whole)}f}"


def machine() -> dict[str, Any]:
    """Return a description of the machine, the date, and the versions of Python and of the compared packages."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "not installed"
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": os.cpu_count(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "packages": versions,
    }


def table(result: Mapping[str, Any]) -> str:
    """Return a result as a Markdown table. ``result`` is the content of its JSON file."""
    columns = result["columns"]
    sides = ["---" if name in {"", "body", "checks"} else "---:" for name in columns]
    lines = [f"| {' | '.join(columns)} |", f"|{'|'.join(sides)}|"]
    lines += [f"| {' | '.join('–' if cell is None else str(cell) for cell in row)} |" for row in result["rows"]]
    if result["goals"]:
        lines += ["", "| goal | wanted | measured | |", "|---|---:|---:|---|"]
        for goal in result["goals"]:
            bound = f"{'≥' if goal['least'] else '≤'} {goal['bound']:g} {goal['unit']}"
            outcome = "reached" if goal["met"] else "**missed**"
            lines.append(f"| {goal['what']} | {bound} | {digits(goal['measured'])} {goal['unit']} | {outcome} |")
    for note in result["notes"]:
        lines += ["", note]
    on = result["machine"]
    packages = ", ".join(f"{name} {number}" for name, number in on["packages"].items())
    where = f"{on['date']}, Python {on['python']}, {on['system']}, {on['processors']} processors"
    lines += ["", f"<sub>{where}; {packages}.</sub>"]
    return "\n".join(lines)


def write(result: Result, out: Path) -> None:
    """Write the JSON file of a result, put its table into docs/benchmarks.md, and print the table."""
    document = asdict(result) | {"machine": machine()}
    document["goals"] = [asdict(goal) | {"met": goal.met} for goal in result.goals]
    document["measured"] = {name: [float(f"{each:.4g}") for each in times] for name, times in result.measured.items()}
    folder = out / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{result.subject}.json").write_text(
        json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    page = out / PAGE
    text = (page if page.exists() else DOCS / PAGE).read_text(encoding="utf-8")
    text, found = table_place(result.subject).subn(lambda mark: f"{mark[1]}\n{table(document)}\n{mark[3]}", text)
    if not found:
        raise SystemExit(f"{PAGE} has no marks for the table of {result.subject}: add <!-- table: {result.subject} -->")
    page.write_text(text, encoding="utf-8")
    print(table(document))


def table_place(subject: str) -> re.Pattern[str]:
    """Return a pattern for the place of a subject's table in the page. Its second group is the table."""
    return re.compile(rf"(<!-- table: {subject} -->)\n(.*?)\n?(<!-- end -->)", re.DOTALL)


def _figure(width: float, height: float, panels: int) -> tuple[Any, Any]:
    matplotlib = import_extra("matplotlib")
    matplotlib.use("svg")
    text, grid, _, _, paper = MEANWHILE
    matplotlib.rcParams.update(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "benchmarks",
            "text.color": text,
            "axes.labelcolor": text,
            "xtick.color": text,
            "ytick.color": text,
            "axes.edgecolor": grid,
            "grid.color": grid,
            "figure.facecolor": paper,
            "axes.facecolor": paper,
            "font.size": 10,
            "axes.titlesize": 10,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "savefig.facecolor": paper,
        }
    )
    figure, axes = import_extra("matplotlib.pyplot").subplots(1, panels, figsize=(width, height), layout="constrained")
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    text = path.read_text(encoding="utf-8")
    for colour, name in MEANWHILE.items():
        text = text.replace(colour, f"var(--{name})")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    path.write_text(re.sub(r"(<svg [^>]*>)", lambda tag: f"{tag[1]}\n{STYLE}", text, count=1), encoding="utf-8")


def bars(path: Path, names: Sequence[str], ours: Sequence[str], panels: Sequence[Bars]) -> None:
    """Draw panels of bars side by side. The bars of all panels have the same names; the first name is on top."""
    if not drawable():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    figure, axes = _figure(9.2, 0.9 + 0.31 * len(names), len(panels))
    plain, special = "#010206", "#010205"
    for number, (axis, panel) in enumerate(zip(axes if len(panels) > 1 else [axes], panels, strict=True)):
        colours = [special if name in ours else plain for name in names]
        drawn = axis.barh(range(len(names)), panel.values, color=colours, height=0.68)
        axis.bar_label(drawn, labels=list(panel.texts), padding=4, fontsize=9)
        axis.set_yticks(range(len(names)), list(names) if not number else [""] * len(names))
        axis.invert_yaxis()
        axis.tick_params(left=False, bottom=False, labelbottom=False)
        axis.spines["bottom"].set_visible(False)
        axis.set_title(panel.title, loc="left")
        if panel.logarithmic:
            axis.set_xscale("log")
            axis.set_xlim(min(panel.values) / 2, max(panel.values) * 6)
            axis.minorticks_off()
        else:
            axis.set_xlim(0, max(panel.values) * 1.35 or 1)
    _save(figure, path)


def lines(path: Path, title: str, along: tuple[str, Sequence[float]], curves: Mapping[str, Sequence[float]]) -> None:
    """Draw curves over a logarithmic axis. ``along`` is the label of this axis and its positions.

    Each curve is named at its end.
    """
    if not drawable():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    label, places = along
    figure, axis = _figure(9.2, 3.4, 1)
    for number, (name, values) in enumerate(curves.items()):
        axis.plot(places, values, color="#010205" if not number else "#010206", marker="o", markersize=4)
        axis.annotate(f" {name}", (places[-1], values[-1]), va="center")
    axis.set_xscale("log")
    axis.set_xlim(places[0] / 1.2, places[-1] * 5)
    axis.set_ylim(0, max(max(values) for values in curves.values()) * 1.15)
    axis.set_xticks(list(places), [f"{place:g}" for place in places])
    axis.minorticks_off()
    axis.grid(axis="y", linewidth=0.6)
    axis.set_xlabel(label)
    axis.set_title(title, loc="left")
    _save(figure, path)


def drawable() -> bool:
    """Return whether plots can be drawn, and print a line if not."""
    try:
        import_extra("matplotlib")
    except ImportError:
        print("no plot: matplotlib is not installed (extra bench)", file=sys.stderr)
        return False
    return True
