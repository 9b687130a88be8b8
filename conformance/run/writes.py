"""The options of a run that writes, checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from conformance.probe.limits import Writes
from conformance.problems import UsageProblem

LARGEST_WORKFLOW: Final = 1 << 20
"""Bytes of a file that is submitted."""
FEWEST_JOBS: Final = 3
"""One that runs and two that wait: with fewer there is no order to be seen."""


def writes_from(  # noqa: PLR0913 - one parameter for each option
    *,
    populate: bool,
    allow_writes: bool,
    workflow: Sequence[str | Path],
    jobs: int | None,
    job_timeout: float | None,
    clear: bool,
    interrupt: bool,
    yes: bool,
) -> Writes | None:
    """Check what was typed. Returns None where nothing may be written. Raises UsageProblem."""
    given = {
        "--workflow": workflow,
        "--jobs": jobs is not None,
        "--job-timeout": job_timeout is not None,
        "--clear": clear,
        "--interrupt": interrupt,
    }
    stray = [flag for flag, value in given.items() if value]
    if stray and not populate:
        raise UsageProblem(f"{stray[0]} is for the jobs of a run: add --populate")
    if yes and not (populate or allow_writes):
        raise UsageProblem("--yes allows what --populate or --allow-writes asks for: add one of them")
    if not (populate or allow_writes):
        return None
    usual = Writes()
    jobs = usual.jobs if jobs is None else jobs
    job_timeout = usual.job_timeout if job_timeout is None else job_timeout
    if jobs < FEWEST_JOBS:
        raise UsageProblem(f"--jobs must be {FEWEST_JOBS} or more, not {jobs}: one that runs and two that wait")
    if not 0 < job_timeout < float("inf"):
        raise UsageProblem(f"--job-timeout must be a number above 0, not {job_timeout}")
    files = tuple(str(file) for file in workflow)
    try:
        workflows = tuple(_workflow(file) for file in files)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from None
    return Writes(populate, jobs, job_timeout, workflows, files, clear, interrupt, yes)


def _workflow(file: str) -> dict[str, Any]:
    """Read a graph in API format. Raises ValueError, in one line for the user."""
    try:
        raw = Path(file).read_bytes()
        found = json.loads(raw[: LARGEST_WORKFLOW + 1])
    except OSError as error:
        raise ValueError(f"--workflow {file} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        found = None
    if len(raw) > LARGEST_WORKFLOW:
        raise ValueError(f"--workflow {file} is larger than {LARGEST_WORKFLOW >> 20} MiB")
    problem = _problem(found)
    if problem:
        raise ValueError(f"--workflow {file} {problem}: export it from ComfyUI in API format")
    return dict(found)


def _problem(found: Any) -> str | None:
    """Say why a value is no graph in API format."""
    if not isinstance(found, dict) or not found:
        return "is no JSON object"
    if isinstance(found.get("nodes"), list):
        return "is a graph of the editor"
    nodes = found.values()
    if not all(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in nodes):
        return "has a node without class_type"
    if not all(isinstance(node.get("inputs", {}), dict) and isinstance(node.get("_meta", {}), dict) for node in nodes):
        return "has a node whose inputs or _meta are no object"
    return None
