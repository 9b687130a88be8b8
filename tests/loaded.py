"""A run under load by the real Locust, as its users type it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.judge.report import Report, decode
from conformance.reference.server import Endpoint

COMMAND = "import sys; from conformance.cli import main; main(['load', *sys.argv[1:]])"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in {"COMFY_API_KEY", "CONFORMANCE_TARGET"}}


def load(*typed: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, typed)], capture_output=True, text=True, timeout=120, check=False,
        env=ENVIRONMENT | environment,
    )  # fmt: skip


def report_in(directory: Path) -> Report:
    """Return the report that a run left."""
    return decode((directory / "compliance.json").read_bytes())


def loaded(endpoint: Endpoint, *typed: str) -> Report:
    """Return the report on a run of some seconds against an endpoint; where it takes jobs, with some."""
    with TemporaryDirectory() as directory:
        jobs = () if endpoint.reference.board is None else ("--populate", "--jobs=16")
        done = load(endpoint.url, "--users=8", "--duration=4", f"--report-dir={directory}", *jobs, *typed)
        assert done.returncode in {0, 1, 10}, done.stderr
        return report_in(Path(directory))
