"""Lines that are printed before a run starts, and the user's consent to changes on a remote server."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from msgspec import structs

from conformance.contract.terms import Dialect
from conformance.exchange.hosts import is_loopback
from conformance.exchange.secrets import SHORTEST_KEY
from conformance.probe.limits import TO_BE_REFUSED
from conformance.problems import UsageProblem
from conformance.properties.generation import MOST_DECLARED
from conformance.run.settings import Settings

PLAN: Final = 45
"""The approximate number of requests in the fixed plan of a run that does not write."""
MALFORMED: Final = "malformed requests are sent at the end: they can crash a server that does not expect them"


def will_be_sent(settings: Settings) -> list[str]:
    """Return lines for the user about how the run will change the server. The list is empty if the run only reads."""
    server_changes = settings.server_changes
    if server_changes is None:
        return []
    if not server_changes.populate:
        return ["requests that write are sent too, but none should change anything (--allow-writes)", MALFORMED]
    source = ", ".join(server_changes.workflow_files) or "built-in workflows that need no model"
    lines = [
        f"{server_changes.jobs} jobs are submitted from {source}, and {TO_BE_REFUSED} more that should be refused",
        "only jobs of this run are deleted, cancelled and interrupted",
        f"jobs that take longer than {server_changes.job_timeout:g} s are removed",
        MALFORMED,
    ]
    if server_changes.clear:
        lines.append("the queue is cleared if it contains only jobs of this run (--clear)")
    return lines


def unconsented(settings: Settings) -> str | None:
    """Return in words how a run would change a remote server; None if it would not, or if the user agreed to it."""
    server_changes = settings.server_changes
    if server_changes is None or server_changes.yes or settings.target is None:
        return None
    if is_loopback(settings.target):
        return None
    host = urlsplit(settings.target).hostname
    what = (
        f"{server_changes.jobs} jobs, which can cost credits"
        if server_changes.populate
        else "requests that should change nothing"
    )
    return f"this run writes to {host}: {what}"


def demand_consent(settings: Settings) -> None:
    """Raise UsageProblem if a run would change a remote server without the user's consent."""
    if (question := unconsented(settings)) is not None:
        raise UsageProblem(f"{question}: add --yes to allow it")


def with_consent(settings: Settings) -> Settings:
    """Return the settings with the user's consent to change the server."""
    assert settings.server_changes is not None
    return structs.replace(settings, server_changes=structs.replace(settings.server_changes, yes=True))


def _can_be_written(directory: Path) -> bool:
    """Return whether a directory is writable, or can be created if it does not exist."""
    there = next(place for place in (directory, *directory.absolute().parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _generated(settings: Settings) -> list[str]:
    """Return lines for the user about the generated requests and the OpenAPI document that they come from."""
    if settings.properties is None:
        return []
    from importlib.metadata import version

    from conformance.properties.families import left_out

    found, described = settings.properties, settings.described
    source = f"{described.name} (SHA-256 {described.sha256[:12]}…)"
    by = f"by Schemathesis {version('schemathesis')} from {source}, seed {found.seed}"
    declared = f", {found.wanted - found.number} for the values that it declares" if found.declared else ""
    lines = [f"{found.wanted:,} of them {'is' if found.wanted == 1 else 'are'} generated {by}{declared}"]
    if found.declared > MOST_DECLARED:
        lines.append(
            f"{found.declared - MOST_DECLARED:,} of the {found.declared:,} values that it declares are not sent"
        )
    if described.own and (never := left_out(described.probed, described.path)):
        lines.append(f"declared, but never sent (a credential, or part of the framing): {', '.join(never)}")
    if described.unmatched:
        lines.append(f"errata that do not apply to {described.name}: {', '.join(described.unmatched)}")
    if found.kept_in is not None and not _can_be_written(found.kept_in):
        lines.append(f"{found.kept_in} cannot be written: requests that break a clause are not stored for the next run")
    return lines


def expected_requests(settings: Settings) -> int:
    """Return about how many requests a run sends."""
    generated = settings.properties.wanted if settings.properties is not None else 0
    fixed = settings.bounds.max_requests if settings.server_changes else min(settings.bounds.max_requests, PLAN)
    return fixed + generated


def announcement(settings: Settings) -> list[str]:
    """Return lines for the user about the target, the number of requests, and who receives the key."""
    asked = "the embedded reference endpoint, not your server"
    if settings.target is not None:
        asked = f"{settings.target.rstrip('/')}{settings.queue_path}"
    kind = "requests" if settings.server_changes else "read-only requests"
    dialect = "" if settings.dialect is Dialect.CLOUD else f", dialect {settings.dialect.value}"
    lines = [f"checking {asked} (about {expected_requests(settings):,} {kind}{dialect})"]
    if settings.scheme_added and settings.target is not None:
        lines.append(f"no scheme was given: plain http is used for {urlsplit(settings.target).netloc}")
    lines += will_be_sent(settings)
    lines += _generated(settings)
    if settings.key is not None and settings.target is not None:
        parts = urlsplit(settings.target)
        lines.append(f"the key in {settings.key_source} is sent to {parts.scheme}://{parts.netloc} and nowhere else")
    if settings.gateway.headers and settings.target is not None:
        parts = urlsplit(settings.target)
        names = ", ".join(settings.gateway.header_sources)
        lines.append(f"the headers {names} are sent to {parts.scheme}://{parts.netloc} and nowhere else")
        pairs = zip(settings.gateway.header_sources, settings.gateway.headers, strict=True)
        lines += [
            f"the value of {source} has fewer than {SHORTEST_KEY} characters: it is not redacted in the reports"
            for source, (_, value) in pairs
            if len(value.reveal()) < SHORTEST_KEY
        ]
    if settings.gateway.insecure:
        lines.append("certificates are not verified (--insecure): the responses may come from another server")
    if settings.full_bodies:
        lines.append("compliance.json contains whole bodies, including what users wrote into workflows (--full-bodies)")
    if settings.redact_workflows:
        lines.append("what users wrote into workflows is hidden in the reports (--redact-workflows)")
    if settings.show_workflows:
        lines.append("what users wrote into workflows is shown in the reports (--show-workflows)")
    return lines
