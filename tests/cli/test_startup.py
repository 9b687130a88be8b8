"""What a verb does not use is not loaded for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["check", "--help"],
        ["check", "--all", "missing.toml"],
        ["clauses"],
        ["clauses", "item.array"],
        ["publish", "--help"],
        ["clauses", "--document"],
    ],
)
def test_a_verb_that_sends_nothing_loads_nothing_that_sends(arguments: list[str]) -> None:
    script = (
        "import sys; from conformance.cli import main\n"
        f"sys.argv = ['comfy-conformance', *{arguments!r}]\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'httpx', 'aiohttp', 'pytest', 'jinja2', 'junitparser', 'hypothesis', 'schemathesis', 'yaml'}\n"
        "heavy |= {'distributed', 'dask', 'jsonschema', 'openapi_schema_validator', 'openapi_spec_validator'}\n"
        "heavy |= {'oas_patch'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "loaded: []"


def test_processes_of_this_machine_need_no_dask() -> None:
    script = (
        "import sys; sys.modules['distributed'] = sys.modules['dask'] = None\n"
        "import conformance.cli.check_all, conformance.fleet.child, conformance.fleet.engine, conformance.fleet.local"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


QUEUE = b'{"queue_running": [], "queue_pending": []}'
RUN = """
import sys
from conformance.cli import main
sys.argv = ["comfy-conformance", *sys.argv[1:]]
try: main()
except SystemExit: pass
generating = {"hypothesis", "schemathesis", "jsonschema", "openapi_schema_validator", "openapi_spec_validator"}
generating |= {"oas_patch", "pydantic", "yaml"}
print("loaded:", sorted(generating & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["judge", "queue.json"], []),
        (["check", "--target", "embedded", "--properties", "0"], []),
        (["check", "--target", "http://127.0.0.1:1"], []),
        (["check", "--target", "embedded"], ["hypothesis", "jsonschema", "schemathesis"]),
    ],
    ids=["judge", "nothing generated", "nobody answers", "by default"],
)
def test_only_a_run_that_generates_loads_what_generates(
    tmp_path: Path, arguments: list[str], loaded: list[str]
) -> None:
    (tmp_path / "queue.json").write_bytes(QUEUE)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COMFY_", "CONFORMANCE_"))}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        cwd=tmp_path,
        env=environment,
    )
    assert done.stdout.splitlines()[-1] == f"loaded: {loaded}"


def test_no_garbage_is_sought_when_a_command_ends() -> None:
    script = (
        "import atexit, gc, sys; from conformance.cli import main\n"
        "atexit.register(lambda: print('hidden:', gc.get_freeze_count() > 0))\n"
        "sys.argv = ['comfy-conformance', '--version']\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "hidden: True"
