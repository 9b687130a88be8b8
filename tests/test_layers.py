"""What may import what, and what nobody pays for who does not use it."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "conformance"
FORBIDDEN = {
    "contract": ("probe", "render", "suite", "reference", "cli", "judge", "run", "fleet"),
    "reference": ("contract", "judge", "probe", "render", "suite", "cli", "run", "fleet"),
    "render": ("probe", "suite", "reference", "cli", "run", "fleet"),
    "history": ("probe", "suite", "reference", "cli", "run", "render", "fleet"),
    "probe": ("render", "suite", "reference", "cli", "judge", "run", "fleet"),
    "fleet": ("suite", "reference", "cli", "properties"),
}
MODULES = [path for layer in FORBIDDEN for path in sorted((PACKAGE / layer).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Return the parts of this package that a module imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("conformance"):
            parts = node.module.split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("conformance.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_layer_imports_only_what_lies_below_it(path: Path) -> None:
    layer = path.relative_to(PACKAGE).parts[0]
    assert not imported(path) & set(FORBIDDEN[layer])


@pytest.mark.parametrize("arguments", [["--help"], ["fleet", "--help"], ["clauses"], ["explain", "item.array"]])
def test_a_verb_that_sends_nothing_loads_nothing_that_sends(arguments: list[str]) -> None:
    script = (
        "import sys; from conformance.cli import main\n"
        f"sys.argv = ['comfy-conformance', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'aiohttp', 'pytest', 'jinja2', 'junitparser', 'hypothesis', 'schemathesis', 'yaml'}\n"
        "heavy |= {'distributed', 'dask'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "loaded: []"
