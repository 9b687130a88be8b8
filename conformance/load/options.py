"""The options of a run under load, and upper limits for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from conformance.exchange.hosts import is_loopback
from conformance.problems import UsageProblem
from conformance.run.consent import unconsented
from conformance.run.describing import Place
from conformance.run.options import at, settings_from
from conformance.run.settings import Settings

LONGEST: Final = 3600.0
"""Maximum duration in seconds, so that a forgotten load test ends."""
MOST: Final = 10_000.0
"""Maximum number of requests per second."""
LOAD_OPTIONS: Final = at(Place.LOAD)
"""The options of ``load``. The command line of Locust also has them if it uses the locustfile."""


def load_settings(environ: Mapping[str, str], host: str | None, given: Mapping[str, Any]) -> Settings:
    """Return the settings of a run under load from the values of its options. Raises UsageProblem."""
    if not host:
        raise UsageProblem("no target: give the base URL of the server to test")
    settings = settings_from(environ, {**given, "target": host})
    if settings.target is None:
        raise UsageProblem("load needs a running server: comfy-conformance serve starts the embedded one")
    if not is_loopback(settings.target) and not given["yes_load_this_host"]:
        raise UsageProblem(
            f"{settings.target} is not loopback: add --yes-load-this-host if it is yours or its owner agreed"
        )
    if settings.server_changes is not None and unconsented(settings) is not None:
        raise UsageProblem(
            f"this run submits jobs to {settings.target}, {settings.server_changes.jobs} at once until it ends, "
            "which can cost credits: add --yes to allow it"
        )
    if (settings.bounds.rate_limit or 0) > MOST:
        raise UsageProblem(f"--rate-limit must be at most {MOST:,.0f} requests per second")
    return settings


def will_be_written(settings: Settings) -> list[str]:
    """Return lines for the user about how the run will change the server. The list is empty if the run only reads."""
    server_changes = settings.server_changes
    if server_changes is None:
        return []
    source = ", ".join(server_changes.workflow_files) or "built-in workflows that need no model"
    return [
        f"jobs from {source} are submitted too: each process of Locust keeps up to {server_changes.jobs} queued",
        "only jobs of this run are deleted and interrupted",
        f"jobs that take longer than {server_changes.job_timeout:g} s are removed",
        "all other jobs of this run are removed at its end",
    ]
