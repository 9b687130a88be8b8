"""Limits on what a run may send and write, and what a gateway in front of the target requires."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.exchange.secrets import SHORTEST_KEY, Secret

METHOD_OVERRIDES: Final = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Header fields that turn a read into another method on servers that support them."""


@dataclass(frozen=True)
class Bounds:
    """Limits of a run, for us and the server. Times in seconds, sizes in bytes."""

    deadline: float = 120.0
    """The whole run, from the first request to the last response."""
    exchange_timeout: float = 20.0
    """One exchange, from connecting to the last byte. Not per read: a byte a second does not stretch it."""
    connect_timeout: float = 5.0
    """Name resolution, connecting and TLS."""
    max_body: int = 64 << 20
    """One body after decompression."""
    max_requests: int = 50
    """All requests, retries included. Polls of ``--wait-for-items`` are extra, at most one per second."""
    rate_limit: float | None = None
    """Requests per second; None means unlimited."""


@dataclass(frozen=True)
class Gateway:
    """The gateway between us and the target, and what it requires. Files are PEM."""

    headers: tuple[tuple[str, Secret], ...] = ()
    """Header fields whose values are secret like the key."""
    header_sources: tuple[str, ...] = ()
    """``NAME=VARIABLE``, as it was typed."""
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    """Certificate and key in one file."""
    insecure: bool = False
    proxy: Secret | None = None
    """The URL of a proxy, which may hold a password."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the header fields, in lower case."""
        return frozenset(name.lower() for name, _ in self.headers)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Values that must never be shown. Values shorter than ``SHORTEST_KEY`` look like ordinary text."""
        return (*(value for _, value in self._recognised), *(() if self.proxy is None else (self.proxy,)))

    @property
    def secret_names(self) -> frozenset[str]:
        """The names, in lower case, of the header fields with secret values."""
        return frozenset(name.lower() for name, _ in self._recognised)

    @property
    def _recognised(self) -> tuple[tuple[str, Secret], ...]:
        return tuple((name, value) for name, value in self.headers if len(value.reveal()) >= SHORTEST_KEY)


TO_BE_REFUSED: Final = 2
"""Prompts that are submitted in addition to the jobs and should be refused: one invalid, one with a used id."""


@dataclass(frozen=True)
class ServerChanges:
    """What may be written. ``workflows`` are graphs in API format, ``workflow_files`` their source.

    Without ``populate``, only requests that change nothing are sent. ``job_timeout`` is in seconds. ``interrupt``
    permits an interrupt that can stop any running job, on a host that is not loopback.
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
        """Return the values for the report."""
        return {
            "allow_writes": True,
            "populate": self.populate,
            "jobs": self.jobs,
            "job_timeout": self.job_timeout,
            "workflow": ", ".join(self.workflow_files) or None,
            "clear": self.clear,
            "interrupt": self.interrupt,
        }
