"""Check the options of a run that may change the server: submit, delete, clear or interrupt jobs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from conformance.probe.limits import ServerChanges
from conformance.problems import UsageProblem
from conformance.run.table import Options
from conformance.text.json_bytes import depth_of

LARGEST_WORKFLOW: Final = 1 << 20
"""Maximum size in bytes of a workflow file."""
DEEPEST_WORKFLOW: Final = 100
"""Maximum levels of nesting in a workflow. In the queue it has more, and common JSON parsers stop at 128."""


def server_changes_from(options: Options) -> ServerChanges | None:
    """Return which changes on the server the options allow, or None if the run only reads. Raises UsageProblem."""
    given = {
        "--workflow": options.workflow,
        "--jobs": options.jobs is not None,
        "--job-timeout": options.job_timeout is not None,
        "--clear": options.clear,
        "--interrupt": options.interrupt,
    }
    stray = [flag for flag, value in given.items() if value]
    writing = options.populate or options.allow_writes
    if stray and not options.populate:
        raise UsageProblem(f"{stray[0]} needs --populate, which lets the run submit jobs: add it")
    if options.yes and not writing:
        raise UsageProblem("--yes permits --populate or --allow-writes: add one of them")
    if not writing:
        return None
    files = tuple(str(file) for file in options.workflow)
    try:
        workflows = tuple(_workflow(file) for file in files)
    except ValueError as problem:
        raise UsageProblem(str(problem)) from None
    return ServerChanges(
        populate=options.populate,
        jobs=ServerChanges().jobs if options.jobs is None else options.jobs,
        job_timeout=ServerChanges().job_timeout if options.job_timeout is None else options.job_timeout,
        workflows=workflows,
        workflow_files=files,
        clear=options.clear,
        interrupt=options.interrupt,
        yes=options.yes,
    )


def _workflow(file: str) -> dict[str, Any]:
    """Read a workflow in ComfyUI's API format. Raises ValueError with a message for the user."""
    try:
        raw = Path(file).read_bytes()
        found = json.loads(raw[: LARGEST_WORKFLOW + 1])
    except OSError as error:
        raise ValueError(
            f"--workflow {file} cannot be read ({error.strerror}): give a workflow in API format"
        ) from None
    except (ValueError, RecursionError):
        found = None
    if len(raw) > LARGEST_WORKFLOW:
        raise ValueError(f"--workflow {file} is larger than {LARGEST_WORKFLOW >> 20} MiB: give a smaller one")
    problem = _problem(found)
    if problem:
        raise ValueError(f"--workflow {file} {problem}: export it from ComfyUI in API format")
    return dict(found)


def _problem(found: Any) -> str | None:
    """Return why a value is not a workflow in ComfyUI's API format, or None if it is one."""
    if not isinstance(found, dict) or not found:
        return "is not a JSON object"
    if isinstance(found.get("nodes"), list):
        return "is in the format of the editor"
    nodes = found.values()
    if not all(isinstance(node, dict) and isinstance(node.get("class_type"), str) for node in nodes):
        return "has a node without class_type"
    if not all(isinstance(node.get("inputs", {}), dict) and isinstance(node.get("_meta", {}), dict) for node in nodes):
        return "has a node whose inputs or _meta are not objects"
    if depth_of(found) > DEEPEST_WORKFLOW:
        return f"has more than {DEEPEST_WORKFLOW} levels of nesting"
    return None
