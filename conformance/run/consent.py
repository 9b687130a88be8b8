"""What is said before a run, and asked where it would write to somebody's host."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from conformance.exchange.hosts import is_loopback
from conformance.exchange.secrets import SHORTEST_KEY
from conformance.probe.limits import TO_BE_REFUSED
from conformance.problems import UsageProblem
from conformance.run.settings import Settings

MALFORMED: Final = "malformed requests are sent at the end: a server that does not expect them can end on them"


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
    if (question := unconsented(settings)) is not None:
        raise UsageProblem(f"{question}: say --yes")


def agreed(settings: Settings) -> Settings:
    """Return the settings of a run to which the user said yes."""
    assert settings.writes is not None
    return replace(settings, writes=replace(settings.writes, yes=True))


def _can_be_written(directory: Path) -> bool:
    """Whether a directory can be written, or made where it is not there."""
    there = next(place for place in (directory, *directory.absolute().parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _generated(settings: Settings) -> list[str]:
    """Say which requests are generated, from which document."""
    if settings.properties is None:
        return []
    found, described = settings.properties, settings.described
    lines = [
        (
            f"then {found.number} requests that Schemathesis {version('schemathesis')} generates "
            f"from {described.name}, SHA-256 {described.sha256}, seed {found.seed} (--properties 0: none)"
        )
    ]
    if described.unmatched:
        lines.append(f"errata that do not match {described.name}: {', '.join(described.unmatched)}")
    if found.kept_in is not None and not _can_be_written(found.kept_in):
        lines.append(f"what breaks a clause is not kept for the next run: {found.kept_in} cannot be written")
    return lines


def announcement(settings: Settings) -> list[str]:
    """Say in lines for the user who is asked, by which reading, within which bounds, and who receives the key."""
    asked = "the embedded reference endpoint, not a server of yours," if settings.target is None else settings.target
    bounds = settings.bounds
    limits = f"at most {bounds.max_requests} requests of the fixed plan and {bounds.deadline:g} s"
    lines = [f"asking {asked} for {settings.queue_path}, dialect {settings.dialect.value}, {limits}"]
    if settings.scheme_added and settings.target is not None:
        lines.append(f"no scheme was given: {urlsplit(settings.target).netloc} is asked over plain http")
    lines += will_be_sent(settings)
    lines += _generated(settings)
    if settings.key is not None and settings.target is not None:
        parts = urlsplit(settings.target)
        lines.append(f"the key in {settings.key_source} is sent to {parts.scheme}://{parts.netloc} and to nobody else")
    if settings.gateway.headers and settings.target is not None:
        parts = urlsplit(settings.target)
        names = ", ".join(settings.gateway.header_sources)
        lines.append(f"the headers {names} are sent to {parts.scheme}://{parts.netloc} and to nobody else")
        pairs = zip(settings.gateway.header_sources, settings.gateway.headers, strict=True)
        lines += [
            f"the value of {source} has fewer than {SHORTEST_KEY} characters: it is not redacted in the reports"
            for source, (_, value) in pairs
            if len(value.reveal()) < SHORTEST_KEY
        ]
    if settings.gateway.insecure:
        lines.append("no certificate is verified (--insecure): whoever answers may be somebody else")
    if settings.full_bodies:
        lines.append("whole bodies, with what users wrote into workflows, are kept in compliance.json (--full-bodies)")
    if settings.redact_workflows:
        lines.append("what users wrote into workflows is hidden in the reports (--redact-workflows)")
    if settings.show_workflows:
        lines.append("what users wrote into workflows is shown in the reports (--show-workflows)")
    return lines
