"""What a run under load is asked for: the options of a run that make sense there, and bounds that always hold."""

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
"""Seconds. A load test that nobody ends, ends."""
MOST: Final = 10_000.0
"""Requests per second that can be asked for."""
LOAD_OPTIONS: Final = at(Place.LOAD)
"""The options of ``load``, of Locust's command line too where the locustfile is used by itself."""


def load_settings(environ: Mapping[str, str], host: str | None, given: Mapping[str, Any]) -> Settings:
    """Make the settings of a run under load from the values of its options, by name. Raises UsageProblem."""
    if not host:
        raise UsageProblem("no target: give the base URL of the server that is to be loaded")
    settings = settings_from(environ, {**given, "target": host})
    if settings.target is None:
        raise UsageProblem("load wants a server of its own: comfy-conformance serve starts the embedded one")
    if not is_loopback(settings.target) and not given["yes_load_this_host"]:
        raise UsageProblem(
            f"{settings.target} is not loopback: add --yes-load-this-host where it is yours, or its owner agreed"
        )
    if settings.writes is not None and unconsented(settings) is not None:
        raise UsageProblem(
            f"this run writes to {settings.target}: {settings.writes.jobs} jobs at once and new ones to the end, which "
            "can cost credits: say --yes"
        )
    if (settings.bounds.rate_limit or 0) > MOST:
        raise UsageProblem(f"--rate-limit must be at most {MOST:,.0f} requests per second")
    return settings


def will_be_written(settings: Settings) -> list[str]:
    """Say in lines for the user what a run under load writes, before it does; nothing where it does not."""
    writes = settings.writes
    if writes is None:
        return []
    source = ", ".join(writes.workflow_files) or "workflows of its own that need no model"
    return [
        f"among them jobs from {source}: at most {writes.jobs} in the queue at once, of each process of Locust",
        "jobs of this run are deleted and interrupted, and no others",
        f"they take up to {writes.job_timeout:g} s, and are removed where they take longer, and at the end",
    ]
