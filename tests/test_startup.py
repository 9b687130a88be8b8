"""What a verb does not use is not loaded for it."""

from __future__ import annotations

import subprocess
import sys

import pytest


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
