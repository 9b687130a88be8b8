"""What a run may cost and write, and what a gateway in front of the target wants."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from conformance.exchange.secrets import SHORTEST_KEY, Secret

METHOD_OVERRIDES: Final = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Header fields that make something else of a read, where a server heeds them."""


@dataclass(frozen=True)
class Bounds:
    """What a run may cost, us and the server. Times in seconds, sizes in bytes."""

    deadline: float = 120.0
    """The whole run, from the first request to the last answer."""
    exchange_timeout: float = 20.0
    """One exchange, from connecting to the last byte. Not per read: a byte a second does not stretch it."""
    connect_timeout: float = 5.0
    """Resolving the name, connecting and TLS."""
    max_body: int = 64 << 20
    """One body after decompression."""
    max_requests: int = 50
    """All requests, retries included; polls of ``--wait-for-items`` come on top, one a second at most."""
    rate_limit: float | None = None
    """Requests per second; None sets no bound."""


@dataclass(frozen=True)
class Gateway:
    """What stands between us and the target, and what it wants. Files are PEM."""

    headers: tuple[tuple[str, Secret], ...] = ()
    """Header fields whose values are kept like the key."""
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
        """What of it nobody may see. A shorter value than ``SHORTEST_KEY`` cannot be told from ordinary text."""
        return (*(value for _, value in self._recognised), *(() if self.proxy is None else (self.proxy,)))

    @property
    def secret_names(self) -> frozenset[str]:
        """The names of the header fields whose values nobody may see, in lower case."""
        return frozenset(name.lower() for name, _ in self._recognised)

    @property
    def _recognised(self) -> tuple[tuple[str, Secret], ...]:
        return tuple((name, value) for name, value in self.headers if len(value.reveal()) >= SHORTEST_KEY)


TO_BE_REFUSED: Final = 2
"""Prompts that are submitted beside the jobs and should not become any: one that cannot run, one that is there."""


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
            "allow_writes": True,
            "populate": self.populate,
            "jobs": self.jobs,
            "job_timeout": self.job_timeout,
            "workflow": ", ".join(self.workflow_files) or None,
            "clear": self.clear,
            "interrupt": self.interrupt,
        }
