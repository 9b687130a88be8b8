"""What a verb does not use is not loaded for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

RUN = """
import sys
from conformance.cli import main
sys.argv[0] = "comfy-conformance"
try: main()
except SystemExit: pass
"""


def printed(script: str, *arguments: str, folder: Path | None = None) -> str:
    """Return the last line that a script prints in a fresh interpreter."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COMFY_", "CONFORMANCE_"))}
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, cwd=folder, env=environment)
    return done.stdout.splitlines()[-1]


def loaded_of(names: Collection[str], *arguments: str, folder: Path | None = None) -> list[str]:
    """Return those modules of ``names`` that a command has imported at its end."""
    show = f"import json; print(json.dumps(sorted({set(names)!r} & set(sys.modules))))"
    found: list[str] = json.loads(printed(f"{RUN}\n{show}", *arguments, folder=folder))
    return found


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
    heavy = {"httpx", "aiohttp", "pytest", "jinja2", "junitparser", "hypothesis", "schemathesis", "yaml"}
    heavy |= {"distributed", "dask", "jsonschema", "openapi_schema_validator", "openapi_spec_validator"}
    heavy |= {"oas_patch"}
    assert loaded_of(heavy, *arguments) == []


def test_processes_of_this_machine_need_no_dask() -> None:
    script = (
        "import sys; sys.modules['distributed'] = sys.modules['dask'] = None\n"
        "import conformance.cli.check_all, conformance.fleet.child, conformance.fleet.engine, conformance.fleet.local"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


QUEUE = b'{"queue_running": [], "queue_pending": []}'
GENERATING = {"hypothesis", "schemathesis", "jsonschema", "openapi_schema_validator", "openapi_spec_validator"}
GENERATING |= {"oas_patch", "pydantic", "yaml"}


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
    assert loaded_of(GENERATING, *arguments, folder=tmp_path) == loaded


def test_no_garbage_is_sought_when_a_command_ends() -> None:
    hidden = "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 0))"
    assert printed(f"{hidden}\n{RUN}", "--version") == "True"
