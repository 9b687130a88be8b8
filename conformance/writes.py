"""What a run may write, where the user asked for it by name; and what is said, and asked, before it does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from conformance.settings import Settings

LARGEST_WORKFLOW: Final = 1 << 20
"""Bytes of a file that is submitted."""
FEWEST_JOBS: Final = 3
"""One that runs and two that wait: with fewer there is no order to be seen."""
TO_BE_REFUSED: Final = 2
"""Prompts that are submitted beside the jobs and should not become any: one that cannot run, one that is there."""
MALFORMED: Final = "malformed requests are sent at the end: a server that does not expect them can end on them"


@dataclass(frozen=True)
class Writes:
    """What may be written. ``workflows`` are graphs in API format, ``workflow_files`` where they came from.

    Without ``populate`` only what changes nothing is sent. ``job_timeout`` is in seconds. ``interrupt`` is leave for
    an interrupt that can stop any job that runs, on a host that is not loopback.
    """

    populate: bool = False
    jobs: int = 8
    job_timeout: float = 60.0
    workflows: tuple[dict[str, Any], ...] = ()
    workflow_files: tuple[str, ...] = ()
    clear: bool = False
    interrupt: bool = False
    yes: bool = False

    def options(self) -> dict[str, str | int | float | bool | None]:
        """Return what the report shows of them."""
        return {
            "allow_writes": True, "populate": self.populate, "jobs": self.jobs, "job_timeout": self.job_timeout,
            "workflow": ", ".join(self.workflow_files) or None, "clear": self.clear,
            "interrupt": self.interrupt,
        }  # fmt: skip


class Populated(NamedTuple):
    """What became of the run's own jobs: prompts that were submitted, those answered 200, the ids that are left."""

    submitted: int
    taken: int
    left: tuple[str, ...]


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
    from conformance.settings import UsageProblem

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


def will_be_sent(settings: Settings) -> list[str]:
    """Say in lines for the user what is about to be written, and where; nothing where nothing is."""
    writes = settings.writes
    if writes is None:
        return []
    if not writes.populate:
        return ["requests that write are sent as well, none of which is to change anything (--allow-writes)", MALFORMED]
    source = ", ".join(writes.workflow_files) or "workflows of its own that need no model"
    lines = [
        f"{writes.jobs} jobs are submitted from {source}, and {TO_BE_REFUSED} prompts that should be refused",
        "jobs of this run are deleted, cancelled and interrupted, and no others",
        f"they take up to {writes.job_timeout:g} s, and are removed where they take longer",
        MALFORMED,
    ]
    if writes.clear:
        lines.append("the queue is cleared, if it holds nothing but jobs of this run (--clear)")
    return lines


def unconsented(settings: Settings) -> str | None:
    """Return what a run would write to a host that is not loopback, where nobody has said yes to it; else None."""
    from conformance.settings import is_loopback

    writes = settings.writes
    if writes is None or writes.yes or settings.target is None:
        return None
    if is_loopback(settings.target):
        return None
    host = urlsplit(settings.target).hostname
    what = f"{writes.jobs} jobs, which can cost credits" if writes.populate else "requests that should change nothing"
    return f"this run writes to {host}: {what}"


def demand_consent(settings: Settings) -> None:
    """Raise UsageProblem where a run would write to somebody's host and nobody has said yes to it."""
    from conformance.settings import UsageProblem

    if (question := unconsented(settings)) is not None:
        raise UsageProblem(f"{question}: say --yes")


def agreed(settings: Settings) -> Settings:
    """Return the settings of a run to which the user said yes."""
    assert settings.writes is not None
    return replace(settings, writes=replace(settings.writes, yes=True))
