"""Settings of a run: its limits, how it reaches a target behind a gateway, and what it may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from conformance.exchange.secrets import SHORTEST_KEY, Secret

METHOD_OVERRIDES: Final = frozenset({"x-http-method-override", "x-http-method", "x-method-override"})
"""Header fields that turn a GET into another method on servers that support them."""


class Bounds(Struct, frozen=True):
    """Limits of a run, for this machine and the server. Times are in seconds, sizes in bytes."""

    deadline: float = 120.0
    """Time for the whole run, from the first request to the last response."""
    exchange_timeout: float = 20.0
    """Time for one request, from connecting to the last byte of the response."""
    connect_timeout: float = 5.0
    """Time for name resolution, connecting and TLS."""
    max_body: int = 64 << 20
    """Size of one body after decompression."""
    max_requests: int = 50
    """Number of requests, retries included. Polls of ``--wait-for-items`` are extra, at most one per second."""
    rate_limit: float | None = None
    """Requests per second; None means unlimited."""


class Gateway(Struct, frozen=True):
    """How to reach a target behind a gateway: headers, certificates (PEM files) and proxy."""

    headers: tuple[tuple[str, Secret], ...] = ()
    """Header fields to add to every request. Their values are secret, like the key."""
    header_sources: tuple[str, ...] = ()
    """The values of ``--header`` as typed: ``NAME=VARIABLE``."""
    ca_bundle: Path | None = None
    client_cert: Path | None = None
    """Certificate and key in one file."""
    insecure: bool = False
    proxy: Secret | None = None
    """The URL of a proxy, which may contain a password."""

    @property
    def names(self) -> frozenset[str]:
        """The names of the header fields, in lower case."""
        return frozenset(name.lower() for name, _ in self.headers)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Values that must never be shown.

        Values shorter than ``SHORTEST_KEY`` are left out: they also occur in ordinary text.
        """
        return (*(value for _, value in self._recognised), *(() if self.proxy is None else (self.proxy,)))

    @property
    def secret_names(self) -> frozenset[str]:
        """The names, in lower case, of the header fields with secret values."""
        return frozenset(name.lower() for name, _ in self._recognised)

    @property
    def _recognised(self) -> tuple[tuple[str, Secret], ...]:
        return tuple((name, value) for name, value in self.headers if len(value.reveal()) >= SHORTEST_KEY)


TO_BE_REFUSED: Final = 2
"""Number of additional submissions that the server should refuse: one is invalid, one has the id of an existing job."""


class ServerChanges(Struct, frozen=True):
    """What a run may change on the server (``--allow-writes``).

    ``populate`` permits submitting ``jobs`` jobs. Without it, the only requests that write are those that should have
    no effect. ``workflows`` are graphs in API format, read from ``workflow_files``. ``job_timeout`` is in seconds.
    ``clear`` permits clearing the queue. ``interrupt`` permits an interrupt that can stop any running job on another
    machine. ``yes`` means that the user already agreed.
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
        """Return these settings as the report shows them."""
        return {
            "allow_writes": True,
            "populate": self.populate,
            "jobs": self.jobs,
            "job_timeout": self.job_timeout,
            "workflow": ", ".join(self.workflow_files) or None,
            "clear": self.clear,
            "interrupt": self.interrupt,
        }
